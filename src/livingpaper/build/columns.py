"""What the columns of the published tables mean, from ``columns.yml`` beside the book's symbols."""

import csv
import functools
import io
from collections.abc import Iterable
from pathlib import Path

from livingpaper import settings, yaml_files
from livingpaper.errors import InputError

EVERYWHERE = "everywhere"


def file(root: Path) -> str:
    """Where the book says what its columns mean, relative to its root."""
    return Path(settings.read(root).notation).with_name("columns.yml").as_posix()


@functools.cache
def read(root: Path) -> dict[str, dict[str, str]]:
    """The meanings by column, those of each place: the id of a figure or table, an experiment, or ``everywhere``.

    Raises:
        InputError: a file that maps something else, or says twice what a column means in one place.
    """
    path = root / file(root)
    found: dict[str, dict[str, str]] = {}
    for places, meanings in (yaml_files.read_names(path) if path.is_file() else {}).items():
        wrong = [meanings] if not isinstance(meanings, dict) else [m for m in meanings.values() if not _says(m)]
        if wrong:
            raise InputError(f"{path}, {places}: {wrong[0]!r} is no meaning: write column: meaning, both texts")
        for place in places.split():
            if twice := found.setdefault(place, {}).keys() & meanings.keys():
                raise InputError(f"{path}: {min(twice)} of {place} stands twice: keep one of the two")
            found[place] |= meanings
    return found


def described(root: Path, place: str, names: Iterable[str]) -> list[dict[str, str]]:
    """The columns of a table in their order, each with its name and what it means there; nothing, where nobody says."""
    meanings = read(root).get(EVERYWHERE, {}) | read(root).get(place, {})
    return [{"name": name, "meaning": meanings.get(name, "")} for name in names]


def names(table: bytes) -> list[str]:
    """The columns of a table in CSV."""
    return next(csv.reader(io.StringIO(table.decode("utf-8-sig"))))


def _says(meaning: object) -> bool:
    return isinstance(meaning, str) and bool(meaning.strip())
