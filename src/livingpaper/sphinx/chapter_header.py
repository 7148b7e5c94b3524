"""What a reader wants to know before a chapter, and after it: what it teaches, what it needs, what comes next."""

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from livingpaper.sphinx.references import reference

logger = logging.getLogger(__name__)


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
        if needs:
            line = nodes.paragraph("", "After ", classes=["opening-line"])
            for position, docname in enumerate(docnames):
                line += nodes.Text(" and " if position and position == len(needs) - 1 else ", " if position else "")
                line += reference(self.env, "std:doc", f"/{docname}")
                line[-1]["refwarn"] = False  # check_needs says it better
            line += nodes.Text(".")
            box += line
        return [box]


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
    app.add_directive("opening", Opening)
    app.connect("env-check-consistency", check_needs)
    app.connect("html-page-context", name_parts)
