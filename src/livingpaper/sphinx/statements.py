"""Definitions, theorems and conjectures: which claims are about each, below it; and the page that lists them all."""

from collections.abc import Sequence

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from livingpaper.sphinx.catalogue import chapter_title
from livingpaper.sphinx.glue import verdict_badge


class Place(nodes.General, nodes.Element):
    """Stands where the list of statements goes."""


class StatementIndex(SphinxDirective):
    """All numbered statements of the book, by chapter, each with the verdicts of the claims about it."""

    def run(self) -> list[nodes.Node]:
        return [Place()]


class GatherStatements(SphinxPostTransform):
    """Name below each statement the claims about it, and list all statements where a page asks for them."""

    # before references are resolved, so that those in titles are resolved for the page that lists them
    default_priority = 3

    def run(self, **kwargs) -> None:
        catalogue = self.env.get_domain("paper")
        self.numbers = catalogue.claim_numbers()
        self.about: dict[str, list[dict]] = {}
        for claim in catalogue.in_reading_order("claims"):
            self.about.setdefault(claim["theorem"], []).append(claim)
        for statement in _statements(self.document):
            if claims := self.about.get(statement["label"]):
                words = nodes.Text("Claims about this: ")
                statement += nodes.paragraph("", "", words, *self._verdicts(claims), classes=["claims-about"])
        for place in list(self.document.findall(Place)):
            chapters = [(docname, _statements(self.env.get_doctree(docname))) for docname in catalogue.pages()]
            sections = [self._chapter(docname, statements) for docname, statements in chapters if statements]
            place.replace_self(sections or nodes.paragraph("", "The book states nothing formally yet."))
            if any(next(section.findall(nodes.math), None) for section in sections):
                self.env.get_domain("math").data["has_equations"][self.env.docname] = True

    def _chapter(self, docname: str, statements: Sequence[nodes.Element]) -> nodes.section:
        title = nodes.title("", chapter_title(self.env, docname))
        shown = nodes.bullet_list("", *map(self._item, statements))
        return nodes.section("", title, shown, ids=[f"statements-of-{docname.rpartition('/')[2]}"], names=[])

    def _item(self, statement: nodes.Element) -> nodes.list_item:
        number = addnodes.pending_xref(
            "", nodes.inline("", statement["label"]), refdomain="prf", reftype="ref", reftarget=statement["label"],
            refdoc=self.env.docname, refexplicit=False, refwarn=True,
        )  # fmt: skip
        title = next(child for child in statement.children if isinstance(child, nodes.title)).deepcopy()
        for reference in title.findall(addnodes.pending_xref):
            # an id is unique in its own page only, and nothing leads to this copy
            reference["refdoc"], reference["ids"] = self.env.docname, []
        item = nodes.list_item("", nodes.paragraph("", "", number, nodes.Text(" "), *title.children))
        if claims := self.about.get(statement["label"]):
            item += nodes.paragraph("", "", *self._verdicts(claims), classes=["claims-about"])
        return item

    def _verdicts(self, claims: Sequence[dict]) -> list[nodes.Node]:
        shown: list[nodes.Node] = []
        for claim in claims:
            words = nodes.Text(f"Claim {self.numbers[claim['id']]}")
            link = make_refnode(self.app.builder, self.env.docname, claim["docname"], claim["id"], words)
            shown += [nodes.Text(", ")] if shown else []
            shown += [link, nodes.Text(" "), verdict_badge(claim["verdict"])]
        return shown


def _statements(tree: nodes.document) -> list[nodes.Element]:
    """The statements of a page that have a label; a proof has none."""
    return [
        node
        for node in tree.findall(nodes.Element)
        if node.get("label") and "proof" in node.get("classes", ()) and isinstance(node[0], nodes.title)
    ]


def setup(app: Sphinx) -> None:
    """Register the list of statements."""
    app.add_node(Place)
    app.add_directive("statement-index", StatementIndex)
    app.add_post_transform(GatherStatements)
