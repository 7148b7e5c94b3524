"""The table of notation, and the meaning of a symbol or term at its first use in a chapter."""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from livingpaper import settings
from livingpaper.build import notation
from livingpaper.errors import InputError
from livingpaper.sphinx.references import reference
from livingpaper.sphinx.tables import table, text

#: Where a first use is not marked: in what is read apart from the text, or leads somewhere else.
APART = (nodes.title, nodes.reference, nodes.caption, nodes.legend, nodes.table, nodes.literal, nodes.literal_block,
         nodes.raw, addnodes.pending_xref)  # fmt: skip


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
        header = ["symbol", "meaning", "introduced in"]
        grid = table([text(title) for title in header], [self._row(symbol) for symbol in symbols])
        return [nodes.container("", grid, classes=["symbols"])]

    def _row(self, symbol: notation.Symbol) -> list[list[nodes.Node]]:
        shown: list[nodes.Node] = [nodes.target("", "", ids=[symbol.anchor])]
        for position, tex in enumerate(symbol.tex):
            shown += [nodes.Text(", " if position else ""), nodes.math(tex, tex)]
        chapter = reference(self.env, "std:ref", f"chapter-{symbol.defined}")
        return [shown, text(symbol.meaning), [chapter]]


class MarkFirstUses(SphinxPostTransform):
    """Mark the first use of each symbol and each term of the glossary in a chapter."""

    # after the references are resolved, so that no word inside of a link is taken
    default_priority = 12
    formats = ("html",)

    def run(self, **kwargs) -> None:
        page = self.env.docname
        if not str(self.env.doc2path(page)).endswith(".ipynb"):
            return
        root = Path(self.env.srcdir)
        left = list(notation.read(root))
        # the page with the table lies beside the file of the symbols and has its name
        table_page = settings.read(root).notation.rpartition(".")[0]
        for formula in self._running(nodes.math):
            found = next((symbol for symbol in left if symbol.is_in(formula.astext(), page.rpartition("/")[2])), None)
            if found:
                left.remove(found)
                address = self._uri(table_page, found.anchor)
                self._mark(formula, found.id, address, found.meaning, _spoken(formula.astext()))
        terms = self._terms()
        for words in self._running(nodes.Text):
            self._mark_terms(words, terms)

    def _running(self, kind: type) -> list:
        """What stands in running text, in reading order."""
        return [node for node in self.document.findall(kind) if _is_running(node)]

    def _terms(self) -> dict[str, tuple[str, str]]:
        """Address of each term and the first paragraph of its definition; long terms first, they contain short ones."""
        terms = self.env.get_domain("std").objects
        places = {name: place for (kind, name), place in terms.items() if kind == "term"}
        meanings: dict[str, str] = {}
        for docname in {docname for docname, _ in places.values()}:
            for item in self.env.get_doctree(docname).findall(nodes.definition_list_item):
                words = " ".join(item.next_node(nodes.paragraph).astext().split())
                meanings |= {id: words for term in item.findall(nodes.term) for id in term["ids"]}
        found = {
            name: (self._uri(docname, id), meanings[id]) for name, (docname, id) in places.items() if id in meanings
        }
        return dict(sorted(found.items(), key=lambda item: -len(item[0])))

    def _mark_terms(self, words: nodes.Text, terms: dict[str, tuple[str, str]]) -> None:
        for name in list(terms):
            if match := re.search(
                rf"(?<![\w-]){re.escape(name)}(?![\w-])", words, re.IGNORECASE if name.islower() else 0
            ):
                uri, meaning = terms.pop(name)
                before, after = nodes.Text(words[: match.start()]), nodes.Text(words[match.end() :])
                used = nodes.Text(match.group())
                words.parent.replace(words, [before, used, after])
                self._mark(used, re.sub(r"\W+", "-", name.lower()), uri, meaning)
                self._mark_terms(before, terms)
                self._mark_terms(after, terms)
                return

    def _mark(self, node: nodes.Node, id: str, uri: str, meaning: str, spoken: str = "") -> None:
        marked = Meaning(uri=uri, meaning=meaning, meaning_id=f"meaning-{id}", spoken=spoken)
        node.parent.replace(node, marked)
        marked += node

    def _uri(self, docname: str, anchor: str) -> str:
        builder = self.app.builder
        return f"{relative_uri(builder.get_target_uri(self.env.docname), builder.get_target_uri(docname))}#{anchor}"


def _is_running(node: nodes.Node) -> bool:
    parents = list(_parents(node))
    return (
        any(isinstance(parent, nodes.paragraph) for parent in parents)
        and not any(isinstance(parent, APART) for parent in parents)
        and not any({"claim", "figure-links", "cell_output"} & set(parent.get("classes", ())) for parent in parents)
    )


def _parents(node: nodes.Node) -> Iterator[nodes.Element]:
    while (node := node.parent) is not None:
        yield node


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
