"""Captions in words, as they read on the page: numbers and references in the place of the roles that fetch them."""

from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx


def captions(app: Sphinx, docname: str) -> dict[str, str]:
    """The captions of a page's figures and tables by their ids; formulas stand between dollars."""
    tree = app.env.get_doctree(docname)
    small = new_document(docname, tree.settings)
    for id, caption in as_read(tree).items():
        small += nodes.paragraph("", "", *(child.deepcopy() for child in caption.children), caption_of=id)
    app.env.apply_post_transforms(small, docname)
    return {paragraph["caption_of"]: _words(paragraph) for paragraph in small.findall(nodes.paragraph)}


def as_read(tree: nodes.document) -> dict[str, nodes.Element]:
    """The captions in a page's tree, whose references are not resolved yet."""
    shown = tree.findall(lambda node: isinstance(node, nodes.Element) and "published_id" in node)
    # a figure has a caption, a table a title
    return {
        node["published_id"]: next(child for child in node if isinstance(child, nodes.caption | nodes.title))
        for node in shown
    }


def _words(node: nodes.Node) -> str:
    if isinstance(node, nodes.math):
        return f"${node.astext().strip()}$"
    return "".join(map(_words, node.children)) if node.children else node.astext()
