"""Markup that assistive technology reads as it is meant, where docutils writes something else."""

import re
from collections.abc import Callable
from functools import cache, partial

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.viewcode import OUTPUT_DIRNAME
from sphinx.writers.html5 import HTML5Translator

SWITCH = "Show or hide the pages below"
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
        # on what is no page of the contents it is the same but for the way back, and made a hundred times
        kept = _kept(app, pagename.count("/")) if pagename.startswith(f"{OUTPUT_DIRNAME}/") else {}
        context["generate_toctree_html"] = partial(_toctree, kept, make)


def _plain(match: re.Match) -> str:
    lines = match[1].replace("<dd>", "<div>").replace("</dd>", "</div>")
    return f'<div class="sig-parameters">\n{lines}</div>'


@cache
def _kept(app: Sphinx, depth: int) -> dict[str, str]:
    """The side bars of pages so many folders down, as far as they were made."""
    return {}


def _toctree(kept: dict[str, str], make: Callable, *arguments: object, **options: object) -> object:
    if (call := f"{arguments}{options}") in kept:
        return kept[call]
    toctree = make(*arguments, **options)
    if "<summary>" not in str(toctree):
        return toctree
    return kept.setdefault(call, str(toctree).replace("<summary>", f'<summary aria-label="{SWITCH}">'))


def setup(app: Sphinx) -> None:
    """Register accessible markup."""
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    app.connect("html-page-context", amend, priority=900)  # when the theme has made its side bar
