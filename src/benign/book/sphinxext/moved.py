"""Anchors that stay: where something was renamed, or moved to another chapter, its old address leads to it."""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

from benign.book import ids
from benign.errors import InputError

logger = logging.getLogger(__name__)


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of every published id that is neither in the book nor renamed."""
    catalogue = env.get_domain("benign")
    chapters = {docname.rpartition("/")[2] for docname in env.found_docs}
    try:
        lost = ids.read(Path(app.srcdir)).lost({*catalogue.figures, *catalogue.claims}, chapters)
    except InputError as error:
        lost = [str(error)]
    for words in lost:
        logger.warning(words, type="benign", subtype="ids")


class OldAnchors(SphinxPostTransform):
    """Give each chapter the anchors of what once stood in it under another id, or has moved to another chapter."""

    default_priority = 6

    def run(self, **kwargs) -> None:
        page = next(self.document.findall(nodes.section), None)
        if page is None:
            return  # captions, say, which are resolved by themselves
        try:
            known = ids.read(Path(self.env.srcdir))
        except InputError:
            return  # the check has said so
        catalogue, docname = self.env.get_domain("benign"), self.env.docname
        for id, chapter in known.chapters.items():
            place = (catalogue.figures | catalogue.claims).get(known.now(id))
            if chapter != docname.rpartition("/")[2] or place is None:
                continue
            if place["docname"] != docname:
                link = make_refnode(self.app.builder, docname, place["docname"], place["id"], nodes.Text(place["id"]))
                title = self.env.titles[place["docname"]].astext()
                words = nodes.paragraph("", f"{id} has moved to “{title}”: ", link, ids=[id], classes=["moved"])
                page.append(words)
            elif place["id"] != id:
                for node in page.findall(nodes.Element):
                    if place["id"] in node["ids"]:
                        node["ids"].append(id)


def setup(app: Sphinx) -> None:
    """Register the old anchors."""
    app.add_post_transform(OldAnchors)
    app.connect("env-check-consistency", check)
