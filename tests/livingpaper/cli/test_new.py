"""A new chapter: it passes what is asked of every chapter, and runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_new_chapter_passes_the_checks_of_the_book_and_runs(tmp_path):
    left_out = shutil.ignore_patterns("_build", ".*", "__pycache__", "*.egg-info", "vendor")
    book = tmp_path / "book"
    shutil.copytree(ROOT, book, ignore=left_out)
    before = {
        path: (book / path).read_text() for path in ("_toc.yml", "ids.yml", "presets/smoke.yml", "presets/full.yml")
    }
    environment = os.environ | {"PYTHONPATH": str(book / "src")}

    def run(*words):
        done = subprocess.run([sys.executable, "-m", *words], cwd=book, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "benign run my-question --preset smoke" in run(
        "livingpaper.cli", "new", "my-question", "--title", "What now?"
    )
    for path, text in before.items():
        lines = (book / path).read_text().splitlines()
        left, kept = iter(lines), text.splitlines()
        assert all(line in left for line in kept), "every line is still there, comments too, in its order"
        assert len(lines) > len(kept)
    wanted = "my-question or used_once or registered or a_preset_names or the_smoke_preset"
    wanted = f"({wanted}) and not (shows_its or leads_to_its)"  # which look at pages
    passed = run("pytest", "-q", "tests/test_book.py", "tests/book/test_colab.py", "-k", wanted)
    assert int(re.search(r"(\d+) passed", passed)[1]) >= 10
    for command in ("check", "format --check"):
        subprocess.run([Path(sys.executable).with_name("ruff"), *command.split(), "chapters"], cwd=book, check=True)
    assert "my-question: done" in run("livingpaper.cli", "build", "--preset", "smoke", "--only", "my-question")


@pytest.mark.timeout(300)
def test_the_pages_have_it_and_its_claim_has_the_verdict_on_record(built, benign):
    assert benign("new", "what-now").status == 0
    said = benign("build")  # at its published values, where a verdict other than that on record is refused
    assert said.status == 0, said.errors
    page = built.page("chapters/what-now.html")
    assert "<h1>What now" in page
    assert 'id="fig-what-now"' in page
    assert 'id="claim-what-now"' in page


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["first"], "there is already chapters/first.ipynb: choose another name"),
        (["claims"], "there is already claims.md: choose another name"),
        (["line"], "first has the id 'fig-line' already: choose another name"),
        (["My_Question"], "use lower-case words joined by single hyphens, e.g. my-question"),
        (["what-now", "--part", "One"], "_toc.yml has no part 'One': it has no parts"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(unbuilt, benign, words, complaint):
    before = unbuilt.files(".")
    said = benign("new", *words)
    assert said.status == 1
    assert complaint in said.errors.replace("\n", " ")
    assert unbuilt.files(".") == before


def test_it_stands_in_the_part_that_is_asked_for(unbuilt, benign):
    (unbuilt.root / "_toc.yml").write_text(
        "# order of reading\nformat: jb-book\nroot: intro\nparts:\n"
        "  - caption: One\n    chapters:\n      - file: chapters/first\n        sections:\n          - file: claims\n"
        "  - caption: Two\n    chapters:\n      - file: chapters/second # last\n"
    )
    assert benign("new", "in-one", "--part", "One").status == 0
    assert benign("new", "in-two").status == 0
    text = (unbuilt.root / "_toc.yml").read_text()
    assert text.startswith("# order of reading\n") and "chapters/second # last\n" in text
    one, two = yaml.safe_load(text)["parts"]
    assert [entry["file"] for entry in one["chapters"]] == ["chapters/first", "chapters/in-one"]
    assert [entry["file"] for entry in two["chapters"]] == ["chapters/second", "chapters/in-two"]
    assert "did you mean 'One'" in benign("new", "again", "--part", "Ones").errors


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("_toc.yml", "format: jb-book\nroot: intro\nchapters: [{file: chapters/first}, {file: chapters/second}]\n"),
        ("presets/smoke.yml", "chapters: {first: {n: 2}, second: {seeds: 1}}\n"),
        ("presets/smoke.yml", "chapters:\n  first: {n: 2}\ntime_limit: 100\n"),
        ("ids.yml", "published:\n  first: [fig-line]\nrenamed: {}\n"),
    ],
)
def test_a_file_that_cannot_be_added_to_is_left_alone_and_the_remedy_said(unbuilt, benign, file, text):
    (unbuilt.root / file).write_text(text)
    before = unbuilt.files(".")
    said = benign("new", "what-now")
    assert said.status == 1
    assert file in said.errors and "add" in said.errors
    assert unbuilt.files(".") == before
