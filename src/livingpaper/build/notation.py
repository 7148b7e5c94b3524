"""The symbols of the book, from ``notation.yml``: how each is written, what it means, where it is introduced."""

import functools
from dataclasses import dataclass, fields
from pathlib import Path

from livingpaper import settings, yaml_files
from livingpaper.errors import InputError

FILE = "notation.yml"
RELATIONS = ("=", r"\sim", r"\approx", r"\in")  # what may follow a symbol in the formula that introduces it


@dataclass(frozen=True)
class Symbol:
    """A symbol and its meaning: in all chapters, or in those that ``only`` names."""

    id: str
    tex: tuple[str, ...]
    meaning: str
    defined: str
    only: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Where the table of notation has it."""
        return f"symbol-{self.id}"

    def is_in(self, formula: str, chapter: str) -> bool:
        """Whether a formula of a chapter is the symbol, alone or followed by a relation."""
        if self.only and chapter not in self.only:
            return False
        starts = (formula.strip().removeprefix(tex).lstrip() for tex in self.tex if formula.strip().startswith(tex))
        return any(not rest or rest.startswith(RELATIONS) for rest in starts)


@functools.cache
def read(root: Path) -> tuple[Symbol, ...]:
    """The symbols of the book below a folder; none, if it has no ``notation.yml``.

    Raises ``InputError`` naming the entry that is malformed, or stands twice, or means two things in one chapter.
    """
    path = root / settings.read(root).notation
    if not path.is_file():
        return ()
    entries = yaml_files.read(path) or []
    if not isinstance(entries, list):
        raise InputError(f"{path} holds a {type(entries).__name__}: it must be a list of symbols")
    symbols = tuple(map(_symbol, entries))
    seen: dict[str, Symbol] = {}
    for symbol in symbols:
        if seen.setdefault(symbol.id, symbol) is not symbol:
            raise InputError(f"{FILE}: the id {symbol.id!r} stands twice: rename one of the two")
        for other in seen.values():
            both = set(symbol.only) & set(other.only) if symbol.only and other.only else True
            if other is not symbol and both and set(symbol.tex) & set(other.tex):
                raise InputError(
                    f"{FILE}: {other.id} and {symbol.id} are written alike, and both hold in one chapter: say in "
                    "'only' which holds where"
                )
    return symbols


def _symbol(entry: object) -> Symbol:
    names = [field.name for field in fields(Symbol)]
    if not isinstance(entry, dict) or not {"id", "tex", "meaning", "defined"} <= set(entry) <= set(names):
        raise InputError(f"{FILE}: {entry!r} must have id, tex, meaning and defined, and may have only")
    lists = {name: entry.get(name, []) for name in ("tex", "only")}
    texts = {name: entry[name] for name in ("id", "meaning", "defined")}
    wrong = [name for name, value in texts.items() if not isinstance(value, str) or not value]
    wrong += [name for name, value in lists.items() if not isinstance(value, list) or not all(map(_text, value))]
    if wrong:
        raise InputError(f"{FILE}, {entry['id']}: {wrong[0]} is {entry[wrong[0]]!r}: tex and only are lists of texts")
    return Symbol(**texts, **{name: tuple(value) for name, value in lists.items()})


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
