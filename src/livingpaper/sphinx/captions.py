"""Captions and statements in words, as they read on the page: numbers in the place of the roles that fetch them."""

from collections.abc import Hashable

from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx

#: What is said of a claim, by the class of the paragraph that says it.
CLAIM = {"claim-statement": "statement", "claim-note": "note"}


def captions(app: Sphinx, docname: str) -> dict[str, str]:
    """The captions of a page's figures and tables by their ids; formulas stand between dollars."""
    return _in_words(app, docname, as_read(app.env.get_doctree(docname)))


def statements(app: Sphinx, docname: str) -> dict[tuple[str, str], str]:
    """The statements and notes of a page's claims, by the claim's id and ``statement`` or ``note``; likewise."""
    said = {
        (box["ids"][0], name): paragraph
        for box in app.env.get_doctree(docname).findall(nodes.admonition)
        if "claim" in box["classes"]
        for paragraph in box.findall(nodes.paragraph)
        for mark, name in CLAIM.items()
        if mark in paragraph["classes"]
    }
    return _in_words(app, docname, said)


def as_read(tree: nodes.document) -> dict[str, nodes.Element]:
    """The captions in a page's tree, whose references are not resolved yet."""
    shown = tree.findall(lambda node: isinstance(node, nodes.Element) and "published_id" in node)
    # a figure has a caption, a table a title
    return {
        node["published_id"]: next(child for child in node if isinstance(child, nodes.caption | nodes.title))
        for node in shown
    }


def _in_words(app: Sphinx, docname: str, texts: dict[Hashable, nodes.Element]) -> dict[Hashable, str]:
    small = new_document(docname, app.env.get_doctree(docname).settings)
    for key, text in texts.items():
        small += nodes.paragraph("", "", *(child.deepcopy() for child in text.children), text_of=key)
    app.env.apply_post_transforms(small, docname)
    return {paragraph["text_of"]: _words(paragraph) for paragraph in small.findall(nodes.paragraph)}


def _words(node: nodes.Node) -> str:
    if isinstance(node, nodes.math):
        return f"${node.astext().strip()}$"
    return "".join(map(_words, node.children)) if node.children else node.astext()
