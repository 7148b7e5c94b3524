"""From sources and executed notebooks to the tree that Sphinx renders.

Text and tags come from the sources, outputs from the cache, so that an edit of prose shows at once and executes
nothing. The tree has the sources' relative paths and no time stamp: equal inputs give equal bytes.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from urllib.parse import unquote

import nbformat
import yaml
from nbformat import NotebookNode

from livingpaper.build import columns, outputs, replications, words
from livingpaper.build.plan import Step
from livingpaper.build.project import Project, Variant
from livingpaper.build.repository import Sources
from livingpaper.errors import InputError

COPIED = ("CITATION.cff", "_toc.yml", "pyproject.toml", "_static")
_NAMES = re.compile(r"""[^\s()<>\[\]{}"'`,]+""")  # among them those of files


@dataclass(frozen=True)
class Chapter:
    """An executed chapter as it is published: the source as it is now, with the outputs of its last run."""

    name: str
    path: Path  #: relative to the root of the book
    run: dict  #: the record of the run
    notebook: NotebookNode
    left_out: list[str]  #: of its outputs, in words
    drawn: replications.Drawn | None  #: its fresh draws, if it has the published values

    @classmethod
    def of(cls, project: Project, step: Step) -> "Chapter":
        """The chapter of a step whose outputs are good."""
        drawn = replications.read(project, step.chapter, step.parts) if step.variant.published else None
        return cls(step.chapter, project.chapter(step.chapter), step.entry.run, *_merged(step), drawn)

    @cached_property
    def shown(self) -> dict[str, dict]:
        """Its figures, tables and claims by id, each with its words."""
        try:
            shown = words.joined(self.notebook)
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        return {
            id: entry if "files" in entry else replications.applied(entry, self.drawn) for id, entry in shown.items()
        }

    @property
    def figures(self) -> dict[str, dict]:
        """Its figures and tables by id."""
        return {id: entry for id, entry in self.shown.items() if "files" in entry}

    @property
    def claims(self) -> dict[str, dict]:
        """Its claims by id."""
        return {id: entry for id, entry in self.shown.items() if "files" not in entry}


def assemble(project: Project, variant: Variant, chapters: Sequence[Chapter], tree: Path) -> None:
    """Write the tree for the given executed chapters."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    meanings = {project.settings.notation, columns.file(project.root)}
    for name in sorted({*COPIED, *meanings, *map(str, _shown(project, chapters))}):
        source = project.root / name
        if source.is_dir():
            shutil.copytree(source, tree / name, dirs_exist_ok=True)
        elif source.is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tree / name)
    (tree / "runs").mkdir(exist_ok=True)
    for chapter in chapters:
        path = tree / chapter.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(chapter.notebook) + "\n", encoding="utf-8")
        (tree / "runs" / f"{chapter.name}.json").write_text(json.dumps(chapter.run, indent=1, sort_keys=True))
    if variant.published:
        replications.write_all(tree, {chapter.name: chapter.drawn for chapter in chapters})
    made = {chapter.path: {id: entry["cell"] for id, entry in chapter.shown.items()} for chapter in chapters}
    named = "" if variant.published else variant.name
    sources = Sources.of(project.root, made, project.repository_url, named)
    sources.write(tree)
    config = _config(project, variant, sources.repository.date or "an unknown day")
    (tree / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _shown(project: Project, chapters: Sequence[Chapter]) -> Iterator[Path]:
    """The pages in Markdown, and the files of any page: those in a folder of its name, and those that it names."""
    texts = {Path("_config.yml"): yaml.safe_dump(project.config, allow_unicode=True)}
    for chapter in chapters:
        texts[chapter.path] = "\n".join(c.source for c in chapter.notebook.cells if c.cell_type == "markdown")
    for page in project.pages:
        yield page.with_suffix("")
        if page.suffix == ".md":
            yield page
            texts[page] = (project.root / page).read_text(encoding="utf-8", errors="replace")
    for page, text in texts.items():
        for name in set(_NAMES.findall(text)):
            # relative to the page, as in Markdown; after a slash, to the root
            folder = Path() if name.startswith("/") else page.parent
            path = Path(os.path.normpath(folder / unquote(name).lstrip("/")))
            if os.path.isfile(project.root / path):
                there = (project.root / path).resolve()
                if there.is_relative_to(project.root) and not there.is_relative_to(project.build):
                    yield path


def _merged(step: Step) -> tuple[NotebookNode, list[str]]:
    """The chapter's source with the cached outputs, and what papermill injected in a cell that the page hides.

    With it, what is left out of the outputs.
    """
    left_out: list[str] = []
    page = nbformat.v4.new_notebook(cells=[], metadata=step.notebook.metadata)
    executed = {cell.id: cell for cell in step.entry.notebook.cells}
    for source in step.notebook.cells:
        cell = nbformat.from_dict(source)
        page.cells.append(cell)
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        cell.outputs, told = outputs.shown(executed[cell.id])
        left_out += told
        if "parameters" in cell.metadata.get("tags", []) and (injected := _injected(step.entry.notebook)):
            page.cells.append(injected)
    return page, left_out


def _injected(executed: NotebookNode) -> NotebookNode | None:
    for cell in executed.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            return nbformat.v4.new_code_cell(
                cell.source, id="injected-parameters", metadata={"tags": ["injected-parameters", "remove-cell"]}
            )
    return None


def _config(project: Project, variant: Variant, day: str) -> dict:
    config = project.config | {"execute": project.section("execute") | {"execute_notebooks": "off"}}
    # Sphinx takes the day on which it draws the pages
    settings = {"today": day} | project.section("sphinx", "config")
    if "html_last_updated_fmt" in settings:
        settings["html_last_updated_fmt"] = day
    if not variant.published:
        told = (
            f"This is the build <strong>{escape(variant.name)}</strong>, made with other parameters than the published "
            "values: its numbers are not the paper's."
        )
        settings["html_theme_options"] = project.section("sphinx", "config", "html_theme_options") | {
            "announcement": told
        }
    config["sphinx"] = project.section("sphinx") | {"config": settings}
    return config
