"""From edits to pages: what is executed again, what is not, and what is never published."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup

from livingpaper import cli
from livingpaper.build import pipeline, render, worker
from livingpaper.errors import PaperError
from livingpaper.sweep import closure, environment

FIRST, SECOND = "chapters/first.ipynb", "chapters/second.ipynb"
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


def only(lines, start):
    """The one line that starts like this."""
    (line,) = [line.strip() for line in lines.splitlines() if line.strip().startswith(start)]
    return line


def plan_of(said):
    return {name: only(said.text, f"{name}: ").split(": ", 1)[1] for name in ("first", "second")}


def text_of(book, page, site="_build/html"):
    return BeautifulSoup((book.root / site / page).read_text(), "html.parser").get_text(" ", strip=True)


# -- nothing to do --------------------------------------------------------------------------------


def test_an_unchanged_book_executes_and_renders_nothing_even_if_it_was_moved(built, benign):
    before, times = built.files(), {path: path.stat().st_mtime_ns for path in built.site.rglob("*")}
    said = benign("build")
    assert said.status == 0 and said.errors == ""
    assert plan_of(said) == {"first": "fresh", "second": "fresh"}
    assert "2 figures and tables, 1 claims; 0 of 2 chapters executed, nothing had changed" in said.text
    assert only(said.text, "First page: ") == f"First page: {(built.site / 'index.html').as_uri()}"
    assert built.files() == before
    assert {path: path.stat().st_mtime_ns for path in built.site.rglob("*")} == times
    assert len(built.calls) == 6


def test_what_was_built(built):
    assert sorted(built.calls) == ["1 0", "1 1", "2 0", "2 1", "3 0", "3 1"]
    assert "Fig. 1 A line of 4 points." in re.sub(r"\s+", " ", text_of(built, "chapters/first.html"))
    assert "and 4 points" in re.sub(r"\s+", " ", text_of(built, "intro.html"))
    assert (built.site / "figures/fig-line.csv").read_text().startswith("point,value\n0,0.1\n1,2.1\n")
    assert json.loads((built.site / "claims.json").read_text())["claims"][0]["verdict"] == "holds"
    record = json.loads((built.site / "figures/fig-line.json").read_text())["run"]
    assert record["variant"] == record["preset"] == "published"
    assert record["parameters"]["n"] == 4 and record["overrides"] == {}
    assert (
        record["modules"].keys() >= {"livingpaper/say/figures.py"}
        and "needle/experiments/throws.py" not in record["modules"]
    )
    assert record["threads"] == 1 and record["device"] == "cpu"


def test_the_log_of_a_chapter_says_which_cell_ran_and_what_it_printed(built):
    log = (built.root / "_build/stage/published/first.log").read_text()
    assert "--- cell numbers (6 of 9)\nthe points are 4\n" in log


def test_a_dry_run_writes_nothing(unbuilt, benign):
    before = unbuilt.files(".")
    said = benign("build", "--dry-run")
    assert said.status == 0
    assert plan_of(said) == {"first": "stale: never executed here", "second": "stale: never executed here"}
    assert unbuilt.files(".") == before


# -- edits ----------------------------------------------------------------------------------------


def test_an_edit_of_what_is_only_said_executes_nothing_and_shows_at_once(built, benign, monkeypatch):
    for name, value in {"SOURCE_DATE_EPOCH": "315532800", "LC_ALL": "C", "PYTHONOPTIMIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    for name, text in {"dot.svg": DOT, "data 1.csv": "1", "chapters/dot.svg": DOT, "_static/mine.css": ""}.items():
        (built.root / name).parent.mkdir(exist_ok=True)
        (built.root / name).write_text(text)
    built.edit(FIRST, "A line of", "A **steep** line of")
    built.edit(FIRST, "A rising line.", "A line that rises.")
    built.edit(FIRST, "The line rises.", "Upwards it goes.")
    built.edit(FIRST, "# a comment", "# another comment")
    built.edit(FIRST, "# number of points, in [1, 100]", "# how many points, in [1, 100]")
    built.edit(FIRST, "Plain words.", "Fancy words. ![Another dot.](dot.svg)")
    built.edit(
        "intro.md", "# A book", "# A living book\n\n![A dot.](dot.svg) [data](data%201.csv). Today: {sub-ref}`today`.\n"
    )
    built.edit("_config.yml", "    numfig: true\n", '    numfig: true\n    html_last_updated_fmt: ""\n')
    said = benign("build")
    assert said.status == 0, said.errors
    assert plan_of(said) == {"first": "fresh", "second": "fresh"}
    assert "0 of 2 chapters executed, rendered" in said.text
    text = text_of(built, "chapters/first.html")
    assert "A steep line of 4 points." in re.sub(r"\s+", " ", text)
    for words in ("Upwards it goes.", "Fancy words.", "how many points"):
        assert words in text
    page = built.page("chapters/first.html")
    assert 'alt="A line that rises."' in page and "A rising line." not in page and "# another comment" in page
    assert "A living book" in built.page("intro.html")
    # files that pages name go with them, and no page knows the day on which it is rendered
    assert {"_images/dot.svg", "_images/dot1.svg", "_static/mine.css"} <= built.files().keys()
    for words in ("© Copyright 1777", "Today: an unknown day.", "Last updated on an unknown day"):
        assert words in re.sub(r"\s+", " ", text_of(built, "intro.html"))
    assert json.loads((built.site / "claims.json").read_text())["claims"][0]["statement"] == "Upwards it goes."


@pytest.mark.parametrize(
    "old, new, message",
    [
        (":alt: A rising line.", ":alt: ''", "chapters/first.ipynb: fig-line: 'alt' is '': write a sentence"),
        ("A rising line.", "line.png", "chapters/first.ipynb: figure fig-line: 'alt' is the file name 'line.png'"),
        ("The line rises.", "", "chapters/first.ipynb: claim claim-line-rises: it has no 'statement': write it out"),
        (":record: holds", ":record: hodls", "chapters/first.ipynb: claim claim-line-rises: 'record' is 'hodls'"),
    ],
)
def test_an_edited_text_is_checked_although_nothing_is_executed(built, benign, old, new, message):
    before = built.files()
    built.edit(FIRST, old, new)
    said = benign("build")
    assert (said.status, built.files()) == (1, before)
    assert message in said.errors


def test_an_edited_module_makes_those_chapters_stale_that_import_it(built, benign):
    built.edit("src/needle/experiments/throws.py", "run.length / 2", "run.length / 3")
    (built.root / "src/needle/unused.py").write_text("changed = True\n")
    plan = plan_of(benign("build", "--dry-run"))
    assert plan == {"first": "fresh", "second": "stale: needle/experiments/throws.py changed"}


@pytest.mark.parametrize(
    "arguments, edit, first, second",
    [
        (["-p", "first.n=5", "-p", "first.width=7"], None, "stale: n 4 → 5; width 3 → 7", "fresh"),
        (["-p", "second.hundreds=[1, 2]"], None, "fresh", "stale: hundreds [1, 2, 3] → [1, 2]"),
        (["-p", "first.n=4"], None, "fresh", "fresh"),
        (["--preset", "smoke"], None, "stale: n 4 → 2; slope 2.0 → 1.0", "stale: seeds 2 → 1"),
        (["--preset", "smoke", "-p", "second.seeds=2"], None, "stale: n 4 → 2; slope 2.0 → 1.0", "fresh"),
        ([], ("n: int = 4", "n: int = 5"), "stale: n 4 → 5", "fresh"),
        ([], ("range(n)]", "range(n + 0)]"), "stale: cell line changed", "fresh"),
    ],
)  # fmt: skip
def test_a_changed_value_is_the_reason(built, benign, arguments, edit, first, second):
    if edit:
        built.edit(FIRST, *edit)
    assert plan_of(benign("build", "--dry-run", *arguments)) == {"first": first, "second": second}


def test_a_renamed_parameters_cell_is_executed_not_a_crash(built, benign):
    path = built.root / FIRST
    path.write_text(path.read_text().replace('"id": "parameters"', '"id": "values"'))
    assert plan_of(benign("build", "--dry-run"))["first"] == "stale: cell values added; cell parameters removed"


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["-p", "first.widht=3"], "first has no parameter 'widht': did you mean 'width'?"),
        (["-p", "frist.n=3"], "there is no chapter 'frist': did you mean 'first'?"),
        (["-p", "first.n=many"], "first: parameter n: cannot read 'many'; it takes int in [1, 100], e.g. 4"),
        (["-p", "first.n=2.5"], "first: parameter n = 2.5: 2.5 is of type float; it takes int in [1, 100]"),
        (["-p", "first.n=0"], "first: parameter n = 0: 0 is not allowed; it takes int in [1, 100]"),
        (["-p", "first.gap=0.7"], "gap = 0.7: 0.7 is not allowed; it takes float in [0, 0.5)"),
        (["-p", "first.slope=0.5"], "first: parameter slope = 0.5: 0.5 is not allowed; it takes float >= 1"),
        (["-p", "first.width=-3"], "first: parameter width = -3: -3 is not allowed; it takes int > 0"),
        (
            ["-p", "second.hundreds=3"],
            "second: parameter hundreds = 3: not a list; it takes list of int, each in [0, 100]",
        ),
        (
            ["-p", "first.device=gpu"],
            "first: parameter device = 'gpu': 'gpu' is not allowed; it takes one of cpu, cuda",
        ),
        (["-p", "n=3"], "-p 'n=3': write it as CHAPTER.name=value"),
        (["-p", "first.n"], "-p 'first.n': write it as CHAPTER.name=value"),
        (["-p", "first.n=5", "-p", "first.n=6"], "-p 'first.n=6': n is 5 already: give it once"),
        (["--only", "secnod"], "there is no chapter 'secnod': did you mean 'second'?"),
        (["--preset", "smoek"], "there is no preset 'smoek': did you mean 'smoke'?"),
    ],
)
def test_bad_input_gets_one_clear_error_and_changes_nothing(built, benign, arguments, message):
    before = built.files(".")
    said = benign("build", *arguments)
    assert said.status == 1
    assert said.errors.startswith("error: ") and message in said.errors and "Traceback" not in said.errors
    assert built.files(".") == before


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("notation.yml", "n: [\n", "cannot read .*notation.yml, line 2"),
        ("notation.yml", "n: [n]\n", "notation.yml holds a dict: it must be a list of symbols"),
        ("CITATION.cff", "title: a\nversion: 1.10\n", "CITATION.cff has no 'authors'"),
        ("CITATION.cff", "title: a\nversion: 1.10\nauthors: Me\n", "CITATION.cff: authors is 'Me': write a list"),
        ("_config.yml", "execute: 3\n", "_config.yml: execute is 3: it must map names to values"),
    ],
)
def test_what_only_the_pages_need_is_read_before_anything_runs(unbuilt, benign, name, text, message):
    (unbuilt.root / name).write_text(text)
    said = benign("build")
    assert said.status == 1 and re.search(message, said.errors)


def test_a_build_that_nobody_reads_ends_with_the_status_of_a_broken_pipe(toy):
    process = toy.start("build", "--dry-run")
    process.stdout.close()
    assert process.wait(timeout=60) == 128 + signal.SIGPIPE


def test_cuda_where_there_is_none_is_an_error_before_anything_runs(built, benign, monkeypatch):
    monkeypatch.setattr("torch.accelerator.device_count", lambda: 0)
    said = benign("build", "-p", "first.device=cuda")
    assert said.status == 1
    assert "chapters/first.ipynb: device is 'cuda', but PyTorch" in said.errors and "finds cpu here" in said.errors


def test_a_chapter_in_the_table_of_contents_that_does_not_exist(built, benign):
    (built.root / SECOND).unlink()
    said = benign("build")
    assert said.status == 1
    assert "_toc.yml names 'chapters/second', but there is neither chapters/second.ipynb nor" in said.errors


def test_an_id_that_is_used_in_two_chapters_is_an_error_that_names_both():
    chapters = [SimpleNamespace(name=name, shown={"tab-throws": {}}) for name in ("first", "second")]
    with pytest.raises(PaperError, match="the id 'tab-throws' is used in first and again in second: ids are unique"):
        pipeline._check_unique(chapters)


# -- whose computer it is -------------------------------------------------------------------------


def test_nothing_of_a_persons_configuration_reaches_a_result(built, benign, tmp_path, monkeypatch):
    """A home full of settings: startup files, a kernel of one's own, a look of pictures, switches of Python."""
    spoilt = "import pandas as pd\npd.DataFrame.to_csv = lambda *_, **__: 'mine'\n"
    spoilt += "import matplotlib\nmatplotlib.rcParams['lines.linewidth'] = 20\n"
    look = "lines.linewidth: 20\n"
    for name, text in {
        ".ipython/profile_default/startup/mine.py": spoilt,
        ".ipython/profile_default/ipython_config.py": "c.InteractiveShellApp.exec_lines = ['1 / 0']\n",
        ".local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["false"], "display_name": "", "language": "x"}',
        ".config/matplotlib/matplotlibrc": look,
        "mine.py": spoilt,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    given = {"HOME": "", "MPLCONFIGDIR": ".config/matplotlib", "MATPLOTLIBRC": ".config/matplotlib/matplotlibrc"}
    given |= {"IPYTHONDIR": ".ipython", "JUPYTER_PATH": ".local/share/jupyter", "PYTHONSTARTUP": "mine.py"}
    for name, place in given.items():
        monkeypatch.setenv(name, str(tmp_path / place))
    for name, value in {"JUPYTER_PREFER_ENV_PATH": "0", "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error"}.items():
        monkeypatch.setenv(name, value)
    built.edit(FIRST, "print(", "assert n < 0 or print(")
    before = built.files()
    said = benign("build", "--only", "first")
    assert "cell numbers (6 of 9) failed: AssertionError" in said.errors  # that switch is off too
    built.edit(FIRST, "assert n < 0 or print(", "print(")
    assert benign("build", "--force", "--only", "first").status == 0
    for name in ("figures/fig-line.csv", "figures/fig-line.svg"):
        assert built.files()[name] == before[name], name


@pytest.mark.parametrize("name", ["chapters/matplotlibrc", "src/sitecustomize.py"])
def test_configuration_that_cannot_be_kept_out_is_a_reason(built, benign, name):
    (built.root / name).write_text("lines.linewidth: 20\n" if name.endswith("rc") else "import this\n")
    closure.home.cache_clear()
    plan = plan_of(benign("build", "--dry-run"))
    assert plan["first"] == plan["second"] == f"stale: {name.removeprefix('src/')} added"


def test_a_chapter_does_not_run_with_other_software_than_is_recorded(built, benign, monkeypatch):
    found = environment.version
    monkeypatch.setattr(environment, "version", lambda name: "0.1" if name == "matplotlib" else found(name))
    said = benign("build", "--only", "first")
    assert said.status == 1
    assert re.search(r"matplotlib 3\.\S+ would run and 0\.1 be recorded: install what the book needs", said.errors)


@pytest.mark.parametrize(
    "arguments",
    [["build"], ["release"], ["verify", "tab-throws"], ["train", "throws.Throw", "hundreds=1", "length=1.0"]],
)
def test_a_book_is_not_built_with_the_package_of_another_checkout(built, benign, tmp_path, monkeypatch, arguments):
    shutil.copytree(built.root / "src", tmp_path / "other/src")
    monkeypatch.syspath_prepend(tmp_path / "other/src")
    closure.home.cache_clear()
    assert plan_of(benign("build", "--dry-run"))["second"] == "fresh"  # a copy is as good
    (built.root / "src/needle/unused.py").unlink()
    (tmp_path / "other/src/needle/unused.py").unlink()
    built.edit("src/needle/experiments/throws.py", "run.length / 2", "run.length / 3")
    before = built.files(".")
    said = benign(*arguments)
    assert (said.status, built.files(".")) == (1, before)
    told = f"needle/experiments/throws.py of this book, in {built.root / 'src'}, is not what Python imports, from "
    assert told + f"{tmp_path / 'other/src'}: install the book's own with `pip install" in said.errors


def test_a_chapter_that_finds_another_package_than_the_build_is_not_kept(built, tmp_path):
    """The build is started where the package lies, which nobody's chapter is."""
    shutil.copytree(built.root / "src", tmp_path / "other/src")
    built.edit("src/needle/experiments/throws.py", "run.length / 2", "run.length / 3")
    done = subprocess.run(
        [sys.executable, "-m", "livingpaper.cli", "build", "--only", "second"],
        cwd=built.root / "src", env=built.environment | {"PYTHONPATH": str(tmp_path / "other/src")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    told = f"second: not kept, since it ran {tmp_path / 'other/src/needle/experiments/throws.py'}, of which the key has"
    assert told in done.stderr and "another needle.experiments.throws than the book's" in done.stderr


BESIDE = (
    "from helper import factor\nfrom pathlib import Path\n"
    "read = [float(path.read_text()) for path in sorted(Path('data').glob(f'*.{\"csv\"}'))]\n"
)


def test_what_stands_beside_a_chapter_is_in_its_key_or_is_refused(built, benign, monkeypatch):
    """A module and data files, found by a computed name, with a cache that is in the book too."""
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(built.root / "kept"))
    shutil.copytree(built.root / "_build/cache", built.root / "kept")
    for name, text in {"helper.py": "factor = 1\n", "data/a.csv": "2", "data/.hidden.csv": "3"}.items():
        (built.root / "chapters" / name).parent.mkdir(exist_ok=True)
        (built.root / "chapters" / name).write_text(text)
    built.edit(FIRST, "data = pd.DataFrame", f"{BESIDE}data = pd.DataFrame")
    said = benign("build", "--only", "first")
    assert "first: not kept, since it went through the folder chapters/data, and would not be executed" in said.errors
    built.edit("pyproject.toml", 'command = "needle"\n', 'command = "needle"\ndata = ["chapters/data/*.csv"]\n')
    assert plan_of(benign("build", "--dry-run"))["second"].startswith("stale: chapters/data/.hidden.csv added; chap")
    assert benign("build", "--only", "first").status == 0
    for name in ("helper.py", "data/a.csv", "data/.hidden.csv", "data/b.csv"):
        assert plan_of(benign("build", "--dry-run"))["first"] == "fresh"
        file = built.root / "chapters" / name
        before = file.read_text() if file.exists() else None
        file.write_text("factor = 4\n")
        how = "added" if before is None else "changed"
        assert plan_of(benign("build", "--dry-run"))["first"] == f"stale: chapters/{name} {how}"
        file.unlink() if before is None else file.write_text(before)


def test_trainings_are_done_again_when_declared_data_change_but_for_those_of_the_package(built):
    built.edit(
        "pyproject.toml", 'command = "needle"\n', 'command = "needle"\ndata = ["floor.csv", "src/needle/*.csv"]\n'
    )
    for name, text, new in (("floor.csv", "1", 1), ("floor.csv", "2", 1), ("src/needle/own.csv", "2", 0)):
        (built.root / "src/needle/own.csv").touch()
        (built.root / name).write_text(text)
        before = len(built.calls)
        process = built.start("train", "throws.Throw", "hundreds=1", "length=1.0")
        assert process.wait(timeout=60) == 0
        assert len(built.calls) == before + new


@pytest.mark.parametrize(
    "pattern, words",
    [("../*.csv", "'../*.csv', which leads out of"), ("chapters/*.scv", "'chapters/*.scv', which is no file"),
     ("linked.csv", "'linked.csv', which leads out of"), ("_build/**/*.csv", "which is no file")],
)  # fmt: skip
def test_declared_data_are_files_of_the_book(built, benign, tmp_path, pattern, words):
    (tmp_path / "mine.csv").touch()
    (built.root / "linked.csv").symlink_to(tmp_path / "mine.csv")
    built.edit("pyproject.toml", 'command = "needle"\n', f'command = "needle"\ndata = ["{pattern}"]\n')
    said = benign("build", "--dry-run")
    assert said.status == 1 and "[tool.livingpaper] data names " in said.errors and words in said.errors


# -- failures -------------------------------------------------------------------------------------


def test_a_failing_chapter_is_named_with_its_cell_and_a_dead_kernel_too(built, benign):
    before = built.files()
    built.edit(FIRST, "ax.plot(", "1 / 0\nax.plot(")
    built.edit(SECOND, "say.table(", "import os\nos._exit(7)\nsay.table(")
    said = benign("build")
    assert said.status == 1
    assert "2 of 2 chapters failed, nothing was published:" in said.errors
    assert "first: cell line (4 of 9) failed: ZeroDivisionError: division by zero" in said.errors
    assert "second: cell table (5 of 7) failed: DeadKernelError" in said.errors
    log = (built.root / "_build/stage/published/first.log").read_text()
    assert "ZeroDivisionError" in log and "\x1b" not in log
    assert built.files() == before
    assert len(built.calls) == 6  # what is swept was swept before


@pytest.mark.parametrize("text, told", [("\n", "without a message, look at the end"), ("a \ud800", r"a \ud800")])
def test_a_failure_has_words_that_can_be_printed(tmp_path, monkeypatch, text, told):
    def fail(*_, **__):
        raise ValueError(text)

    monkeypatch.setattr("papermill.execute_notebook", fail)
    monkeypatch.setattr(worker, "end_with", lambda parent: None)
    (tmp_path / "source").write_text('{"cells": []}')
    names = {name: str(tmp_path / name) for name in ("source", "output", "status", "failure", "used", "root", "folder")}
    (tmp_path / "job").write_text(json.dumps(names | {"parameters": {}, "parent": 1}))
    assert worker.main(str(tmp_path / "job")) == 1
    assert f"ValueError: {told}" in json.loads((tmp_path / "failure").read_text())["error"]


def test_what_a_cell_writes_to_standard_error_is_told_to_the_author(built, benign, executed, no_pages):
    executed(lambda job, text: text.replace('"name": "stdout"', '"name": "stderr"'))
    built.edit(FIRST, "range(n)]", "range(n + 0)]")
    said = benign("build")
    assert "first: cell numbers wrote to standard error, which no page shows: the points are 4" in said.text
    assert '"stderr"' not in (built.root / "_build/stage/published/tree" / FIRST).read_text()


def test_a_verdict_that_is_not_on_record_stops_the_paper_but_not_a_preset(built, benign):
    """The same edit; a preset publishes into its own folder and says on every page that it is not the paper."""
    before = built.files()
    built.edit(FIRST, ":record: holds", ":record: fails")
    said = benign("build")
    assert said.status == 1
    assert "verdicts differ from those on record, nothing was published:" in said.errors
    told = "first: claim-line-rises holds, on record: fails (2 [2, 2]; holds if > 1; not replicated yet)"
    assert told in said.errors
    assert built.files() == before

    said = benign("build", "--preset", "smoke")
    assert said.status == 0, said.errors
    assert built.files() == before
    pages = [path for path in (built.root / "_build/smoke/html").rglob("*.html") if "_static" not in path.parts]
    for page in pages:
        if page.name != "index.html":  # a redirection
            assert "This is the build smoke" in text_of(built, page), page
    assert len(pages) >= 5
    assert "This is the build" not in built.page("intro.html")
    (claim,) = json.loads(benign("claims", "--preset", "smoke", "--json").text)
    assert (claim["verdict"], claim["on_record"], claim["estimate"]) == ("fails", "fails", 1.0)
    (claim,) = json.loads(benign("claims", "--json").text)
    assert (claim["verdict"], claim["on_record"], claim["estimate"]) == ("holds", "holds", 2.0)


def test_pages_that_cannot_be_rendered_are_not_published(built, benign):
    before = built.files()
    built.edit("intro.md", "# A book", "# A book\n\nSee {numref}`fig-nowhere`.")
    said = benign("build")
    assert said.status == 1
    assert "the pages could not be rendered, nothing was published:" in said.errors
    assert re.search(r"^  intro\.md:3: WARNING: .*fig-nowhere", said.errors, re.MULTILINE)
    assert Path(only(said.errors, "log: ").removeprefix("log: ")).is_file()
    assert built.files() == before


def test_a_chapter_is_stopped_at_the_time_limit_with_its_kernel(built, benign, monkeypatch):
    def clock():  # an hour later once the second batch hangs, so that nobody waits for it
        return time.monotonic() + (3600 if "2 0" in built.calls else 0)

    built.calls_file.unlink()
    built.hold.touch()
    built.edit("src/needle/experiments/throws.py", "time.sleep(0.05)", "time.sleep(0.06)")
    monkeypatch.setattr("livingpaper.build.execute.time", SimpleNamespace(monotonic=clock, sleep=time.sleep))
    said = benign("build", "--time-limit", "600")
    assert said.status == 1
    assert "second: stopped after the time limit of 600 s, in cell run (4 of 7)" in said.errors
    assert ": allow more with --time-limit; finished trainings are kept" in said.errors
    assert sorted(built.calls) == ["1 0", "1 1", "2 0", "2 1"]
    assert built.processes() == []


def test_a_notebook_that_is_edited_after_the_plan_runs_as_planned(built, benign, executed, monkeypatch):
    def edit_then_show(*arguments):
        built.edit(SECOND, "seeds += 1", "raise ValueError")
        show(*arguments)

    def run(job, text):
        ran.extend(cell.source for cell in job.notebook.cells if cell.id == "table")
        return text

    ran, show = [], cli.executing._show_plan
    executed(run)
    monkeypatch.setattr(cli.executing, "_show_plan", edit_then_show)
    built.edit(FIRST, "range(n)]", "range(n + 0)]")
    built.edit(SECOND, "say.table(", "seeds += 1\nsay.table(")
    said = benign("build", "--only", "second")
    assert said.status == 0, said.errors
    assert ran == ['seeds += 1\nsay.table("tab-throws", table)']


def test_a_module_that_is_edited_while_a_chapter_runs_is_not_taken_for_what_ran(built, benign, executed):
    def edit_while_running(job, text):
        built.edit("src/needle/experiments/throws.py", '"""Needles thrown', '"""Needles that were thrown')
        return text

    executed(edit_while_running)
    said = benign("build", "--only", "second", "--force")
    assert said.status == 1
    assert "second: not kept, since needle/experiments/throws.py changed while it ran: run" in said.errors
    assert plan_of(benign("build", "--dry-run"))["second"].startswith("stale: ")


# -- damage ---------------------------------------------------------------------------------------


def test_a_damaged_site_is_neither_fresh_nor_released(built, benign, no_pages):
    built.edit("_build/html/claims.json", '"verdict": "holds"', '"verdict": "fails"')
    (built.site / "figures/fig-line.csv").write_text("")
    again = "rendered again, for these were not as published: claims.json and 1 more"
    said = benign("claims")
    assert said.status == 1 and "claims.json is not as it was published: build the site again" in said.errors
    assert again in benign("release", "--output", "paper.zip").text
    assert "0 of 2 chapters executed, nothing had changed" in benign("build").text
    (built.site / "index.html").write_text("forged")
    assert "rendered again, for these were not as published: index.html;" in benign("build").text


def test_damaged_outputs_and_trainings_are_computed_again_with_the_same_result(built, benign, no_pages):
    before = built.files()["figures/tab-throws.csv"].decode()
    (notebook,) = [
        path for path in (built.root / "_build/cache/notebooks").glob("*/*.ipynb") if "tab-throws" in path.read_text()
    ]
    notebook.write_bytes(notebook.read_bytes().replace(b"0.", b"9."))
    parts = sorted((built.root / "_build/cache/results").glob("*/*.parquet"))
    assert len(parts) == 3
    parts[0].write_bytes(parts[0].read_bytes()[:-9])
    damaged = "stale: its cached outputs are damaged"
    assert plan_of(benign("build", "--dry-run")) == {"first": "fresh", "second": damaged}
    said = benign("build")
    assert said.status == 0, said.errors
    assert "1 of 2 chapters executed" in said.text
    assert len(built.calls) == 8  # the two runs in the damaged part, and no other
    assert plan_of(benign("build", "--dry-run")) == {"first": "fresh", "second": "fresh"}
    folder = only(benign("run", "second").text, "Notebook, figures, claims").partition(": ")[2]
    assert Path(folder, "figures/tab-throws.csv").read_text() == before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"parts": {}, "run": {}, "notebook": "", "sha256": ""}'])
def test_a_damaged_entry_is_a_reason_not_a_crash(built, benign, content):
    for path in (built.root / "_build/cache/notebooks").glob("*/entry.json"):
        path.write_text(content)
    damaged = "stale: its cached outputs are damaged"
    assert plan_of(benign("build", "--dry-run")) == {"first": damaged, "second": damaged}


def test_a_site_that_was_taken_away_by_a_kill_is_brought_back_by_the_next_command_even_if_that_fails(built, benign):
    before = built.files()
    built.site.rename(built.root / "_build/.html.old")
    built.edit(FIRST, ":record: holds", ":record: fails")
    assert benign("build").status == 1
    assert built.files() == before


def test_an_interrupt_between_taking_the_old_site_away_and_putting_up_the_new_one(built, monkeypatch):
    pages = built.root / "_build/pages"
    shutil.copytree(built.site, pages)
    before, replace = built.files(), os.replace

    def interrupted(source, target):
        if Path(source) == pages:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(render.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render.put_up(pages, built.site)
    assert built.files() == before


# -- where nothing can be written -----------------------------------------------------------------


@pytest.mark.parametrize("broken", ["assemble.shutil.copy", "render.subprocess.run"])
def test_a_full_disk_while_pages_are_made_loses_nothing(built, benign, monkeypatch, broken):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = built.files()
    built.edit("intro.md", "# A book", "# Another book")
    monkeypatch.setattr(f"livingpaper.build.{broken}", full)
    said = benign("build")
    assert said.status == 1
    assert "the disk is full" in said.errors
    assert built.files() == before


def test_a_build_folder_that_cannot_be_made(unbuilt, benign):
    (unbuilt.root / "_build").write_text("a file where the folder should be")
    said = benign("build")
    assert said.status == 1
    assert re.search(r"error: cannot write .*_build", said.errors) and "Traceback" not in said.errors


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder that even root cannot write to: /sys")
def test_a_cache_folder_that_cannot_be_written(built, benign, monkeypatch):
    """The permissions of an ordinary folder would not stop root, as whom tests often run in containers."""
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", "/sys/kernel/needle")
    before = built.files()
    said = benign("build")
    assert said.status == 1
    assert "cannot write /sys/kernel/needle" in said.errors and "first: starting" not in said.text
    assert built.files() == before


# -- choices --------------------------------------------------------------------------------------


def test_only_and_force_execute_the_named_chapter_and_say_what_the_pages_still_need(built, benign, executed):
    executed()
    before = built.files()
    built.edit(FIRST, "range(n)]", "range(n + 0)]")
    said = benign("build", "--only", "second", "--force")
    assert said.status == 0, said.errors
    assert only(said.text, "first: ") == "first: stale: cell line changed (left out by --only)"
    assert only(said.text, "second: stale") == "second: stale: asked for by --force"
    assert "1 chapters executed. The pages need first too: run it without --only." in said.text
    assert plan_of(benign("build", "--dry-run")) == {"first": "stale: cell line changed", "second": "fresh"}
    assert built.files() == before


def test_run_writes_a_folder_for_who_ran_a_chapter_again(built, benign):
    before = built.files()
    said = benign("run", "first", "-p", "n=3", "-p", "slope=1.0")
    assert said.status == 0, said.errors
    folder = Path(only(said.text, "Notebook, figures, claims").partition(": ")[2])
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "first.ipynb", "claims.json", "run.json",
        "figures/fig-line.csv", "figures/fig-line.pdf", "figures/fig-line.png", "figures/fig-line.svg",
        "figures/fig-line.narrow.svg",
    }  # fmt: skip
    assert (folder / "figures/fig-line.csv").read_text() == "point,value\n0,0.1\n1,1.1\n2,2.1\n"
    assert (folder / "figures/fig-line.pdf").read_bytes().startswith(b"%PDF")
    (claim,) = json.loads((folder / "claims.json").read_text())["claims"]
    assert claim["verdict"] == "fails"
    assert "Parameters: n 4 → 3, slope 2.0 → 1.0" in said.text and re.search("holds +1 .* fails +changed", said.text)
    assert json.loads((folder / "run.json").read_text())["overrides"] == {"n": 3, "slope": 1.0}
    notebook = nbformat.read(folder / "first.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert any("n = 3" in cell.source for cell in notebook.cells if cell.id == "injected-parameters")
    assert str(built.root) not in (folder / "first.ipynb").read_text()
    assert built.files() == before
    assert "executed" not in benign("run", "first", "-p", "slope=1.0", "-p", "n=3").text  # found, not run


# -- the book without the command -----------------------------------------------------------------


def test_papermill_alone_runs_a_chapter(built):
    done = subprocess.run(
        [sys.executable, "-m", "papermill", FIRST, "out.ipynb", "-p", "n", "5"],
        cwd=built.root, env=built.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outputs = [
        output for cell in nbformat.read(built.root / "out.ipynb", 4).cells for output in cell.get("outputs", [])
    ]
    (figure,) = [output for output in outputs if "image/png" in output.get("data", {})]
    assert figure.data["application/vnd.livingpaper.figure+json"]["files"]["csv"].count("\n") == 6


def test_jupyter_book_alone_builds_the_book(unbuilt):
    # What lies around in a clone: a virtual environment whose packages bring notebooks that fail, and tools' caches.
    broken = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    (unbuilt.root / ".venv/lib").mkdir(parents=True)
    nbformat.write(broken, unbuilt.root / ".venv/lib/broken.ipynb")
    (unbuilt.root / ".pytest_cache").mkdir()
    (unbuilt.root / ".pytest_cache/README.md").write_text("# A cache\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", "."],
        cwd=unbuilt.root, env=unbuilt.environment | {"LIVINGPAPER_CACHE_DIR": str(unbuilt.root / "cache")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING:" not in done.stdout + done.stderr
    assert "A line of 4 points." in re.sub(r"\s+", " ", text_of(unbuilt, "chapters/first.html"))
    assert (unbuilt.site / "figures/fig-line.csv").is_file()
