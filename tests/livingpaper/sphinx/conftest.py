"""A book for Sphinx, rendered in this process; and what its code cells hand over, caught on its way out."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from jupyter_book.config import get_final_config
from nbformat.v4 import new_code_cell, new_notebook, new_output
from sphinx.testing.util import SphinxTestApp

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Rendered:
    """A rendered book: the folder of its pages, and what Sphinx complained of."""

    site: Path
    complaints: str

    def page(self, name: str) -> BeautifulSoup:
        return BeautifulSoup((self.site / f"{name}.html").read_text(), "html.parser")


def write(tree: Path, files: Mapping[str, object]) -> Path:
    """Texts, and notebooks, below a folder."""
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        else:
            nbformat.write(content, path)
    return tree


def render_book(tree: Path, files: Mapping[str, object], toc: dict) -> Rendered:
    """The pages of a book with the real book's configuration, its notebooks as they are."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["execute"]["execute_notebooks"] = "off"
    toc = {"format": "jb-book"} | toc
    given = {"_config.yml": yaml.safe_dump(config), "_toc.yml": yaml.safe_dump(toc), "conf.py": ""}
    write(tree, given | dict(files))
    final, _ = get_final_config(
        user_yaml=tree / "_config.yml", sourcedir=tree, cli_config={"nitpicky": True, "latex_individualpages": False}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of Sphinx's own extensions, about what a later Sphinx changes
        app = SphinxTestApp("html", srcdir=tree, confoverrides=final, freshenv=True)
        try:
            app.build(force_all=True)
            return Rendered(Path(app.outdir), app.warning.getvalue())
        finally:
            app.cleanup()


@pytest.fixture(scope="session")
def render() -> Callable[..., Rendered]:
    """A function that renders a book: a folder, its files, its table of contents."""
    return render_book


@dataclass(frozen=True)
class Cells:
    """Makes the cells of an executed notebook."""

    @staticmethod
    def notebook(*cells) -> nbformat.NotebookNode:
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        return new_notebook(cells=list(cells), metadata=kernel | {"language_info": {"name": "python"}})

    @staticmethod
    def code(source: str, *calls: Callable[[], None], **metadata) -> nbformat.NotebookNode:
        """A cell with the outputs that some calls of ``say`` display."""
        outputs = []
        for call in calls:
            with (
                mock.patch("livingpaper.say.figures.display") as figures,
                mock.patch("livingpaper.say.claims.display") as claims,
            ):
                call()
            for shown in [*figures.call_args_list, *claims.call_args_list]:
                outputs.append(new_output("display_data", data=shown.args[0], metadata=shown.kwargs["metadata"]))
        return new_code_cell(source, outputs=outputs, execution_count=1, metadata=metadata)

    @staticmethod
    def number(name: str, value: object) -> nbformat.NotebookNode:
        """A hidden cell that glues a number."""
        data = {"application/papermill.record/text/plain": repr(value)}
        metadata = {"scrapbook": {"name": name, "mime_prefix": "application/papermill.record/"}}
        output = new_output("display_data", data=data, metadata=metadata)
        return new_code_cell("say.numbers(...)", outputs=[output], metadata={"tags": ["remove-cell"]})


@pytest.fixture(scope="session")
def cells() -> type[Cells]:
    return Cells
