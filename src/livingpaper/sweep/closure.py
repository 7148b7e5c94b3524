"""Which source files a piece of code depends on, read from its import statements without running it."""

import ast
from collections.abc import Collection, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from livingpaper.errors import InputError, PaperError
from livingpaper.files import sha256


def of_modules(modules: Iterable[str], packages: Collection[str] = (), beside: Path | None = None) -> dict[str, str]:
    """The digests of all files of some top-level packages that importing ``modules`` runs, by path.

    Without ``packages`` they are those that the modules are in. What lies in the folder ``beside`` counts too. Paths
    begin with the package.
    """
    waiting, seen = list(modules), set()
    packages = set(packages) or {name.split(".")[0] for name in waiting}
    found: dict[str, str] = {}
    while waiting:
        for module in _with_parents(waiting.pop()):
            if module in seen:
                continue
            seen.add(module)
            folder = home(module) if module.split(".")[0] in packages else beside
            path = folder and _file(folder, module)
            name = path and path.relative_to(folder).as_posix()
            if path is None or name in found:
                continue
            content = path.read_bytes()
            found[name] = source_digest(content)
            waiting += _imported(content, str(path), module if path.stem == "__init__" else module.rpartition(".")[0])
    return dict(sorted(found.items()))


def of_source(source: str, packages: Collection[str], beside: Path | None = None) -> dict[str, str]:
    """The digests of all files of some top-level packages, and of those ``beside``, that running ``source`` imports."""
    return of_modules(_imports(parsed(source, "the code")), packages, beside) if packages else {}


def parsed(source: str | bytes, where: str) -> ast.Module:
    """The syntax tree of a source; if it is not Python, the error says where."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:  # the last two: brackets without end
        line = f"line {error.lineno} of " if getattr(error, "lineno", None) else ""
        told = getattr(error, "msg", None) or str(error) or "too deep"
        raise InputError(f"{line}{where} is not plain Python: {told}") from None


def of_packages(packages: Iterable[str], pattern: str = "*.py") -> dict[str, str]:
    """The digests of all files of some top-level packages that match a pattern, by path; byte code is none of them."""
    return {name: digest for package in packages for name, digest in _below(home(package), package, pattern).items()}


def check_here(packages: Iterable[str], root: Path) -> None:
    """Refuse to compute for a book with the code of another checkout; a copy of the book's own is as good as that.

    Raises:
        PaperError: a package is in the folder of the book, and another one of its name is imported.
    """
    for package in (package for package in packages if home(package) is not None):
        folder = next((place for place in (root / "src", root) if _holds(place, package)), home(package))
        if folder.resolve() == home(package).resolve():
            continue
        ours, theirs = (_below(place, package, "*") for place in (folder, home(package)))
        # data need not be installed with it; code must
        wanted = {*theirs, *(name for name in ours if name.endswith(".py"))}
        if other := sorted(name for name in wanted if ours.get(name) != theirs.get(name)):
            raise PaperError(
                f"{other[0]} of this book, in {folder}, is not what Python imports, from {home(package)}: install the "
                f"book's own with `pip install --no-deps --editable {root}`, or put {folder} first in PYTHONPATH"
            )


def _holds(folder: Path, package: str) -> bool:
    return (folder / package / "__init__.py").is_file() or (folder / f"{package}.py").is_file()


def _below(folder: Path, package: str, pattern: str) -> dict[str, str]:
    """The digests of the files of a package in a folder, by path relative to that."""
    found = sorted((folder / package).rglob(pattern)) or [folder / f"{package}.py"]
    return {
        path.relative_to(folder).as_posix(): source_digest(path.read_bytes())
        for path in found
        if path.is_file() and "__pycache__" not in path.parts
    }


@cache
def home(module: str) -> Path | None:
    """The folder in which the top-level package of a module lies, None if it is not installed as files."""
    root = module.split(".")[0]
    if root == "__main__":
        return None  # a notebook or a script: its spec, if it has one, is that of what runs it
    try:
        spec = find_spec(root)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.has_location or not spec.origin:
        return None
    origin = Path(spec.origin)
    return origin.parents[1] if origin.name == "__init__.py" else origin.parent


def _imports(tree: ast.AST, package: str = "") -> list[str]:
    """The modules that a syntax tree imports, wherever in it; relative imports need to know its ``package``."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (package or not node.level):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            # `from package import name`: the name may be a module or something defined in the package
            names += [source, *(f"{source}.{alias.name}" for alias in node.names)]
    return names


def _with_parents(module: str) -> list[str]:
    """A module and the packages that it is in."""
    parts = module.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def source_digest(content: bytes) -> str:
    """The digest of a source, the same however its lines end: a checkout on Windows is no other code."""
    return sha256(content.replace(b"\r\n", b"\n"))


@cache
def _imported(content: bytes, path: str, package: str) -> list[str]:
    return _imports(parsed(content, path), package)


def _file(folder: Path, module: str) -> Path | None:
    path = folder.joinpath(*module.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)
