"""An executed notebook comes back whole or not at all."""

import errno
import json

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from livingpaper import files
from livingpaper.build.cache import Entry, NotebookCache
from livingpaper.errors import PaperError

PARTS = {"cells": [["a", "1"]], "parameters": {"n": 5}}


def entry(text="1", variant="published", started="2026-01-01", parts=PARTS):
    output = new_output("stream", text=text)
    notebook = new_notebook(cells=[new_code_cell("print(1)", id="a", outputs=[output])])
    return Entry(notebook, parts, {"chapter": "one", "variant": variant, "started": started})


@pytest.fixture
def cache(tmp_path):
    return NotebookCache(tmp_path)


@pytest.fixture
def key(cache):
    key = cache.key("one", PARTS)
    cache.save(key, entry())
    return key


def folder(tmp_path):
    return next((tmp_path / "notebooks").iterdir())


def test_what_was_saved_is_loaded(cache, key):
    assert cache.load(key) == entry()
    assert key in cache


def test_an_entry_can_be_replaced_and_leaves_nothing_behind(cache, key, tmp_path):
    cache.save(key, entry("2"))
    assert cache.load(key) == entry("2")
    assert len(list(folder(tmp_path).iterdir())) == 2


def test_any_flipped_byte_is_noticed(cache, key, tmp_path):
    for path in folder(tmp_path).iterdir():
        content = path.read_bytes()
        for position in range(0, len(content), 7):
            path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
            assert cache.load(key) in (None, entry()), f"byte {position} of {path.name}"
        path.write_bytes(content)
    assert cache.load(key) == entry()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"3", b'"text"', b"{}", b'{"sha256": 1}', b"\xff"])
@pytest.mark.parametrize("name", ["entry.json", "*.ipynb"])
def test_a_truncated_or_foreign_file_is_no_entry(cache, key, tmp_path, name, content):
    next(folder(tmp_path).glob(name)).write_bytes(content)
    assert cache.load(key) is None
    assert cache.nearest("one", "published") == (PARTS if name == "*.ipynb" else None)


def test_an_entry_under_a_foreign_key_is_not_served(cache, key, tmp_path):
    folder(tmp_path).rename(tmp_path / "notebooks" / "another")
    assert cache.load("another") is None


def test_the_record_of_the_run_is_under_the_digest_too(cache, key, tmp_path):
    path = folder(tmp_path) / "entry.json"
    about = json.loads(path.read_text())
    about["run"]["started"] = "2027-01-01"
    path.write_text(json.dumps(about))
    assert cache.load(key) is None


def test_a_full_disk_while_replacing_keeps_the_old_entry(cache, key, monkeypatch):
    def full(path, content):
        raise files.cannot_write(path, OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr("livingpaper.build.cache.write_atomically", full)
    with pytest.raises(PaperError, match="the disk is full: free some space"):
        cache.save(key, entry("2"))
    assert cache.load(key) == entry()


def test_a_kill_between_the_two_files_keeps_the_old_entry(cache, key, monkeypatch):
    def killed(path, content):
        if path.name == "entry.json":
            raise KeyboardInterrupt
        files.write_atomically(path, content)

    monkeypatch.setattr("livingpaper.build.cache.write_atomically", killed)
    with pytest.raises(KeyboardInterrupt):
        cache.save(key, entry("2"))
    assert cache.load(key) == entry()


def test_the_nearest_run_is_the_latest_of_the_same_variant(cache):
    for number, (variant, started) in enumerate(
        [("smoke", "2026-01-01"), ("smoke", "2026-01-02"), ("full", "2026-01-03")]
    ):
        parts = PARTS | {"number": number}
        cache.save(cache.key("one", parts), entry(variant=variant, started=started, parts=parts))
    assert cache.nearest("one", "smoke")["number"] == 1
    assert cache.nearest("one", "published")["number"] == 2
    assert cache.nearest("two", "smoke") is None
