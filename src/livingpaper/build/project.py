"""Where a book's files are: sources, presets, and what is made of them below ``_build``."""

import json
import re
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning
from pydantic import BaseModel, ConfigDict, PositiveFloat
from sphinx_external_toc.api import SiteMap
from sphinx_external_toc.parsing import MalformedError, parse_toc_data

from livingpaper import settings, yaml_files
from livingpaper.build import parameters
from livingpaper.errors import InputError, PaperError, nearest
from livingpaper.files import cache_folder, inside, project_root
from livingpaper.settings import Settings
from livingpaper.sweep.store import digest

#: Below _build, where a preset's site has the preset's name; and the name of the paper itself.
RESERVED = ("html", "stage", "cache", "runs", "verify", "published")
TIME_LIMIT = 3600.0  # seconds a chapter may take unless its preset says otherwise


class Preset(BaseModel):
    """What a file in ``presets`` says: the seconds that a chapter may take, and values of parameters by chapter."""

    model_config = ConfigDict(extra="forbid", strict=True)

    time_limit: PositiveFloat = TIME_LIMIT
    chapters: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Variant:
    """A choice of parameters for the whole book: the published one, a preset, or either with changes."""

    name: str
    preset: str | None
    overrides: dict[str, dict[str, object]]  #: by chapter; only what differs from the published values
    time_limit: float

    @property
    def published(self) -> bool:
        """Whether these are the published values."""
        return self.preset is None and not self.overrides


@dataclass(frozen=True)
class Project:
    """A book: a folder with ``_toc.yml``, its pages and chapters."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """The book in which the working directory (or ``start``) lies."""
        start = (start or Path.cwd()).resolve()
        root = project_root(start)
        if root is None:
            raise PaperError(f"there is no book at {start} or above it: run this inside a folder that has a _toc.yml")
        return cls(root)

    @property
    def build(self) -> Path:
        """The folder of everything that is made; safe to delete."""
        return self.root / "_build"

    def site(self, variant: Variant) -> Path:
        """The folder of the finished pages."""
        return self.build / "html" if variant.published else self.build / variant.name / "html"

    def work(self, variant: Variant) -> Path:
        """The folder of logs and of pages in the making."""
        return self.build / "stage" / variant.name

    @property
    def cache(self) -> Path:
        """The folder of executed notebooks and finished trainings."""
        return cache_folder(self.root).absolute()  # chapters have a working folder of their own

    @cached_property
    def config(self) -> dict:
        """The content of ``_config.yml``."""
        return yaml_files.read_names(self.root / "_config.yml")

    @cached_property
    def settings(self) -> Settings:
        """What the paper says of itself to the press."""
        return settings.read(self.root)

    @property
    def repository_url(self) -> str:
        """The address of the repository that ``_config.yml`` names, or nothing."""
        return str(self.section("repository").get("url") or "")

    def section(self, *names: str) -> dict:
        """The entries below a name of ``_config.yml`` and one below it; none, if there is no such name."""
        content = self.config
        for name in names:
            content = content.get(name) or {}
            if not isinstance(content, dict):
                raise InputError(f"{self.root / '_config.yml'}: {name} is {content!r}: it must map names to values")
        return content

    @property
    def pages(self) -> list[Path]:
        """The files that the table of contents names, relative to the root, in reading order."""
        return [page for _, pages in self.parts for page in pages]

    @cached_property
    def parts(self) -> list[tuple[str | None, list[Path]]]:
        """The parts of the table of contents with their pages; the first part, without a caption, is the first page."""
        try:
            toc = parse_toc_data(yaml_files.read_names(self.root / "_toc.yml"))
        except MalformedError as error:
            raise PaperError(f"cannot read {self.root / '_toc.yml'}: {error}") from None
        if globs := toc.globs():
            raise PaperError(f"_toc.yml has the pattern {min(globs)!r}: name each file, so that the order is plain")
        parts = [(None, [self._page(toc.root.docname)])]
        for tree in toc.root.subtrees:
            names = [below for item in tree.files() for below in _in_reading_order(toc, item)]
            parts.append((tree.caption, [self._page(name) for name in names]))
        return parts

    def _page(self, name: str) -> Path:
        candidates = [Path(name), Path(f"{name}.ipynb"), Path(f"{name}.md")]
        path = next((c for c in candidates if c.suffix in (".ipynb", ".md") and (self.root / c).is_file()), None)
        if path is None:
            raise PaperError(
                f"_toc.yml names {name!r}, but there is neither {name}.ipynb nor {name}.md in {self.root}: "
                "add the file or take the entry out"
            )
        if _has_code(inside(self.root, path, "_toc.yml")):
            raise PaperError(
                f"{path} is a notebook in Markdown, whose code would not be executed: make it {path.stem}.ipynb, with "
                f"`jupytext --to ipynb {path}`, and take {path.name} away"
            )
        return path

    @cached_property
    def chapters(self) -> dict[str, Path]:
        """The executable chapters by name, the stem of their file."""
        found: dict[str, Path] = {}
        for path in (page for page in self.pages if page.suffix == ".ipynb"):
            if path.stem in found:
                raise PaperError(f"{found[path.stem]} and {path} have the same name {path.stem!r}: rename one of them")
            found[path.stem] = path
        return found

    def chapter(self, name: str) -> Path:
        """The path of a chapter, or an error that names the nearest one."""
        return self.chapters[_known(name, self.chapters, "chapter")]

    def notebook(self, name: str) -> nbformat.NotebookNode:
        """The source of a chapter."""
        path = self.root / self.chapter(name)
        try:
            content = json.loads(path.read_bytes(), object_pairs_hook=_each_once)  # bytes: in UTF-8, with a BOM or not
            text = json.dumps(content, ensure_ascii=False)
            text.encode()  # half a character, which JSON can hold, could not be written again
            with warnings.catch_warnings():
                # nbformat would make up an id, another one each time, and no outputs would ever be found again.
                for category in (MissingIDFieldWarning, DuplicateCellId):
                    warnings.simplefilter("error", category)
                notebook = nbformat.reader.reads(text)
                nbformat.validate(notebook)
        except (MissingIDFieldWarning, DuplicateCellId):
            raise PaperError(f"{path}: every cell needs an id of its own: give them short names") from None
        except nbformat.ValidationError as error:
            where = "".join(f"[{step!r}]" for step in error.absolute_path)
            raise PaperError(f"cannot read {path} as a notebook: {where} {error.message[:200]}") from None
        # nbformat checks little before it reads
        except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
            raise PaperError(f"cannot read {path} as a notebook: {str(error)[:200]}") from None
        if notebook.nbformat < 4 or any("id" not in cell for cell in notebook.cells):
            raise PaperError(f"{path}: every cell needs an id: save it with a Jupyter that writes notebook format 4.5")
        return _normal(notebook, path)

    def parameters(self, name: str) -> dict[str, parameters.Parameter]:
        """The parameters that a chapter declares."""
        try:
            return parameters.read(self.notebook(name))
        except InputError as error:
            raise InputError(f"{self.chapter(name)}: {error}") from None

    @property
    def presets(self) -> list[str]:
        """The names of the presets."""
        return sorted(path.stem for path in (self.root / "presets").glob("*.yml"))

    def variant(
        self, preset: str | None, given: dict[str, dict[str, object]], time_limit: float | None = None
    ) -> Variant:
        """The values of a preset (None: the published ones), changed by those given, all checked."""
        named, limit = ({}, TIME_LIMIT) if preset is None else self._preset(preset)
        limit = time_limit or limit
        overrides = self._differing([named, given])
        if overrides == self._differing([named]):
            return Variant(preset or "published", preset, overrides, limit)
        return Variant(f"custom-{digest([preset, overrides])[:8]}", preset, overrides, limit)

    def _preset(self, name: str) -> tuple[dict[str, dict[str, object]], float]:
        """The values of a preset by chapter, and its time limit."""
        _known(name, self.presets, "preset")
        if name in RESERVED or name.startswith("."):  # the preset of a file ..yml is called "."
            raise InputError(f"presets/{name}.yml: _build/{name} is a folder of the build's own: rename the preset")
        path = self.root / "presets" / f"{name}.yml"
        content = settings.checked(Preset, yaml_files.read_names(path), f"presets/{name}.yml:")
        try:
            self._differing([content.chapters])
        except InputError as error:
            raise InputError(f"presets/{name}.yml: {error}") from None
        return content.chapters, content.time_limit

    def _differing(self, layers: Iterable[dict[str, dict[str, object]]]) -> dict[str, dict[str, object]]:
        """The values that differ from the published ones when each layer goes over those before it."""
        values: dict[str, dict[str, object]] = {}
        for layer in layers:
            for chapter, changes in layer.items():
                accepted = parameters.validate(chapter, self.parameters(chapter), changes)
                values.setdefault(chapter, {}).update(accepted)
        published = {chapter: self.parameters(chapter) for chapter in values}
        different = {
            chapter: {name: value for name, value in changes.items() if value != published[chapter][name].default}
            for chapter, changes in values.items()
        }
        return {chapter: changes for chapter, changes in different.items() if changes}


def _known(name: str, names: Collection[str], what: str) -> str:
    if name not in names:
        raise InputError(f"there is no {what} {name!r}: {nearest(name, names)}")
    return name


def _has_code(page: Path) -> bool:
    """Whether a page is Markdown that MyST-NB takes for a notebook."""
    text = page.read_text(encoding="utf-8", errors="replace") if page.suffix == ".md" else ""
    if not text.startswith("---") or "{code-cell}" not in text:
        return False
    from myst_nb.core.read import is_myst_markdown_notebook  # slow to import

    return is_myst_markdown_notebook(text)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{twice[0]!r} stands twice in one place: keep one of the two")
    return dict(pairs)


def _normal(notebook: nbformat.NotebookNode, path: Path) -> nbformat.NotebookNode:
    """A notebook as Jupyter on Linux would have saved it: its lines end alike, and it says that it is Python."""
    for cell in notebook.cells:
        cell.source = re.sub("\r\n?", "\n", cell.source)
    spec, info = (notebook.metadata.get(name, {}) for name in ("kernelspec", "language_info"))
    language = info.get("name") or spec.get("language") or "python"
    if language.lower() not in ("python", "ipython"):  # some tools say it so
        raise PaperError(f"{path} is written in {language!r}: a chapter is written in Python")
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"} | spec
    return notebook


def _in_reading_order(toc: SiteMap, name: str) -> list[str]:
    return [name] + [below for child in toc[name].child_files() for below in _in_reading_order(toc, child)]
