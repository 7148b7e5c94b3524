"""Definitions, theorems and conjectures: which claims are about each, below it; and the page that lists them all."""

from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from livingpaper.sphinx.catalogue import chapter_section, tree
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.ledger import verdicts_about
from livingpaper.sphinx.references import copied, reference


class UniqueIds(SphinxTransform):
    """Number the id that the text of every theorem has, and that of every exercise: an id stands once in a page."""

    default_priority = 500

    def apply(self, **kwargs) -> None:
        for name in ("proof-content", "exercise-content"):
            alike = [section for section in self.document.findall(nodes.section) if section["ids"] == [name]]
            for number, section in enumerate(alike, start=1):
                section["ids"] = [f"{name}-{number}"]


class NameClaims(SphinxPostTransform):
    """Name below each statement the claims about it."""

    default_priority = 3

    def run(self, **kwargs) -> None:
        for statement in _statements(self.document):
            for line in verdicts_about(self.app, statement):
                line.insert(0, nodes.Text("Claims about this: "))
                statement += line


@fills("statement-index", directive=True)
def index(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """All numbered statements of the book, by chapter, each with the verdicts of the claims about it."""
    chapters = {name: _statements(tree(app.env, name)) for name in app.env.get_domain("paper").pages()}
    sections = [
        chapter_section(app, name, "statements", nodes.bullet_list("", *(_item(app, one) for one in statements)))
        for name, statements in chapters.items()
        if statements
    ]
    return sections or [nodes.paragraph("", "The book states nothing formally yet.")]


def _item(app: Sphinx, statement: nodes.Element) -> nodes.list_item:
    number = reference(app.env, "prf:ref", statement["label"])
    title = copied(app.env, statement[0].children)
    line = nodes.paragraph("", "", number, nodes.Text(" "), *title)
    return nodes.list_item("", line, *verdicts_about(app, statement))


def _statements(tree: nodes.document) -> list[nodes.Element]:
    """The statements of a page that have a label; a proof has none."""
    return [
        node
        for node in tree.findall(nodes.Element)
        if node.get("label") and "proof" in node.get("classes", ()) and isinstance(node[0], nodes.title)
    ]


def setup(app: Sphinx) -> None:
    """Register what is done to statements."""
    app.add_transform(UniqueIds)
    app.add_post_transform(NameClaims)
