"""What the command lists, and what it says when there is nothing yet."""

import json
import re
import socket
import subprocess
import sys

import pandas as pd
import pytest

from livingpaper import __version__


def test_lists_are_tables_for_people_and_json_for_programs(built, benign):
    parameters = json.loads(benign("parameters", "first", "--json").text)
    assert parameters[0] == {
        "chapter": "first",
        "name": "n",
        "type": "int",
        "published": 4,
        "allowed": "int in [1, 100]",
        "meaning": "number of points",
    }
    assert len(json.loads(benign("parameters", "--json").text)) == 9
    figures = json.loads(benign("figures", "--json").text)
    assert [(row["id"], row["number"], row["page"]) for row in figures] == [
        ("fig-line", "1", "chapters/first.html#fig-line"),
        ("tab-throws", "1", "chapters/second.html#tab-throws"),
    ]
    (claim,) = json.loads(benign("claims", "--json").text)
    assert (claim["id"], claim["verdict"], claim["interval"]) == ("claim-line-rises", "holds", [2.0, 2.0])
    shown = {name: benign(name) for name in ("parameters", "figures", "claims")}
    assert all(said.status == 0 and said.errors == "" for said in shown.values())
    assert re.search(r"gap +0\.1 +float in \[0, 0\.5\) +crossings of a needle without length", shown["parameters"].text)
    assert "['a', 'b']" in shown["parameters"].text
    assert "A line of 4 points." in shown["figures"].text
    assert "[2, 2]" in shown["claims"].text and "ours" in shown["claims"].text
    assert claim["statement"] in shown["claims"].text and "1 of 1 claims" in shown["claims"].text


def test_claims_are_chosen_by_verdict_and_chapter(benign, built):
    assert "claim-line-rises" in benign("claims", "first", "--verdict", "holds").text
    assert benign("claims", "--verdict", "fails").text.strip() == "0 of 1 claims"
    assert json.loads(benign("claims", "second", "--json").text) == []
    said = benign("claims", "--verdict", "true")
    assert said.status == 1 and "a claim is one of holds, fails, unresolved, not testable" in said.errors
    said = benign("claims", "fist")
    assert (said.status, said.errors) == (1, "error: there is no chapter 'fist': did you mean 'first'?\n")


@pytest.mark.parametrize("command", [["figures"], ["claims", "--json"], ["serve"], ["release"], ["pdf"]])
@pytest.mark.parametrize("preset", [[], ["--preset", "smoke"]])
def test_before_any_build_it_says_which_command_makes_one(unbuilt, benign, command, preset):
    said = benign(*command, *preset)
    assert said.status == 1 and said.text == ""
    assert f"run `{' '.join(['needle build', *preset])}` first" in said.errors


def test_unknown_chapters_are_refused_with_the_nearest_name(unbuilt, benign):
    for arguments in (["run", "frist"], ["parameters", "frist"]):
        said = benign(*arguments)
        assert (said.status, said.errors) == (1, "error: there is no chapter 'frist': did you mean 'first'?\n")


def test_outside_a_book_it_says_where_to_run_it(tmp_path, monkeypatch, benign):
    monkeypatch.chdir(tmp_path)
    said = benign("build")
    assert said.status == 1
    assert said.errors.startswith("error: there is no book at") and "has a _toc.yml" in said.errors


def test_a_port_that_is_taken(built, benign):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = benign("serve", "--port", str(taken.getsockname()[1]))
    assert said.status == 1
    assert "Address already in use; choose another with --port, or 0 for any" in said.errors


def test_the_installed_command_is_this_one():
    done = subprocess.run([sys.executable, "-m", "livingpaper.cli", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    "command", ["build", "run", "replicate", "claims", "cite", "verify", "diff", "release", "pdf", "new", "serve"]
)
def test_every_command_has_help_with_an_example_of_this_paper(unbuilt, benign, command):
    said = benign(command, "--help")
    assert said.status == 0 and f"needle {command}" in said.text and "Examples:" in said.text


def trained(book, *arguments):
    """The status and words of ``benign train``, in a process that has the book's copy of the package."""
    process = book.start("train", *arguments)
    said, _ = process.communicate(timeout=100)
    return process.returncode, said


def test_train_computes_one_setting_as_the_sweep_of_a_chapter_does(built):
    setting = ("throws.Throw", "hundreds=3", "length=1.0", "--seeds", "2")
    status, said = trained(built, *setting, "--json")
    assert status == 0, said
    published = pd.read_csv(built.site / "figures/tab-throws.csv")
    assert json.loads(said) == published[published.hundreds == 3].to_dict("records")
    status, said = trained(built, setting[0], "hundreds=3e0", *setting[2:])
    assert status == 0 and re.search(r"crossed +0\.\d+ +0\.\d+ +0\.\d+ +share of the needles", said)
    assert len(built.calls) == 6  # they come from the store
    status, said = trained(built, *setting[:3], "--seeds", "1", "--first-seed", "1", "--json")
    assert (status, json.loads(said)) == (0, published[published.hundreds == 3].to_dict("records")[1:])


def test_train_finds_an_experiment_in_the_folder_where_one_stands(built):
    (built.root / "mine.py").write_text(
        "from needle.experiments.throws import Throw\n\n\nclass Mine(Throw):\n    pass\n"
    )
    status, said = trained(built, "mine.Mine", "hundreds=1", "length=1.0", "--json")
    assert (status, [run["hundreds"] for run in json.loads(said)]) == (0, [1])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["thorws.Throw"], "there is no experiment 'thorws.Throw': did you mean 'throws'?"),
        (["throws.Thorw"], "there is no experiment 'Thorw' in throws: did you mean 'Throw'?"),
        (["throws.Throw", "hundreds"], "'hundreds' is no setting: write it as name=value"),
        (["throws.Throw", "hundreds=one"], "hundreds='one' is neither number nor list"),
        (["throws.Throw", "hundreds={[]:1}"], "hundreds='{[]:1}' is neither number nor list"),
        (["throws.Throw", "hundreds=1", "hundreds=2"], "hundreds is given twice"),
        (["throws.Throw", "hundreds=1", "lenght=2"], "did you mean 'length'?"),
        (["throws.Throw", "hundreds=1"], "needs length"),
    ],
)
def test_train_refuses_what_it_cannot_read(unbuilt, benign, arguments, error):
    said = benign("train", *arguments)
    for name in [name for name in sys.modules if name.partition(".")[0] == "needle"]:
        del sys.modules[name]
    assert said.status == 1 and error in said.errors


def test_train_says_in_a_line_what_the_paper_refuses_while_it_runs(unbuilt):
    """Its own errors; any other is a fault of the code, which has a traceback."""
    refusing = (
        'class Lost(Exception):\n    """Ours."""\n\n\ndef crossed(run):\n    raise Lost("length is 2.0: too long")\n'
    )
    unbuilt.edit("src/needle/experiments/throws.py", "def crossed(run):\n", refusing)
    setting = ("throws.Throw", "hundreds=1", "length=2.0")
    assert trained(unbuilt, *setting) == (1, "error: throws.Throw: length is 2.0: too long\n")
    unbuilt.edit("src/needle/experiments/throws.py", "raise Lost(", "raise ValueError(")
    status, said = trained(unbuilt, *setting)
    assert status == 1 and said.startswith("Traceback")


def test_train_says_which_module_it_cannot_import(unbuilt, benign):
    unbuilt.edit("pyproject.toml", "needle.experiments", "needle.experimens")
    assert "error: cannot import needle.experimens: No module named" in benign("train", "throws.Throw").errors
