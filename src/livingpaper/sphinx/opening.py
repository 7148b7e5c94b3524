"""What a reader wants to know before a chapter, and after it: what it teaches, what it needs, how long it takes, what
comes next."""

import re
from collections.abc import Iterator

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

WORDS = 200  # that are read in a minute, of prose which has to be thought about
SECONDS = {nodes.math: 2, nodes.math_block: 20, nodes.image: 30, nodes.table: 20}  # that looking at one takes
UNREAD = (nodes.raw, nodes.comment, nodes.literal_block, nodes.legend)


class ReadingTime(nodes.Inline, nodes.Element):
    """Stands where the time that reading the page takes goes."""


class Opening(SphinxDirective):
    """What a chapter teaches, in one sentence, and the chapters that it needs, by the stems of their files."""

    has_content = True
    option_spec = {"needs": directives.unchanged}  # noqa: RUF012  # docutils' own form

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        folder = self.env.docname.rpartition("/")[0]
        needs = [name.strip() for name in self.options.get("needs", "").split(",") if name.strip()]
        docnames = [f"{folder}/{name}".lstrip("/") for name in needs]
        self.env.get_domain("paper").openings[self.env.docname] = {"docname": self.env.docname, "needs": docnames}
        box = nodes.container(classes=["opening"])
        self.state.nested_parse(self.content, self.content_offset, box)
        line = nodes.paragraph("", "", ReadingTime(), classes=["opening-line"])
        for position, name in enumerate(needs):
            line += nodes.Text(" and " if position and position == len(needs) - 1 else ", " if position else ", after ")
            line += addnodes.pending_xref(
                "", nodes.inline("", name), refdomain="std", reftype="doc", reftarget=f"/{docnames[position]}",
                refdoc=self.env.docname, refexplicit=False, refwarn=False,
            )  # fmt: skip
        box += line
        return [box]


class TellReadingTime(SphinxPostTransform):
    """Put the reading time into the opening of a chapter."""

    # after MyST-NB has chosen among outputs
    default_priority = 20

    def run(self, **kwargs) -> None:
        for place in list(self.document.findall(ReadingTime)):
            minutes = reading_minutes(self.document)
            place.replace_self(nodes.Text(f"{minutes} {'minute' if minutes == 1 else 'minutes'} to read"))


def reading_minutes(page: nodes.Element) -> int:
    """The minutes that a page takes: its words at 200 a minute, and some seconds for each formula, figure and table."""
    seconds = 0.0
    for node in page.findall():
        inside = list(_parents(node))
        if any(isinstance(parent, UNREAD) for parent in inside):
            continue
        if isinstance(node, nodes.Text) and not any(isinstance(parent, tuple(SECONDS)) for parent in inside):
            seconds += len(re.findall(r"\w[\w'’-]*", node)) * 60 / WORDS
        seconds += next((time for kind, time in SECONDS.items() if isinstance(node, kind)), 0)
    return max(round(seconds / 60), 1)


def _parents(node: nodes.Node) -> Iterator[nodes.Element]:
    while (node := node.parent) is not None:
        yield node


def check_needs(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a chapter that needs one which does not exist, or which does not come before it."""
    catalogue = env.get_domain("paper")
    order = catalogue.pages()
    for docname, opening in catalogue.openings.items():
        for needed in opening["needs"]:
            if needed not in env.found_docs:
                logger.warning("needs %r, which is no page of the book", needed, location=docname, type="paper")
            elif needed not in order[: order.index(docname)]:
                # so there is no circle either
                logger.warning("needs %r, which does not come before it", needed, location=docname, type="paper")


def name_parts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Say, in the links to the previous and the next page, to which part of the book they lead."""
    parts = _parts(app.env)
    for neighbour in ("prev", "next"):
        link = context.get(neighbour)
        docname = _neighbour(app.env, pagename, neighbour)
        if link and parts.get(docname):
            link["title"] = f'<span class="prev-next-part">{parts[docname]}</span> {link["title"]}'


def _neighbour(env: BuildEnvironment, docname: str, which: str) -> str | None:
    order = env.get_domain("paper").pages()
    if docname not in order:
        return None
    place = order.index(docname) + (1 if which == "next" else -1)
    return order[place] if 0 <= place < len(order) else None


def _parts(env: BuildEnvironment) -> dict[str, str]:
    """The part of the book that each page belongs to."""
    return {
        docname: toctree["caption"]
        for toctree in env.get_doctree(env.config.root_doc).findall(addnodes.toctree)
        if toctree.get("caption")
        for _, docname in toctree["entries"]
    }


def setup(app: Sphinx) -> None:
    """Register what opens a chapter."""
    app.add_css_file("css/chapter-header.css", priority=800)
    app.add_node(ReadingTime)
    app.add_directive("opening", Opening)
    app.add_post_transform(TellReadingTime)
    app.connect("env-check-consistency", check_needs)
    app.connect("html-page-context", name_parts)
