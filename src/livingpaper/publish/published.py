"""What a published site says of itself, or the folder of a chapter that was run again: figures, claims, files."""

import json
from functools import cached_property
from pathlib import Path, PurePosixPath

import nbformat

from livingpaper import settings
from livingpaper.build import stamp, words
from livingpaper.errors import InputError, PaperError, nearest
from livingpaper.files import sha256
from livingpaper.publish import citation
from livingpaper.say import figures

INDEX, CLAIMS, RUN = "figures/index.json", "claims.json", "run.json"


class Published:
    """A folder of finished pages with the files that stand behind them."""

    chapter: str | None = None  #: the only one that it has, if it is no whole book

    def __init__(self, folder: Path):
        self.folder = folder
        self._digests = stamp.read(folder).get("files", {})
        self.figures = {figure["id"]: figure for figure in self._json(INDEX)["figures"]}
        for id in self.figures:  # it is part of a path, and somebody else may have made the site
            figures.check_id(id, "fig", "tab", what=f"{folder / INDEX}: the")

    @classmethod
    def find(cls, folder: Path) -> "Published":
        """The site in a folder, or at most two folders below it, as in ``_build`` or in a bundle."""
        found = [path for level in ("", "*/", "*/*/") for path in sorted(folder.glob(f"{level}{INDEX}"))]
        if not found:
            raise InputError(f"there is no built site in {folder}: give the folder that has {INDEX}")
        if found[0].parents[1] != folder and len(found) > 1:
            names = ", ".join(str(path.parents[1]) for path in found)
            raise InputError(f"there are several sites in {folder}: give one of {names}")
        return cls(found[0].parents[1])

    @property
    def claims(self) -> dict[str, dict]:
        """The claims by id."""
        return {claim["id"]: claim for claim in self._json(CLAIMS)["claims"]}

    def of(self, kind: str, chapter: str | None = None) -> dict[str, dict]:
        """Its ``figures``, ``claims`` or ``runs``, or those of one chapter."""
        found = getattr(self, kind)
        if chapter is None or self.chapter:
            return found
        return {name: one for name, one in found.items() if chapter == _chapter_of(one)}

    @property
    def runs(self) -> dict[str, dict]:
        """The record of each chapter's run, where there is one."""
        found = [record["run"] for record in map(self.provenance, self.figures) if record["run"]]
        return {run["chapter"]: run for run in found}

    def provenance(self, id: str) -> dict:
        """How a figure or table was made."""
        return self._json(f"figures/{id}.json")

    def data(self, id: str) -> bytes:
        """The CSV file of a figure or table."""
        return self._bytes(f"figures/{id}.csv")

    def citation(self, id: str | None, kind: str) -> str:
        """How to cite a figure or table, or the book if ``id`` is ``None``, as the pages show it."""
        stem = f"figures/{id}" if id else citation.BOOK
        path = f"{stem}.{citation.FORMATS[kind]}"
        if not (self.folder / path).is_file():
            raise PaperError(
                f"{self.folder} has no {path}: it was built without CITATION.cff, or before there were any"
            )
        return self._bytes(path).decode()

    def known(self, id: str) -> str:
        """The id, or an error that names the nearest one."""
        if id not in self.figures:
            hint = nearest(id, self.figures, f"`{settings.read().command} figures` lists them")
            raise InputError(f"there is no figure or table {id!r}: {hint}")
        return id

    def _bytes(self, path: str) -> bytes:
        try:
            content = (self.folder / path).read_bytes()
        except OSError as error:
            raise PaperError(f"cannot read {self.folder / path}: {error.strerror}: build the site again") from None
        if sha256(content) != self._digests.get(path, sha256(content)):
            raise PaperError(f"{self.folder / path} is not as it was published: build the site again")
        return content

    def _json(self, path: str) -> dict:
        try:
            return json.loads(self._bytes(path))
        except ValueError as error:
            raise PaperError(f"{self.folder / path} is damaged ({error}): build the site again") from None


class Rerun(Published):
    """The folder of one chapter that was run again; its words are those of the notebook, with the numbers in them."""

    def __init__(self, folder: Path):
        self.folder, self._digests = folder, {}
        self._run = self._json(RUN)
        self.chapter = self._run["chapter"]

    @cached_property
    def figures(self) -> dict[str, dict]:
        """The figures and tables by id."""
        try:
            notebook = nbformat.reads(self._bytes(f"{self.chapter}.ipynb").decode(), as_version=4)
            shown = words.joined(notebook)
        except (ValueError, nbformat.ValidationError) as error:
            raise PaperError(
                f"{self.folder / self.chapter}.ipynb is damaged ({error}): run the chapter again"
            ) from None
        for id in shown:
            figures.check_id(id, "fig", "tab", "claim", what=f"{self.folder}: the")
        return {
            id: {name: entry[name] for name in ("kind", "caption", "alt")}
            | {"files": {f"{id}.{suffix}": sha256(content) for suffix, content in figures.contents(entry).items()}}
            for id, entry in shown.items()
            if "files" in entry
        }

    @property
    def runs(self) -> dict[str, dict]:
        """The record of its run."""
        return {self.chapter: self._run}


def find(folder: Path) -> Published:
    """What is in a folder: a chapter that was run again, or a site."""
    return Rerun(folder) if (folder / RUN).is_file() and not (folder / INDEX).exists() else Published.find(folder)


def _chapter_of(entry: dict) -> str:
    return entry["chapter"] if "chapter" in entry else PurePosixPath(entry["page"].partition("#")[0]).stem
