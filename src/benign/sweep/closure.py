"""Which source files a piece of code depends on, read from its import statements without running it."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from benign import __file__ as _init
from benign.files import sha256

PACKAGE = Path(_init).parent


def of_modules(modules: Iterable[str]) -> dict[str, str]:
    """The digests of all files of the package that importing ``modules`` runs, by path relative to the package."""
    waiting, found = _with_parents(modules), {}
    while waiting:
        path = _file(waiting.pop())
        if path is None or path in found:
            continue
        content = path.read_bytes()
        found[path] = sha256(content)
        waiting += _imported(content)
    return {str(path.relative_to(PACKAGE.parent)): found[path] for path in sorted(found)}


def of_source(source: str) -> dict[str, str]:
    """The digests of all files of the package that running ``source`` imports."""
    return of_modules(imports(ast.parse(source)))


def imports(tree: ast.AST) -> list[str]:
    """The modules of this package that a syntax tree imports, wherever in it, with their parent packages.

    Relative imports are not read: ruff forbids them in the package, and a notebook has none.
    """
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from package import name`: the name may be a module or something defined in the package
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return _with_parents(names)


def _with_parents(modules: Iterable[str]) -> list[str]:
    """Those of the modules that are of this package, and the packages that they are in."""
    ours = [name.split(".") for name in modules if name.split(".")[0] == PACKAGE.name]
    return sorted({".".join(parts[:depth]) for parts in ours for depth in range(1, len(parts) + 1)})


@cache
def _imported(content: bytes) -> list[str]:
    return imports(ast.parse(content))


def _file(module: str) -> Path | None:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)
