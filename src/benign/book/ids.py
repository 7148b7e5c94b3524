"""The ids of figures, tables and claims that were ever published: an address, once given, stays good.

``ids.yml`` beside the table of contents lists them under ``published``, by the chapter in which they first stood.
An id that gave way to another has a line ``old: new`` under ``renamed``. Where a figure or claim has moved to, its old
places lead there: the anchor in its first chapter, and the files below ``figures/``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import yaml

from benign.errors import InputError

FILE = "ids.yml"
_EXAMPLE = "published: {phenomenon: [fig-digits]}, renamed: {fig-old: fig-digits}"


@dataclass(frozen=True)
class Ids:
    """Published ids, each with the chapter in which it first stood, and the new ids of those that were renamed."""

    chapters: dict[str, str]
    renamed: dict[str, str]

    def now(self, id: str) -> str:
        """The id that an id has become."""
        seen = [id]
        while seen[-1] in self.renamed:
            seen.append(self.renamed[seen[-1]])
            if len(set(seen)) < len(seen):
                raise InputError(f"{FILE}: {' → '.join(seen)}: ids renamed in a circle lead nowhere")
        return seen[-1]

    def lost(self, present: Collection[str], chapters: Collection[str]) -> list[str]:
        """What of the published addresses leads nowhere in a book with these ids and chapters, in words."""
        said = [
            f"the chapter {chapter}, which published ids, is gone: keep a page of that name, it leads to where they are"
            for chapter in dict.fromkeys(self.chapters.values())
            if chapter not in chapters
        ]
        for id, chapter in self.chapters.items():
            new = self.now(id)
            if id in present and new != id:
                said.append(f"{id} is in the book, though {FILE} has it renamed to {new}: take that line away")
            elif new not in present:
                fate = "is gone" if new == id else f"has become {new}, which is not there"
                said.append(f"{id}, published in {chapter}, {fate}: name its successor under 'renamed' in {FILE}")
        return said


def read(root: Path) -> Ids:
    """The ids in a book's ``ids.yml``; none, if it has no such file.

    Raises ``InputError`` when the file is not of the form that the module describes.
    """
    path = root / FILE
    if not path.is_file():
        return Ids({}, {})
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        published, renamed = content.pop("published", None) or {}, content.pop("renamed", None) or {}
        chapters = [(id, chapter) for chapter, ids in published.items() for id in ids]
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise InputError(f"cannot read {path}: {error}; write {_EXAMPLE}") from None
    if content:
        raise InputError(f"{path} has {min(content)!r}: it takes 'published' and 'renamed', as in {_EXAMPLE}")
    if twice := {id for id, _ in chapters if [other for other, _ in chapters].count(id) > 1}:
        raise InputError(f"{path}: {min(twice)!r} stands there twice: an id was first published in one chapter")
    if unknown := renamed.keys() - dict(chapters).keys():
        raise InputError(f"{path}: {min(unknown)!r} is renamed but was never published: list it under 'published' too")
    return Ids(dict(chapters), renamed)
