"""The files that a book's code reads: those that ``data`` in ``[tool.livingpaper]`` names, and what they hold."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from livingpaper.errors import InputError
from livingpaper.files import cache_folder, inside, sha256
from livingpaper.settings import TABLE


def digests(root: Path, patterns: Iterable[str]) -> dict[str, str]:
    """The digests of the files that the patterns name, by path relative to the root; hidden files count.

    Raises:
        InputError: a pattern that names nothing, or something outside of the book.
    """
    found = {name: path for pattern in patterns for name, path in _matching(root, pattern)}
    return {name: sha256(found[name].read_bytes()) for name in sorted(found)}


def listed(root: Path, patterns: Iterable[str]) -> set[Path]:
    """The folders of which every new file can count, so that code may go by what is in them."""
    split = (Path(pattern).parts for pattern in patterns)
    above = {
        parts[:place] for parts in split for place, part in enumerate(parts) if any(sign in part for sign in "*?[")
    }
    return {folder for parts in above for folder in _below(root, "/".join(parts)) if folder.is_dir()}


def _matching(root: Path, pattern: str) -> Iterator[tuple[str, Path]]:
    where, made = f"{root / 'pyproject.toml'}: [{TABLE}] data", (root / "_build", cache_folder(root).absolute())
    inside(root, pattern, where)
    paths = [path for path in _below(root, pattern) if path.is_file() and not any(map(path.is_relative_to, made))]
    if not paths:
        raise InputError(f"{where} names {pattern!r}, which is no file: correct the pattern, or take it out")
    for path in paths:
        name = path.relative_to(root).as_posix()
        yield name, inside(root, name, where)


def _below(root: Path, pattern: str) -> Iterable[Path]:
    return root.glob(pattern) if pattern else [root]
