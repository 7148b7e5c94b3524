"""The table of notation, and the meaning of a symbol or term at its first use in a chapter."""

import re
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from livingpaper import settings
from livingpaper.build import notation
from livingpaper.errors import InputError
from livingpaper.sphinx.references import address, joined, reference
from livingpaper.sphinx.tables import Cell, boxed

#: Where a first use is not marked: in what is read apart from the text, or leads somewhere else.
APART = (nodes.title, nodes.reference, nodes.caption, nodes.legend, nodes.table, nodes.literal, nodes.literal_block,
         nodes.raw, addnodes.pending_xref)  # fmt: skip
APART_CLASSES = {"claim", "figure-links", "cell_output"}


class Meaning(nodes.Inline, nodes.Element):
    """A word or formula, the link ``uri`` to where it is explained, and its ``meaning`` with an id of its own."""


class NotationTable(SphinxDirective):
    """All symbols with their meaning and the chapter that introduces them."""

    def run(self) -> list[nodes.Node]:
        try:
            symbols = notation.read(Path(self.env.srcdir))
        except InputError as error:
            raise self.error(str(error)) from None
        self.env.note_dependency(settings.read(Path(self.env.srcdir)).notation)
        rows = [self._row(symbol) for symbol in symbols]
        return [boxed("symbols", ["symbol", "meaning", "introduced in"], rows)]

    def _row(self, symbol: notation.Symbol) -> list[Cell]:
        written = joined([nodes.math(tex, tex)] for tex in symbol.tex)
        chapter = reference(self.env, "std:ref", f"chapter-{symbol.defined}")
        return [[nodes.target("", "", ids=[symbol.anchor]), *written], symbol.meaning, [chapter]]


class MarkFirstUses(SphinxPostTransform):
    """Mark the first use of each symbol and each term of the glossary in a chapter."""

    # after the references are resolved, so that no word inside of a link is taken
    default_priority = 12
    formats = ("html",)

    def run(self, **kwargs) -> None:
        page = self.env.docname
        if not str(self.env.doc2path(page)).endswith(".ipynb"):
            return
        left = list(notation.read(Path(self.env.srcdir)))
        # the page with the table lies beside the file of the symbols and has its name
        table_page = settings.read(Path(self.env.srcdir)).notation.rpartition(".")[0]
        for formula in self._running(nodes.math):
            found = next((symbol for symbol in left if symbol.is_in(formula.astext(), page.rpartition("/")[2])), None)
            if found:
                left.remove(found)
                self._mark(formula, found.id, (table_page, found.anchor), found.meaning, _spoken(formula.astext()))
        terms = dict(_terms(self.env))
        for words in self._running(nodes.Text):
            self._mark_terms(words, terms)

    def _running(self, kind: type) -> list:
        """What stands in running text, in reading order."""
        return [node for node in self.document.findall(kind) if _is_running(node)]

    def _mark_terms(self, words: nodes.Text, terms: dict[str, tuple[str, str]]) -> None:
        for name in list(terms):
            if match := re.search(
                rf"(?<![\w-]){re.escape(name)}(?![\w-])", words, re.IGNORECASE if name.islower() else 0
            ):
                place, meaning = terms.pop(name)
                before, after = nodes.Text(words[: match.start()]), nodes.Text(words[match.end() :])
                used = nodes.Text(match.group())
                words.parent.replace(words, [before, used, after])
                self._mark(used, re.sub(r"\W+", "-", name.lower()), place, meaning)
                self._mark_terms(before, terms)
                self._mark_terms(after, terms)
                return

    def _mark(self, node: nodes.Node, id: str, place: tuple[str, str], meaning: str, spoken: str = "") -> None:
        docname, anchor = place
        uri = address(self.app, f"{self.app.builder.get_target_uri(docname)}#{anchor}")
        marked = Meaning(uri=uri, meaning=meaning, meaning_id=f"meaning-{id}", spoken=spoken)
        node.parent.replace(node, marked)
        marked += node


@cache
def _terms(env: BuildEnvironment) -> dict[str, tuple[tuple[str, str], str]]:
    """The place of each term and the first paragraph of its definition; long terms first, they contain short ones."""
    places = {name: place for (kind, name), place in env.get_domain("std").objects.items() if kind == "term"}
    meanings: dict[str, str] = {}
    for docname in {docname for docname, _ in places.values()}:
        for item in env.get_doctree(docname).findall(nodes.definition_list_item):
            words = " ".join(item.next_node(nodes.paragraph).astext().split())
            meanings |= {id: words for term in item.findall(nodes.term) for id in term["ids"]}
    found = {name: (place, meanings[place[1]]) for name, place in places.items() if place[1] in meanings}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _is_running(node: nodes.Node) -> bool:
    inside_of_paragraph = False
    while (node := node.parent) is not None:
        if isinstance(node, APART) or not APART_CLASSES.isdisjoint(node.get("classes", ())):
            return False
        inside_of_paragraph = inside_of_paragraph or isinstance(node, nodes.paragraph)
    return inside_of_paragraph


def _spoken(formula: str) -> str:
    """A short formula as words: a typeset one is a drawing, which names no link."""
    lengths = re.sub(r"\\\|(.*?)\\\|", r"norm of \1", formula)
    return " ".join(re.sub(r"[\\{}_^$]", " ", lengths).split())


def visit_meaning(translator, node: Meaning) -> None:
    id = escape(node["meaning_id"])
    label = f' aria-label="{escape(node["spoken"])}"' if node["spoken"] else ""
    translator.body.append(
        f'<span class="meaning"><a class="meaning-of" href="{escape(node["uri"])}" aria-describedby="{id}"{label}>'
    )


def depart_meaning(translator, node: Meaning) -> None:
    id, meaning = escape(node["meaning_id"]), escape(node["meaning"])
    translator.body.append(f'</a><span class="meaning-text" id="{id}" role="tooltip" hidden>{meaning}</span></span>')


def setup(app: Sphinx) -> None:
    """Register the table of notation and the marks in chapters."""
    app.add_css_file("css/tooltips.css", priority=800)
    app.add_js_file("js/tooltips.js", priority=800)
    app.add_node(Meaning, html=(visit_meaning, depart_meaning))
    app.add_directive("notation-table", NotationTable)
    app.add_post_transform(MarkFirstUses)
