"""A small book of its own, with a copy of the package that a test may edit, and the command that builds it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from livingpaper import cli
from livingpaper.sweep import closure

ROOT = Path(__file__).parents[2]

#: Torch is not imported: what is tested here is the pipeline, not what runs in it.
EXPERIMENT = '''
"""A training that takes no time, leaves a trace, and can be held up at x = 2."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd


@dataclass(frozen=True)
class Toy:
    x: int
    scale: float
    seed: int

    batched_by: ClassVar[tuple[str, ...]] = ("x",)

    @staticmethod
    def run(batch, device):
        with open(os.environ["TOY_CALLS"], "a") as calls:
            calls.writelines(f"{run.x} {run.seed}\\n" for run in batch)
        while batch[0].x == 2 and Path(os.environ["TOY_HOLD"]).exists():
            time.sleep(0.05)
        return [pd.DataFrame({"y": [run.scale * run.x + run.seed / 10]}) for run in batch]
'''

FIRST = {
    "parameters": (
        "n: int = 4  # number of points, in [1, 100]\n"
        "p: float = 2.0  # dimension, >= 1\n"
        "label_noise: float = 0.1  # share of wrong labels, in [0, 0.5)\n"
        "width: int = 3  # neurons, > 0\n"
        "names: list = ['a', 'b']  # names of things\n"
        'device: str = "cpu"  # where to compute, one of cpu, cuda'
    ),
    "setup": (
        "import matplotlib.pyplot as plt\nimport pandas as pd\n\n"
        "from livingpaper.say.claims import Claim\nfrom livingpaper.say.figures import Figure\n"
        "from livingpaper.say.glue import glue"
    ),
    "line": (
        "# a comment\n"
        'data = pd.DataFrame({"point": range(n), "value": [p * point + label_noise for point in range(n)]})\n'
        "figure, ax = plt.subplots(figsize=(3, 2))\n"
        "ax.plot(data.point, data.value)\n"
        'Figure(id="fig-line", figure=figure, data=data,\n'
        '       caption="A line of {glue:text}`n` points.", alt="A rising line.")'
    ),
    "numbers": 'glue("n", n)\nprint("the points are", n)',
    "claim": (
        'Claim(id="claim-line-rises", paper=None, where="This chapter", statement="The line rises.",\n'
        '      estimate=p, interval=(p, p), holds_if="> 1", on_record="holds", figure="fig-line")'
    ),
}
SECOND = {
    "parameters": (
        "xs: list = [1, 2, 3]  # places, in [0, 100]\n"
        "scale: float = 1.0  # slope, in (0, 10]\n"
        "seeds: int = 2  # repetitions, in [1, 100]"
    ),
    "setup": (
        "from livingpaper.say.figures import Table\nfrom benign.experiments.toy import Toy\n"
        "from livingpaper.sweep import grid, sweep"
    ),
    "run": "table = sweep(Toy, grid(x=xs, scale=scale), seeds=seeds)",
    "table": 'Table(id="tab-toy", data=table, caption="What was measured.")',
}
PAGES = {
    "_toc.yml": (
        "format: jb-book\nroot: intro\nchapters:\n- file: chapters/first\n- file: chapters/second\n- file: claims\n"
    ),
    "intro.md": (
        "# A book\n\n{cite:t}`xu2023` and {glue:text}`chapters/first.ipynb::n:d` points.\n\n```{bibliography}\n```\n"
    ),
    "claims.md": "# Claims\n\n```{claims-ledger}\n```\n",
    "presets/smoke.yml": "time_limit: 100\nchapters:\n  first:\n    n: 2\n    p: 1.0\n  second:\n    seeds: 1\n",
}


@dataclass
class Book:
    """A book in a folder; what its command says and leaves."""

    root: Path
    started: list[subprocess.Popen] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Variables under which a process uses the book's copy of the package, and its own cache."""
        given = {name: value for name, value in os.environ.items() if name != "LIVINGPAPER_CACHE_DIR"}
        paths = {"PYTHONPATH": self.root / "src", "TOY_CALLS": self.calls_file, "TOY_HOLD": self.hold}
        return given | {name: str(path) for name, path in paths.items()}

    @property
    def calls_file(self) -> Path:
        """Where the toy experiment writes down each of its runs."""
        return self.root / "calls.txt"

    @property
    def calls(self) -> list[str]:
        """The runs of the toy experiment so far, as ``x seed``."""
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []

    @property
    def hold(self) -> Path:
        """As long as this file exists the second chapter does not get beyond its second batch."""
        return self.root / "hold"

    @property
    def site(self) -> Path:
        return self.root / "_build" / "html"

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text that is there exactly once."""
        file = self.root / path
        if path.endswith(".ipynb"):
            old, new = (json.dumps(text, ensure_ascii=False)[1:-1] for text in (old, new))
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, (path, old)
        file.write_text(text.replace(old, new), encoding="utf-8")

    def page(self, name: str) -> str:
        return (self.site / name).read_text(encoding="utf-8")

    def files(self, folder: str = "_build/html") -> dict[str, bytes]:
        """Every file below a folder, with its content."""
        top = self.root / folder
        return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}

    def start(self, *arguments: str) -> subprocess.Popen:
        """The command in a process of its own, with the signals of a process that somebody watches."""
        process = subprocess.Popen(
            [sys.executable, "-m", "livingpaper.cli", *arguments],
            cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def processes(self) -> list[psutil.Process]:
        """The commands, workers and kernels that were started for this book, wherever in the process tree they are."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("TOY_CALLS") == str(self.calls_file)
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def wait_until_held(self, process: subprocess.Popen | None = None) -> None:
        """Until the second chapter has stored its first batch and hangs in its second."""
        wait_for(lambda: "2 0" in self.calls, process)


def wait_for(condition, process: subprocess.Popen | None = None, seconds: float = 60) -> None:
    """Wait until a condition holds, but not in vain, if a process must be alive for it."""
    until = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            pytest.fail(f"ended too early: {process.communicate()[0]}")
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def write_chapter(path: Path, title: str, cells: dict[str, str], text: str) -> None:
    tags = {"parameters": ["parameters"], "numbers": ["remove-cell"]}
    code = [
        new_code_cell(source, id=name, metadata={"tags": tags[name]} if name in tags else {})
        for name, source in cells.items()
    ]
    notebook = new_notebook(
        cells=[new_markdown_cell(f"# {title}", id="title"), *code, new_markdown_cell(text, id="text")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def write_book(root: Path) -> Book:
    """The sources of the book, and a copy of the package with the toy experiment in it."""
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "*.npz"))
    (root / "src/benign/experiments/toy.py").write_text(EXPERIMENT.lstrip())
    shutil.copytree(ROOT / "assets", root / "assets")
    for name in ("references.bib", "CITATION.cff", "LICENSE", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, root / name)
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    del config["sphinx"]["config"]["html_extra_path"]  # MathJax is large, and these pages have no formula
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    for name, text in PAGES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    parameters = "\n\n```{parameters-table}\n```"
    write_chapter(root / "chapters/first.ipynb", "First", FIRST, "See {numref}`fig-line`. Plain words." + parameters)
    write_chapter(root / "chapters/second.ipynb", "Second", SECOND, "See {numref}`tab-toy`." + parameters)
    return Book(root)


@pytest.fixture(scope="session")
def pristine_build(tmp_path_factory):
    """The book, built once by the real command with two jobs; not to be touched."""
    book = write_book(tmp_path_factory.mktemp("pristine") / "book")
    process = book.start("build", "--jobs", "2")
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    return book


@pytest.fixture
def built(pristine_build, tmp_path, in_process):
    """A copy of the built book, the working directory."""
    shutil.copytree(pristine_build.root, tmp_path / "book")
    return in_process(Book(tmp_path / "book"))


@pytest.fixture
def unbuilt(tmp_path, in_process):
    """A book that was never built, the working directory."""
    return in_process(write_book(tmp_path / "book"))


@pytest.fixture
def in_process(monkeypatch):
    """What turns this process into one that was started in a book and takes the book's package for the package."""

    def enter(book: Book) -> Book:
        monkeypatch.delenv("LIVINGPAPER_CACHE_DIR")
        for name, value in book.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(closure, "PACKAGE", book.root / "src" / "benign")
        monkeypatch.chdir(book.root)
        entered.append(book)
        return book

    entered = []
    yield enter
    for book in entered:
        for process in book.processes():
            process.kill()
        for process in book.started:
            process.communicate()


@dataclass
class Said:
    """How a command ended and what it said."""

    status: int
    text: str
    errors: str


@pytest.fixture
def benign(monkeypatch, capsys):
    """The command, without the seconds that starting it takes; chapters and pages still get processes of their own."""

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["benign", *arguments])
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as end:
            return Said(end.code or 0, *capsys.readouterr())
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        raise AssertionError("the command must end by an exit status")

    return run
