"""From sources and executed notebooks to the tree that Sphinx renders.

Text, tags and captions come from the sources, outputs from the cache, so that an edit of prose shows at once and
executes nothing. The tree has the sources' relative paths and no time stamp: equal inputs give equal bytes.
"""

import copy
import json
import shutil
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from benign.book import claims, colab, figures, ids, notation, presentation
from benign.book.plan import Step
from benign.book.project import Project, Variant
from benign.book.repository import Sources
from benign.errors import InputError

COPIED = ("references.bib", "CITATION.cff", ids.FILE, notation.FILE, "assets", "vendor", "_toc.yml")
OURS = (figures.MIME, claims.MIME)


def assemble(project: Project, variant: Variant, steps: list[Step], tree: Path) -> None:
    """Write the tree for the given executed chapters."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in COPIED:
        source = project.root / name
        if source.is_dir():
            shutil.copytree(source, tree / name)
        elif source.is_file():
            shutil.copy(source, tree / name)
    for page in project.pages:
        if page.suffix == ".md":
            (tree / page).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project.root / page, tree / page)
    (tree / "runs").mkdir()
    for step in steps:
        path = tree / project.chapter(step.chapter)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(merge(step)) + "\n", encoding="utf-8")
        (tree / "runs" / f"{step.chapter}.json").write_text(json.dumps(step.entry.run, indent=1, sort_keys=True))
    chapters = [project.chapter(step.chapter) for step in steps]
    named = "" if variant.published else variant.name
    Sources.of(project.root, chapters, project.repository_url, named).write(tree)
    config = _config(project, variant)
    (tree / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")


def merge(step: Step) -> NotebookNode:
    """The chapter's source with the cached outputs, and what papermill injected in a cell that the page hides."""
    page = nbformat.v4.new_notebook(cells=[], metadata=step.notebook.metadata)
    executed = {cell.id: cell for cell in step.entry.notebook.cells}
    for source in step.notebook.cells:
        cell = nbformat.from_dict(source)
        page.cells.append(cell)
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        if colab.TAG in cell.metadata.get("tags", []):
            continue
        try:
            texts = presentation.spoken(cell.source)
            cell.outputs = [_say(output, texts) for output in executed[cell.id].outputs]
        except InputError as error:
            raise InputError(f"{step.chapter}, cell {cell.id}: {error}") from None
        if "parameters" in cell.metadata.get("tags", []) and (injected := _injected(step.entry.notebook)):
            page.cells.append(injected)
    return page


def outputs(notebook: NotebookNode, mime: str) -> list[dict]:
    """The payloads of one kind, figures or claims, in an executed notebook."""
    return [
        output.data[mime]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if mime in output.get("data", {})
    ]


def _say(output: NotebookNode, texts: dict[str, dict[str, object]]) -> NotebookNode:
    """An output with the texts that the source has now, as carefully checked as those that it was made with."""
    output = nbformat.from_dict(output)
    if output.output_type == "execute_result":
        output.execution_count = None
    for kind in (figures, claims):
        if payload := output.get("data", {}).get(kind.MIME):
            payload.update(texts.get(payload["id"], {}))
            kind.check_texts(payload)
    return output


def _injected(executed: NotebookNode) -> NotebookNode | None:
    for cell in executed.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            return nbformat.v4.new_code_cell(
                cell.source, id="injected-parameters", metadata={"tags": ["injected-parameters", "remove-cell"]}
            )
    return None


def _config(project: Project, variant: Variant) -> dict:
    config = copy.deepcopy(project.config)
    config["execute"] = {**config.get("execute", {}), "execute_notebooks": "off"}
    if not variant.published:
        sphinx = config.setdefault("sphinx", {}).setdefault("config", {})
        sphinx.setdefault("html_theme_options", {})["announcement"] = (
            f"This is the build <strong>{variant.name}</strong>, made with other parameters than the published "
            "values: its numbers are not the paper's."
        )
    return config
