"""Executed notebooks, kept by the digest of what they depend on and checked by the digest of what they hold."""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat

from benign.files import cannot_write, sha256
from benign.sweep.store import digest


@dataclass(frozen=True)
class Entry:
    """An executed notebook, what its outputs depend on, and the record of its run."""

    notebook: nbformat.NotebookNode
    parts: dict
    run: dict


class NotebookCache:
    """The folder of executed notebooks; an entry is a folder ``<key>`` with ``notebook.ipynb`` and ``entry.json``."""

    def __init__(self, folder: Path):
        self._folder = folder / "notebooks"

    @staticmethod
    def key(chapter: str, parts: dict) -> str:
        """The name of the entry for a chapter whose outputs depend on ``parts``."""
        return digest([chapter, parts])[:32]

    def load(self, key: str) -> Entry | None:
        """The entry, if it is there and undamaged."""
        try:
            content = (self._folder / key / "notebook.ipynb").read_bytes()
            about = json.loads((self._folder / key / "entry.json").read_bytes())
            if sha256(content) != about["sha256"] or self.key(about["run"]["chapter"], about["parts"]) != key:
                return None
            return Entry(nbformat.reads(content.decode(), as_version=4), about["parts"], about["run"])
        except (OSError, ValueError, KeyError):
            return None

    def save(self, key: str, entry: Entry) -> None:
        """Keep an entry, in place of one that was there (and is damaged, or it would have been served)."""
        content = nbformat.writes(entry.notebook).encode()
        about = {"parts": entry.parts, "run": entry.run, "sha256": sha256(content)}
        temporary = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=self._folder, prefix=".new-"))
            (temporary / "notebook.ipynb").write_bytes(content)
            (temporary / "entry.json").write_text(json.dumps(about, indent=1, sort_keys=True))
            shutil.rmtree(self._folder / key, ignore_errors=True)
            os.replace(temporary, self._folder / key)
        except OSError as error:
            if temporary:
                shutil.rmtree(temporary, ignore_errors=True)
            raise cannot_write(self._folder / key, error) from error

    def nearest(self, chapter: str, variant: str) -> dict | None:
        """The parts of the last run of a chapter, of the same variant if there is one: what to compare with."""
        runs = []
        for path in self._folder.glob("*/entry.json"):
            try:
                about = json.loads(path.read_bytes())
                if about["run"]["chapter"] == chapter:
                    runs.append((about["run"]["variant"] == variant, about["run"]["started"], about["parts"]))
            except (OSError, ValueError, KeyError):
                continue
        return max(runs, key=lambda run: run[:2])[2] if runs else None
