"""What of a chapter is only said, not computed: editing it must not execute anything.

Captions, descriptions and statements are literals in code cells, where an author wants them, but no number
depends on them. Keys leave them out, together with comments and formatting; a page takes them from the source.
"""

import ast
from collections.abc import Iterator

SPOKEN = {
    "Figure": ("caption", "alt"),
    "Table": ("caption",),
    "Claim": ("statement", "where", "note", "on_record", "theorem"),
}


def computed(source: str) -> str:
    """The code of a cell in a normal form that does not depend on comments, formatting and spoken literals."""
    tree = ast.parse(source)
    for _, keyword in _spoken(tree):
        keyword.value = ast.copy_location(ast.Constant("spoken"), keyword.value)
    return ast.unparse(tree)


def spoken(source: str) -> dict[str, dict[str, object]]:
    """The spoken literals of the figures, tables and claims that a cell makes, by their ids."""
    found: dict[str, dict[str, object]] = {}
    for identity, keyword in _spoken(ast.parse(source)):
        found.setdefault(identity, {})[keyword.arg] = keyword.value.value
    return found


def _spoken(tree: ast.AST) -> Iterator[tuple[str, ast.keyword]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in SPOKEN:
                # A computed text (an f-string) stays in the code: its value comes from the run. So does every text of
                # an object whose id is computed: a page could not tell to which object an edited one belongs.
                literals = {k.arg: k for k in node.keywords if isinstance(k.value, ast.Constant)}
                if "id" in literals:
                    identity = literals["id"].value.value
                    yield from ((identity, literals[arg]) for arg in SPOKEN[name] if arg in literals)
