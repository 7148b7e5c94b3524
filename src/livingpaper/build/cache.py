"""Executed notebooks, kept by the digest of what they depend on and checked by the digest of what they hold."""

import json
from dataclasses import dataclass
from pathlib import Path

import nbformat

from livingpaper.files import sha256, write_atomically
from livingpaper.sweep.store import digest


@dataclass(frozen=True)
class Entry:
    """An executed notebook, what its outputs depend on, and the record of its run."""

    notebook: nbformat.NotebookNode
    parts: dict
    run: dict


class NotebookCache:
    """A folder of executed notebooks.

    An entry is a folder ``<key>``. In it ``entry.json``, which carries its own digest, holds what the outputs depend
    on, the record of the run and the digest of the notebook; that is the name of the notebook's file.
    """

    def __init__(self, folder: Path):
        self._folder = folder / "notebooks"

    @staticmethod
    def key(chapter: str, parts: dict) -> str:
        """The name of the entry for a chapter whose outputs depend on ``parts``."""
        return digest([chapter, parts])[:32]

    def __contains__(self, key: str) -> bool:
        """Whether there is an entry, damaged or not."""
        return (self._folder / key / "entry.json").exists()

    def mark(self) -> None:
        """Tell backup programs that this is a cache, and find out before hours of work whether it can be written."""
        write_atomically(self._folder.parent / "CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55\n")

    def load(self, key: str) -> Entry | None:
        """The entry, if it is there and undamaged."""
        about = self._about(key)
        if about is None or self.key(about["run"]["chapter"], about["parts"]) != key:
            return None
        try:
            content = (self._folder / key / f"{about['notebook']}.ipynb").read_bytes()
        except OSError:
            return None
        if sha256(content) != about["notebook"]:
            return None
        try:
            notebook = nbformat.reads(content.decode(), as_version=4)
        except (ValueError, nbformat.ValidationError):  # whole, and yet no notebook
            return None
        return Entry(notebook, about["parts"], about["run"])

    def save(self, key: str, entry: Entry) -> None:
        """Keep an entry, in place of one that was there."""
        content = nbformat.writes(entry.notebook).encode()
        about = {"parts": entry.parts, "run": entry.run, "notebook": sha256(content)}
        path, notebook = self._folder / key / "entry.json", self._folder / key / f"{about['notebook']}.ipynb"
        # The notebook first: at every moment entry.json names one that is there, the old or the new.
        write_atomically(notebook, content)
        write_atomically(path, json.dumps(about | {"sha256": digest(about)}, indent=1, sort_keys=True).encode())
        for other in path.parent.iterdir():
            if other not in (path, notebook):
                other.unlink(missing_ok=True)

    def nearest(self, chapter: str, variant: str) -> dict | None:
        """The parts of the last run of a chapter, of the same variant if there is one: what to compare with."""
        entries = [self._about(path.parent.name) for path in self._folder.glob("*/entry.json")]
        runs = [
            (about["run"]["variant"] == variant, about["run"]["started"], about["parts"])
            for about in entries
            if about is not None and about["run"]["chapter"] == chapter
        ]
        return max(runs, key=lambda run: run[:2])[2] if runs else None

    def _about(self, key: str) -> dict | None:
        """What ``entry.json`` says, if it says it undamaged."""
        try:
            about = json.loads((self._folder / key / "entry.json").read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(about, dict) or about.pop("sha256", None) != digest(about):
            return None
        return about
