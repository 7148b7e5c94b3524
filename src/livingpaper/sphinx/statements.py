"""Definitions, theorems and conjectures: which claims are about each, below it; and the page that lists them all."""

from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from livingpaper.sphinx.catalogue import chapter_title
from livingpaper.sphinx.glue import verdict_badge
from livingpaper.sphinx.later import Later, directive, fills
from livingpaper.sphinx.references import copied, link, reference


class UniqueIds(SphinxTransform):
    """Number the id that sphinx-proof gives the text of every theorem alike: an id stands once in a page."""

    default_priority = 500

    def apply(self, **kwargs) -> None:
        alike = [section for section in self.document.findall(nodes.section) if section["ids"] == ["proof-content"]]
        for number, section in enumerate(alike, start=1):
            section["ids"] = [f"proof-content-{number}"]


class NameClaims(SphinxPostTransform):
    """Name below each statement the claims about it."""

    default_priority = 3

    def run(self, **kwargs) -> None:
        for statement in _statements(self.document):
            if verdicts := _verdicts(self.app, statement):
                words = nodes.Text("Claims about this: ")
                statement += nodes.paragraph("", "", words, *verdicts, classes=["claims-about"])


@fills("statement-index")
def index(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """All numbered statements of the book, by chapter, each with the verdicts of the claims about it."""
    pages = app.env.get_domain("paper").pages()
    chapters = {docname: _statements(app.env.get_doctree(docname)) for docname in pages}
    sections = [
        nodes.section(
            "",
            nodes.title("", chapter_title(app.env, docname)),
            nodes.bullet_list("", *(_item(app, statement) for statement in statements)),
            ids=[f"statements-of-{docname.rpartition('/')[2]}"],
            names=[],
        )
        for docname, statements in chapters.items()
        if statements
    ]
    return sections or [nodes.paragraph("", "The book states nothing formally yet.")]


def _item(app: Sphinx, statement: nodes.Element) -> nodes.list_item:
    number = reference(app.env, "prf:ref", statement["label"])
    title = next(child for child in statement.children if isinstance(child, nodes.title))
    item = nodes.list_item("", nodes.paragraph("", "", number, nodes.Text(" "), *copied(app.env, title.children)))
    if verdicts := _verdicts(app, statement):
        item += nodes.paragraph("", "", *verdicts, classes=["claims-about"])
    return item


def _verdicts(app: Sphinx, statement: nodes.Element) -> list[nodes.Node]:
    catalogue = app.env.get_domain("paper")
    numbers = catalogue.claim_numbers()
    shown: list[nodes.Node] = []
    for claim in catalogue.in_reading_order("claims"):
        if claim["theorem"] == statement["label"]:
            shown += [nodes.Text(", ")] if shown else []
            shown.append(link(app, claim["docname"], claim["id"], f"Claim {numbers[claim['id']]}"))
            shown += [nodes.Text(" "), verdict_badge(claim["verdict"])]
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
    app.add_directive("statement-index", directive("statement-index"))
    app.add_transform(UniqueIds)
    app.add_post_transform(NameClaims)
