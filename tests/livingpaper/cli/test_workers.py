"""``--workers``: the trainings of all chapters in processes of this machine, with the tables that one process gives."""

import re
from contextlib import contextmanager
from pathlib import Path

from livingpaper.sweep import cluster


def table(benign, *arguments):
    """What a run of the second chapter tabulates."""
    said = benign("run", "second", "-p", "seeds=3", *arguments)
    assert said.status == 0, said.errors
    return Path(re.search(r"record of the run: (.*)", said.text)[1], "figures/tab-throws.csv").read_bytes()


def test_workers_give_the_tables_of_one_process(built, benign, monkeypatch, tmp_path):
    started, local = [], cluster.local

    @contextmanager
    def watched(workers):
        with local(workers) as address:
            started.append((workers, address))
            yield address

    monkeypatch.delenv(cluster.VARIABLE, raising=False)
    monkeypatch.setattr(cluster, "local", watched)
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path / "workers"))
    by_workers = table(benign, "--workers", "2")
    ((workers, address),) = started
    assert workers == 2 and address.startswith("tcp://127.0.0.1:")
    assert len(built.calls) == 6 + 9  # of the build before, and three settings with three seeds
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path / "one"))
    assert table(benign) == by_workers and len(built.calls) == 6 + 9 + 9
    assert len(started) == 1


def test_trainings_go_to_one_place(built, benign):
    said = benign("run", "second", "-p", "seeds=4", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert said.status == 1
    assert said.errors == (
        "error: --workers 2 and the Dask scheduler tcp://127.0.0.1:1: trainings go to one of the two\n"
    )
