"""The cell that installs the package on Colab, run where Colab, its server and its commands are stand-ins."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from benign.book import colab, keys
from benign.book.project import Project

PROJECT = Project(Path(__file__).parents[2])
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def commands(monkeypatch):
    """What the cell would have run."""
    ran = []
    monkeypatch.setattr("subprocess.run", lambda command, check: ran.append(command))
    monkeypatch.setattr(os, "chdir", lambda folder: ran.append(["cd", folder]))
    return ran


@pytest.fixture
def opened_from(monkeypatch):
    """A function that makes this process one on Colab, with a notebook that was opened from an address."""
    servers = []

    def start(path):
        class Sessions(BaseHTTPRequestHandler):
            def do_GET(self):
                assert self.path == "/api/sessions"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps([{"path": path, "name": "phenomenon.ipynb"}]).encode())

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Sessions)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
        monkeypatch.setenv("COLAB_JUPYTER_IP", "127.0.0.1")
        monkeypatch.setenv("KMP_TARGET_PORT", str(server.server_address[1]))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_elsewhere_the_cell_does_nothing(commands):
    exec(colab.SOURCE, {})
    assert commands == []


def test_on_colab_it_installs_the_commit_that_the_notebook_was_opened_at(commands, opened_from):
    opened_from("fileId=" + quote(f"https://github.com/owner/name/blob/{COMMIT}/chapters/phenomenon.ipynb", safe=""))
    exec(colab.SOURCE, {})
    assert commands == [
        ["git", "clone", "--quiet", "https://github.com/owner/name", "/content/book"],
        ["git", "-C", "/content/book", "checkout", "--quiet", COMMIT],
        [sys.executable, "-m", "pip", "install", "--quiet", "/content/book"],
        ["cd", "/content/book/chapters"],
    ]


def test_a_second_run_of_the_cell_does_not_clone_again(commands, opened_from, monkeypatch):
    opened_from("fileId=" + quote(f"https://github.com/owner/name/blob/{COMMIT}/chapters/phenomenon.ipynb", safe=""))
    monkeypatch.setattr(os.path, "isdir", lambda folder: True)
    exec(colab.SOURCE, {})
    assert [command[1] for command in commands] == ["-C", "-m", "/content/book/chapters"]


def test_a_copy_whose_address_names_no_commit_says_what_to_do(commands, opened_from):
    opened_from("fileId=1a2b3c")
    with pytest.raises(RuntimeError, match="fileId=1a2b3c.*open it from GitHub"):
        exec(colab.SOURCE, {})
    assert commands == []


@pytest.mark.parametrize("chapter", sorted(PROJECT.chapters))
def test_it_is_the_first_code_cell_of_every_chapter(chapter):
    first = next(cell for cell in PROJECT.notebook(chapter).cells if cell.cell_type == "code")
    wanted = colab.cell()
    assert (first.id, first.source, first.metadata) == (wanted.id, wanted.source, wanted.metadata), (
        "copy the cell 'colab' of another chapter"
    )


def test_no_key_depends_on_it():
    parameters = new_code_cell("n: int = 1  # number, in [1, 2]", id="parameters", metadata={"tags": ["parameters"]})
    without, with_it = new_notebook(cells=[parameters]), new_notebook(cells=[colab.cell(), parameters])
    assert keys.parts(with_it, {"n": 1}) == keys.parts(without, {"n": 1})
