"""A small paper about something else, Buffon's needle, with a package of its own that a test may edit."""

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
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from livingpaper import cli
from livingpaper.sweep import closure

#: Torch is not imported: what is tested here is the pipeline, not what runs in it.
EXPERIMENT = '''
"""Needles thrown on a floor with lines at distance one; it leaves a trace, and can be held up at 200 needles."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Throw:
    hundreds: int
    length: float
    seed: int

    batched_by: ClassVar[tuple[str, ...]] = ("hundreds",)

    @staticmethod
    def run(batch, device):
        with open(os.environ["NEEDLE_CALLS"], "a") as calls:
            calls.writelines(f"{run.hundreds} {run.seed}\\n" for run in batch)
        while batch[0].hundreds == 2 and Path(os.environ["NEEDLE_HOLD"]).exists():
            time.sleep(0.05)
        return [pd.DataFrame({"crossed": [crossed(run)]}) for run in batch]


def crossed(run):
    """The share of needles that lie across a line."""
    random = np.random.default_rng([run.hundreds, run.seed])
    center, angle = random.uniform(0, [[0.5], [np.pi / 2]], (2, 100 * run.hundreds))
    return float((center <= run.length / 2 * np.sin(angle)).mean())
'''

FIRST = {
    "parameters": (
        "n: int = 4  # number of points, in [1, 100]\n"
        "slope: float = 2.0  # crossings a needle length, >= 1\n"
        "gap: float = 0.1  # crossings of a needle without length, in [0, 0.5)\n"
        "width: int = 3  # of the lines, > 0\n"
        "names: list = ['a', 'b']  # names of needles\n"
        'device: str = "cpu"  # where to compute, one of cpu, cuda'
    ),
    "setup": "import matplotlib.pyplot as plt\nimport pandas as pd\n\nfrom livingpaper import say",
    "line": (
        "# a comment\n"
        'data = pd.DataFrame({"point": range(n), "value": [slope * point + gap for point in range(n)]})\n'
        "picture, ax = plt.subplots(figsize=(3, 2))\n"
        "ax.plot(data.point, data.value)\n"
        'say.figure("fig-line", picture, data)'
    ),
    "line-words": ":::{glue:figure} fig-line\n:alt: A rising line.\n\nA line of {glue:text}`n` points.\n:::",
    "numbers": 'say.numbers(crossings=slope * n)\nprint("the points are", n)',
    "claim": 'say.claim("claim-line-rises", [slope, slope])',
    "claim-words": (
        ":::{glue:claim} claim-line-rises\n:where: This chapter\n:holds-if: '> 1'\n:record: holds\n"
        ":figure: fig-line\n\nThe line rises.\n:::"
    ),
}
SECOND = {
    "parameters": (
        "hundreds: list = [1, 2, 3]  # of needles, in [0, 100]\n"
        "length: float = 1.0  # of a needle, in distances of the lines, in (0, 1]\n"
        "seeds: int = 2  # repetitions, in [1, 100]"
    ),
    "setup": (
        "from livingpaper import say\nfrom livingpaper.sweep import grid, sweep\n"
        "from needle.experiments.throws import Throw"
    ),
    "run": "table = sweep(Throw, grid(hundreds=hundreds, length=length), seeds=seeds)",
    "table": 'say.table("tab-throws", table)',
    "table-words": ":::{glue:table} tab-throws\nWhat was measured.\n:::",
}
#: Of a book whose chapter can be drawn again. Of its claims one stands, one held by luck, and one cannot be tested.
DRAWN = {
    "parameters": (
        "first_seed: int = 0  # first of the seeds, in [0, 1000000000]\n"
        "seeds: int = 12  # repetitions, in [2, 100000]\n"
        "hundreds: int = 1  # of needles, in [1, 100]"
    ),
    "setup": SECOND["setup"],
    "run": "table = sweep(Throw, grid(hundreds=hundreds, length=1.0), seeds=range(first_seed, first_seed + seeds))",
    "table": 'say.table("tab-crossings", table)',
    "table-words": ":::{glue:table} tab-crossings\nWhat came out of {glue:text}`seeds` draws.\n:::",
    "claims": (
        'say.claim("claim-crossings", table.crossed.to_numpy())\n'
        'say.claim("claim-luck", table.crossed.to_numpy() - (first_seed > 10000))\n'
        'say.claim("claim-lengths", testable=False)\n'
        "say.numbers(bound=0.5)"
    ),
    "claims-words": "\n\n".join(
        f":::{{glue:claim}} claim-{name}\n:where: This chapter\n:holds-if: '> {{glue:text}}`bound`'\n"
        f":record: {record}\n{more}\n{statement}\n:::"
        for name, record, more, statement in [
            ("crossings", "holds", "", "More than {glue:text}`bound:.0%` of {glue:text}`hundreds` hundred cross."),
            ("luck", "unresolved", ":changed: It was *more* than all, which nobody says.\n", "It is so by luck."),
            ("lengths", "not testable", "", "It is so for every length."),
        ]
    ),
}
PAGES = {
    "_toc.yml": (
        "format: jb-book\nroot: intro\nchapters:\n- file: chapters/first\n- file: chapters/second\n- file: claims\n"
    ),
    "_config.yml": """title: Needles on a floor
author: Georges
copyright: "1777"
only_build_toc_files: true
exclude_patterns: [".*/**", "venv/**", "env/**", "_build/**"]
execute: {execute_notebooks: force, timeout: -1, stderr_output: remove-warn}
parse: {myst_enable_extensions: [amsmath, colon_fence, deflist, dollarmath, substitution, tasklist]}
html: {use_repository_button: false}
launch_buttons: {notebook_interface: jupyterlab, binderhub_url: "https://mybinder.org"}
bibtex_bibfiles: [references.bib]
sphinx:
  recursive_update: true
  extra_extensions: [sphinx_proof, sphinx.ext.viewcode, sphinx_codeautolink, livingpaper.sphinx]
  config:
    numfig: true
    bibtex_reference_style: author_year
    myst_ref_domains: [std, prf]
    codeautolink_concat_default: true
    nitpick_ignore_regex: [["py:.*", ".*"]]
""",
    "pyproject.toml": (
        '[project]\nname = "needle"\nversion = "1.2"\n\n[tool.livingpaper]\ncommand = "needle"\n'
        'packages = ["needle"]\nexperiments = "needle.experiments"\n'
    ),
    "columns.yml": "everywhere: {crossed: share of the needles that lie across a line}\n",
    "requirements.txt": "numpy==2.0.0\n",
    "LICENSE": "Do with it what you like.\n",
    "CITATION.cff": (
        "cff-version: 1.2.0\nmessage: Cite it.\ntitle: Needles on a floor\nversion: 1.2\n"
        "authors:\n- {family-names: Leclerc, given-names: Georges}\n"
    ),
    "references.bib": (
        "@book{buffon1777, author = {Leclerc, Georges-Louis}, title = {Essai d'arithm{\\'e}tique morale}, "
        "publisher = {Imprimerie royale}, year = {1777}}\n"
    ),
    "intro.md": (
        "# A book\n\n{cite:t}`buffon1777` and {glue:text}`chapters/first.ipynb::n:d` points.\n\n"
        "```{bibliography}\n```\n"
    ),
    "claims.md": "# Claims\n\n```{claims-ledger}\n```\n",
    "presets/smoke.yml": "time_limit: 100\nchapters:\n  first:\n    n: 2\n    slope: 1.0\n  second:\n    seeds: 1\n",
    "src/needle/__init__.py": '"""Needles on a floor."""\n',
    "src/needle/unused.py": '"""What no chapter imports."""\n',
    "src/needle/experiments/__init__.py": '"""What is done with needles."""\n',
    "src/needle/experiments/throws.py": EXPERIMENT.lstrip(),
}


@dataclass
class Book:
    """A book in a folder; what its command says and leaves."""

    root: Path
    started: list[subprocess.Popen] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Variables under which a process finds the book's package, and has a cache of its own."""
        given = {name: value for name, value in os.environ.items() if name != "LIVINGPAPER_CACHE_DIR"}
        found = os.pathsep.join(filter(None, [str(self.root / "src"), os.environ.get("PYTHONPATH")]))
        paths = {"PYTHONPATH": found, "NEEDLE_CALLS": self.calls_file, "NEEDLE_HOLD": self.hold}
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
                mine = process.environ().get("NEEDLE_CALLS") == str(self.calls_file)
                # what draws the pages gets little of the environment
                mine |= str(self.root / "_build/stage") in " ".join(process.cmdline())
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
    made = [
        new_markdown_cell(source, id=name)
        if name.endswith("-words")
        else new_code_cell(source, id=name, metadata={"tags": tags[name]} if name in tags else {})
        for name, source in cells.items()
    ]
    notebook = new_notebook(
        cells=[new_markdown_cell(f"# {title}", id="title"), *made, new_markdown_cell(text, id="text")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def write_book(root: Path) -> Book:
    """The sources of the paper, its package among them."""
    for name, text in PAGES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    parameters = "\n\n```{parameters-table}\n```"
    write_chapter(root / "chapters/first.ipynb", "First", FIRST, "See {numref}`fig-line`. Plain words." + parameters)
    write_chapter(root / "chapters/second.ipynb", "Second", SECOND, "See {numref}`tab-throws`." + parameters)
    return Book(root)


@pytest.fixture(scope="session")
def pristine_draws(once):
    """A book with a chapter that was drawn three times, and its pages, by the real command; not to be touched."""

    def sources(root: Path) -> tuple[list[str], dict[str, str]]:
        book = write_book(root)
        (root / "_toc.yml").write_text(PAGES["_toc.yml"].replace("chapters/second", "chapters/drawn"))
        (root / "claims.md").write_text(PAGES["claims.md"] + "\n```{claims-summary}\n```\n")
        write_chapter(root / "chapters/drawn.ipynb", "Drawn", DRAWN, "See {ref}`claim-luck`.")
        command = f"{sys.executable} -m livingpaper.cli"
        return ["sh", "-c", f"{command} replicate --blocks 2 && {command} build"], book.environment

    return Book(once("needles-drawn", sources))


@pytest.fixture
def drawn(pristine_draws, tmp_path, in_process):
    """A copy of the book that was drawn again, the working directory."""
    shutil.copytree(pristine_draws.root, tmp_path / "book")
    return in_process(Book(tmp_path / "book"))


@pytest.fixture(scope="session")
def pristine_build(once):
    """The book, built once for all workers by the real command with two jobs; not to be touched."""

    def sources(root: Path) -> tuple[list[str], dict[str, str]]:
        book = write_book(root)
        return [sys.executable, "-m", "livingpaper.cli", "build", "--jobs", "2"], book.environment

    return Book(once("needles", sources))


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
def toy(tmp_path):
    """A book that was never built, for processes of its own."""
    return write_book(tmp_path / "book")


@pytest.fixture
def in_process(monkeypatch):
    """What turns this process into one that was started in a book and finds the book's package."""

    def enter(book: Book) -> Book:
        monkeypatch.delenv("LIVINGPAPER_CACHE_DIR")
        for name, value in book.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.syspath_prepend(book.root / "src")
        for name in [name for name in sys.modules if name.partition(".")[0] == "needle"]:
            del sys.modules[name]  # of another test's book
        closure.home.cache_clear()
        monkeypatch.chdir(book.root)
        entered.append(book)
        return book

    entered = []
    yield enter
    closure.home.cache_clear()
    for book in entered:
        for process in book.processes():
            process.kill()
        for process in book.started:
            process.communicate()


@pytest.fixture
def no_pages(monkeypatch):
    """Rendering takes no time and gives one empty page: for tests of what comes before it."""

    def render(tree: Path, output: Path, log: Path, ours: bool) -> Path:
        pages = output / "_build" / "html"
        shutil.rmtree(output, ignore_errors=True)
        pages.mkdir(parents=True)
        (pages / "index.html").touch()
        log.touch()
        return pages

    monkeypatch.setattr("livingpaper.build.render.render", render)


@pytest.fixture
def executed(built, monkeypatch):
    """Chapters are not executed: what comes out is what was kept, or what a function makes of it.

    The fixture is a function that sees to this and gives the list of the caches that would have been used.
    """

    def outcomes(outcome=lambda job, text: text):
        def run(jobs, parallel, time_limit, cache, watch):
            ran.append(cache)
            kept = [path.read_text() for path in (built.root / "_build/cache/notebooks").glob("*/*.ipynb")]
            for job in jobs:
                mark = "fig-line" if job.chapter == "first" else "tab-throws"
                (text,) = [text for text in kept if f'"id": "{mark}"' in text]
                job.folder.mkdir(parents=True, exist_ok=True)
                job.output.write_text(outcome(job, text))
                job.started, job.seconds = 0.0, 1.0
            watch(jobs)

        monkeypatch.setattr("livingpaper.build.execute.run", run)
        return ran

    ran = []
    return outcomes


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
        monkeypatch.setattr(sys, "argv", ["needle", *arguments])
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
