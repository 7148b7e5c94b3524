"""The result store: what it keeps, what it refuses to serve, and what it says when it cannot write."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from livingpaper.errors import PaperError
from livingpaper.files import sha256
from livingpaper.sweep.store import PAUSE, RUN, SECONDS, Store, digest

TABLES = {"a": pd.DataFrame({"x": [1.5, np.nan], "k": [1, 2]}), "b": pd.DataFrame({"x": [0.1], "k": [3]})}


def test_tables_come_back_as_they_were(own_cache):
    store = Store({"code": 1})
    store.save(TABLES, seconds=3.0)
    found = store.load(["b", "c", "a"])  # in the order asked for
    expected = pd.concat([TABLES["b"].assign(**{RUN: "b"}), TABLES["a"].assign(**{RUN: "a"})], ignore_index=True)
    # a batch of two that took three seconds
    expected[SECONDS] = 1.5
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected, check_exact=True)
    assert set(store.load(["b"])[RUN]) == {"b"}
    (folder,) = (own_cache / "results").iterdir()
    assert json.loads((folder / "key.json").read_text()) == {"code": 1}


def test_many_small_batches_are_few_files_and_none_is_lost(own_cache, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("livingpaper.sweep.store.time.monotonic", lambda: now[0])
    store = Store({"code": 1})
    with pytest.raises(RuntimeError, match="the machine went away"), store.collecting() as save:
        for name, files in [("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 2)]:
            save({name: TABLES["a"].assign(k=ord(name))}, seconds=2.0)
            assert len(list(own_cache.rglob("*.parquet"))) == files  # at once the first, later what came in between
            now[0] += PAUSE / 2.5
        raise RuntimeError("the machine went away")
    assert len(list(own_cache.rglob("*.parquet"))) == 3
    found = store.load("edcba")
    assert list(found.k) == [ord(name) for name in "eeddccbbaa"]
    assert set(found[SECONDS]) == {2.0}


def test_a_run_that_two_builds_kept_is_there_once():
    store = Store({"code": 1})
    store.save(TABLES, seconds=3.0)
    store.save({"a": TABLES["a"]}, seconds=1.0)
    assert list(store.load(["a", "b"])[RUN]) == ["a", "a", "b"]


def test_files_of_other_runs_are_not_opened_again(own_cache, monkeypatch):
    store = Store({"code": 1})
    for name in "abc":
        store.save({name: TABLES["a"]}, seconds=3.0)
    opened = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: opened.append(self) or read(self))
    assert set(store.load(["b"])[RUN]) == {"b"} and store.load(["d"]).empty
    assert len(opened) == 1
    monkeypatch.setattr("livingpaper.sweep.store._runs_in", {})  # as in a new process
    assert set(store.load(["b"])[RUN]) == {"b"} and store.load(["d"]).empty
    known = len(opened)
    assert set(store.load(["a", "c"])[RUN]) == {"a", "c"} and len(opened) == known + 2


def test_other_code_has_other_results():
    Store({"code": 1}).save(TABLES, seconds=3.0)
    assert Store({"code": 2}).load(["a"]).empty


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: b"", lambda c: c[:40] + b"!" + c[41:]])
def test_a_damaged_file_is_not_served(own_cache, damage):
    store = Store({"code": 1})
    store.save({"a": TABLES["a"]}, seconds=3.0)
    (path,) = own_cache.rglob("*.parquet")
    store.save({"b": TABLES["b"]}, seconds=3.0)
    path.write_bytes(damage(path.read_bytes()))
    assert set(store.load(["a", "b"])[RUN]) == {"b"}
    store.save({"a": TABLES["a"]}, seconds=3.0)  # the same content under the same name heals it
    assert set(store.load(["a", "b"])[RUN]) == {"a", "b"}


def test_a_whole_file_that_is_no_table_is_left_aside(own_cache):
    store = Store({"code": 1})
    store.save({"a": TABLES["a"]}, seconds=3.0)
    (path,) = own_cache.rglob("*.parquet")
    for content in (b"no table", b"PAR1" * 9, pd.DataFrame({"x": [1]}).to_parquet()):
        (path.parent / f"{sha256(content)}.parquet").write_bytes(content)
    assert set(store.load(["a", "b"])[RUN]) == {"a"}


def test_a_full_disk_is_explained_and_keeps_what_is_there(monkeypatch):
    store = Store({"code": 1})
    store.save({"a": TABLES["a"]}, seconds=3.0)

    def full(self, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PaperError, match="the disk is full: free some space and run the same command again"):
        store.save({"b": TABLES["b"]}, seconds=3.0)
    assert set(store.load(["a", "b"])[RUN]) == {"a"}


def test_digest_ignores_the_order_of_keys_and_numpys_types():
    assert digest({"a": 1, "b": (2.0, "x")}) == digest({"b": [np.float64(2), "x"], "a": np.int64(1)})
    assert digest({"a": np.array([1, 2]), "b": np.bool_(True)}) == digest({"a": [1, 2], "b": True})
    assert digest({"a": 1}) != digest({"a": 2})
    with pytest.raises(TypeError, match="of type set cannot be part of a key"):
        digest({"a": {1}})
