"""What a reader wants to know before a chapter, and after it: what it teaches, what it needs, what comes next."""

from functools import cache
from html import escape

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from livingpaper.sphinx.references import joined, reference

logger = logging.getLogger(__name__)


class Opening(SphinxDirective):
    """What a chapter teaches, in one sentence, and the chapters that it needs, by the stems of their files."""

    has_content = True
    option_spec = {"needs": directives.unchanged}  # noqa: RUF012  # docutils' own form

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        folder = self.env.docname.rpartition("/")[0]
        names = [name.strip() for name in self.options.get("needs", "").split(",") if name.strip()]
        needs = [f"{folder}/{name}".lstrip("/") for name in names]
        self.env.metadata[self.env.docname]["needs"] = needs
        box = nodes.container(classes=["chapter-header"])
        self.state.nested_parse(self.content, self.content_offset, box)
        if needs:
            *first, last = [[reference(self.env, "std:doc", f"/{docname}")] for docname in needs]
            for (one,) in (*first, last):
                one["refwarn"] = False  # check_needs says it better
            words = joined([joined(first), last] if first else [last], " and ")
            box += nodes.paragraph("", "After ", *words, nodes.Text("."), classes=["chapter-needs"])
        return [box]


def check_needs(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a chapter that needs one which does not exist, or which does not come before it."""
    order = env.get_domain("paper").pages()
    for position, docname in enumerate(order):
        for needed in env.metadata[docname].get("needs", ()):
            if needed not in env.found_docs:
                logger.warning("needs %r, which is no page of the book", needed, location=docname, type="paper")
            elif needed not in order[:position]:
                # so there is no circle either
                logger.warning("needs %r, which does not come before it", needed, location=docname, type="paper")


def name_parts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Say, in the links to the previous and the next page, to which part of the book they lead."""
    _, before, after = app.builder.relations.get(pagename, (None, None, None))
    for neighbour, docname in (("prev", before), ("next", after)):
        if context.get(neighbour) and (part := _parts(app.env).get(docname)):
            context[neighbour]["title"] = (
                f'<span class="prev-next-part">{escape(part)}</span> {context[neighbour]["title"]}'
            )


@cache
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
