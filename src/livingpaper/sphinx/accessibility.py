"""Markup that assistive technology reads as it is meant, where docutils writes something else."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

_PARAMETERS = re.compile(r"<dl>\n((?:<dd>.*</dd>\n?)+)</dl>")


def visit_citation(writer: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.visit_citation(writer, node)
    # withdrawn from the standard, and never allowed on an element of this kind
    writer.body[-1] = writer.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def depart_citation(writer: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.depart_citation(writer, node)


def amend(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Make no list of definitions of a signature's parameters, and give the side bar's switches a name."""
    if context.get("body"):
        context["body"] = _PARAMETERS.sub(_plain, context["body"])
    if make := context.get("generate_toctree_html"):
        context["generate_toctree_html"] = lambda *arguments, **options: _named(make(*arguments, **options))


def _plain(match: re.Match) -> str:
    lines = match[1].replace("<dd>", "<div>").replace("</dd>", "</div>")
    return f'<div class="sig-parameters">\n{lines}</div>'


def _named(toctree: object) -> object:
    if "<summary>" not in str(toctree):
        return toctree
    return str(toctree).replace("<summary>", '<summary aria-label="Show or hide the pages below">')


def setup(app: Sphinx) -> None:
    """Register accessible markup."""
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    app.connect("html-page-context", amend, priority=900)  # when the theme has made its side bar
