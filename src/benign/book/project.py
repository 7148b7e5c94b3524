"""Where a book's files are: sources, presets, and what is made of them below ``_build``."""

import difflib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
import yaml

from benign.book import parameters
from benign.errors import BenignError, InputError
from benign.files import cache_folder, project_root
from benign.sweep.store import digest

TIME_LIMIT = 3600.0  # seconds a chapter may take unless its preset says otherwise


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
            raise BenignError(f"there is no book at {start} or above it: run this inside a folder that has a _toc.yml")
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
        return self.build / "work" / variant.name

    @property
    def cache(self) -> Path:
        """The folder of executed notebooks and finished trainings."""
        return cache_folder(self.root)

    @cached_property
    def toc(self) -> dict:
        """The content of ``_toc.yml``."""
        return _yaml(self.root / "_toc.yml")

    @cached_property
    def pages(self) -> list[Path]:
        """The files that the table of contents names, relative to the root, in reading order."""
        found = []
        for name in _named_files(self.toc):
            candidates = [Path(name), Path(f"{name}.ipynb"), Path(f"{name}.md")]
            path = next((c for c in candidates if c.suffix in (".ipynb", ".md") and (self.root / c).is_file()), None)
            if path is None:
                raise BenignError(
                    f"_toc.yml names {name!r}, but there is neither {name}.ipynb nor {name}.md in {self.root}: "
                    "add the file or take the entry out"
                )
            found.append(path)
        return found

    @cached_property
    def chapters(self) -> dict[str, Path]:
        """The executable chapters by name, the stem of their file."""
        found: dict[str, Path] = {}
        for path in (page for page in self.pages if page.suffix == ".ipynb"):
            if path.stem in found:
                raise BenignError(f"{found[path.stem]} and {path} have the same name {path.stem!r}: rename one of them")
            found[path.stem] = path
        return found

    def chapter(self, name: str) -> Path:
        """The path of a chapter, or an error that names the nearest one."""
        return self.chapters[_known(name, self.chapters, "chapter")]

    def notebook(self, name: str) -> nbformat.NotebookNode:
        """The source of a chapter."""
        path = self.root / self.chapter(name)
        try:
            return nbformat.read(path, as_version=4)
        except (OSError, ValueError, nbformat.ValidationError) as error:
            raise BenignError(f"cannot read {path} as a notebook: {error}") from None

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

    def variant(self, preset: str | None, given: dict[str, dict[str, object]]) -> Variant:
        """The values of a preset (None: the published ones), changed by those given, all checked."""
        content = {}
        if preset is not None:
            _known(preset, self.presets, "preset")
            content = _yaml(self.root / "presets" / f"{preset}.yml")
            if unknown := set(content) - {"time_limit", "chapters"}:
                raise InputError(f"presets/{preset}.yml has {sorted(unknown)}: it takes 'time_limit' and 'chapters'")
        limit = content.get("time_limit", TIME_LIMIT)
        if not (isinstance(limit, int | float) and limit > 0):
            raise InputError(f"presets/{preset}.yml: time_limit is {limit!r}: it must be a positive number of seconds")
        overrides: dict[str, dict[str, object]] = {}
        for values in (content.get("chapters") or {}, given):
            for chapter, changes in values.items():
                declared = self.parameters(chapter)
                accepted = parameters.validate(chapter, declared, changes or {})
                overrides.setdefault(chapter, {}).update(accepted)
        custom = f"custom-{digest([preset, given])[:8]}" if given else None
        return Variant(custom or preset or "published", preset, overrides, float(limit))


def _known(name: str, names: object, what: str) -> str:
    names = list(names)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none'}"
    raise InputError(f"there is no {what} {name!r}: {hint}")


def _named_files(node: object) -> list[str]:
    """Every root and file entry of a table of contents, in order."""
    if isinstance(node, list):
        return [name for item in node for name in _named_files(item)]
    if isinstance(node, dict):
        own = [node[key] for key in ("root", "file") if key in node]
        return own + [name for value in node.values() for name in _named_files(value)]
    return []


def _yaml(path: Path) -> dict:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise BenignError(f"cannot read {path}: {error}") from None
    if not isinstance(content, dict):
        raise BenignError(f"{path} holds a {type(content).__name__}: it must map names to values")
    return content
