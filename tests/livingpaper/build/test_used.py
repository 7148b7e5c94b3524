"""What a process tells of the files and modules that it uses, and which of them a key must have."""

import subprocess
import sys

import pytest

from livingpaper.build import used
from livingpaper.errors import PaperError


@pytest.fixture
def book(tmp_path):
    root = tmp_path / "book"
    for name in ("_toc.yml", "chapters/data/a.csv", "chapters/.hidden", "venv/site-packages/x.csv", "cache/x"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "pyproject.toml").write_text('[tool.livingpaper]\ndata = ["chapters/*/*.csv"]\n')
    (root / "chapters/helper.py").write_text("import os\n")
    (tmp_path / "outside.csv").touch()
    (tmp_path / "link").symlink_to(root)
    return root


@pytest.mark.parametrize(
    "code, expected",
    [
        ("open('data/a.csv')", ["chapters/data/a.csv"]),
        ("import pathlib; pathlib.Path('data/' + 'a.csv').read_text()", ["chapters/data/a.csv"]),
        ("import numpy as np; np.fromfile(b'data/a.csv')", ["chapters/data/a.csv"]),
        ("import os; os.close(os.open('.hidden', os.O_RDONLY))", ["chapters/.hidden"]),
        ("open('../../link/chapters/.hidden')", ["chapters/.hidden"]),
        ("import sqlite3; sqlite3.connect('data/a.csv')", ["chapters/data/a.csv"]),
        ("import glob; glob.glob('dat*/*.csv')", ["chapters/", "chapters/data/"]),
        ("import pathlib; list(pathlib.Path('data').iterdir())", ["chapters/data/"]),
        ("import os; os.listdir()", ["chapters/"]),
        ("import runpy; runpy.run_path('helper.py')", ["chapters/helper.py"]),
        ("open('data/a.csv', 'a').close(); open('data/a.csv')", ["chapters/data/a.csv"]),
        (
            "import contextlib\n    with contextlib.suppress(OSError): open('.hidden', 'x')\n    open('.hidden')",
            ["chapters/.hidden"],
        ),
        ("import helper", ["chapters/helper.py", "module chapters/helper.py"]),
        ("open('/'.join(['..', 'pyproject.toml'])).read()", ["pyproject.toml"]),
        # not the chapter's, or none that was there before it
        ("open('../../outside.csv'); open('../venv/site-packages/x.csv'); open('../cache/x')", []),
        ("open('new.csv', 'w').write('1'); open('new.csv').read()", []),
        ("import pandas, importlib.metadata; importlib.metadata.version('pandas')", []),
        ("from livingpaper import settings; settings.read()", []),
        ("from livingpaper.sweep import engine; engine._data()", []),
        ("open('none.csv\\0')", []),
    ],
)
def test_a_process_tells_what_it_uses_of_the_book(book, tmp_path, code, expected):
    start = (
        f"from pathlib import Path; from livingpaper.build import used; used.watch(Path({str(tmp_path / 'told')!r}), "
    )
    start += f"Path({str(book)!r}))\ntry:\n    "
    given = {"LIVINGPAPER_CACHE_DIR": str(book / "cache"), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", f"{start}{code}\nexcept ValueError:\n    pass"],
        cwd=book / "chapters", env=given, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    versions, *lines = used.told(tmp_path / "told")
    assert versions["versions"]["pandas"]
    here = f"{book}/"
    assert [
        line["file"] if "file" in line else f"module {line['path'].removeprefix(here)}"
        for line in lines
        if "file" in line or line["path"].startswith(here)
    ] == expected


def ran(module, path):
    return {"module": module, "path": path, "digest": "1"}


def parts(files=(), **modules):
    return {"files": dict.fromkeys(files, "1"), "modules": {f"{name}.py": digest for name, digest in modules.items()}}


@pytest.mark.parametrize(
    "lines, key, patterns, words",
    [
        (
            [{"file": "chapters/data/a.csv"}],
            parts(),
            [],
            'read chapters/data/a.csv, and .* data = \\["chapters/data',
        ),
        ([{"file": "chapters/data/a.csv"}], parts(["chapters/data/a.csv"]), [], ""),
        ([{"file": "chapters/first.ipynb"}, {"file": "gone.csv"}, {"file": "gone/"}], parts(), [], ""),
        ([{"file": "chapters/data/"}], parts(), ["chapters/data/a.csv"], 'folder chapters/data, .*"chapters/data/\\*"'),
        ([{"file": "chapters/data/"}], parts(), ["chapters/data/*.csv"], ""),
        ([{"file": "chapters/"}, {"file": "chapters/data/"}], parts(), ["chapters/*/*.csv"], ""),
        ([ran("helper", "ROOT/chapters/helper.py")], parts(), [], "it ran .*chapters/helper.py, and would"),
        ([ran("helper", "ROOT/chapters/helper.py")], parts(**{"chapters/helper": "1"}), [], ""),
        ([ran("helper", "ROOT/chapters/helper.py")], parts(**{"chapters/helper": "2"}), [], "has other content: run"),
        ([ran("needle", "/elsewhere/needle/__init__.py")], parts(**{"needle/__init__": "1"}), [], ""),
        (
            [ran("needle.a", "/elsewhere/needle/a.py")],
            parts(**{"needle/a": "2"}),
            [],
            "another needle.a than",
        ),
        ([ran("needle.b", "/elsewhere/needle/b.py")], parts(), [], "needle/b.py, and would not be"),
        ([ran("helper", "/elsewhere/helper.py")], parts(), [], ""),
        ([ran("helper", "/mine/helper.py")], parts(), [], "/mine/helper.py, and would not .* packages in"),
    ],
)
def test_what_a_key_does_not_have_is_refused(book, monkeypatch, lines, key, patterns, words):
    monkeypatch.setenv("PYTHONPATH", "/mine")
    (book / "chapters/first.ipynb").touch()
    lines = [{name: text.replace("ROOT", str(book)) for name, text in line.items()} for line in lines]
    compare = (lines, key, book, book.relative_to(book) / "chapters/first.ipynb", ["needle"], patterns)
    if not words:
        return used.check(*compare)
    with pytest.raises(PaperError, match=words):
        used.check(*compare)
