"""Sweeps on a real cluster of processes on this machine: the same tables, whatever dies."""

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client, LocalCluster

from benign.experiments.clusters import PollutedClusters
from livingpaper.errors import PaperError
from livingpaper.sweep import cluster, grid, sweep
from livingpaper.sweep.engine import Work
from livingpaper.sweep.progress import VARIABLE

SETTINGS = grid(n=[8, 10], p=50, signal_index=[1.0, 4.0], label_noise=0.25, width=5, steps=4, test_points=50)
# Long enough to be interrupted: some thirty batches of a tenth of a second or so.
LONG = dict(n=20, p=50, signal_index=1.0, label_noise=0.25, width=20, steps=3000, test_points=100)


MINE = """
from dataclasses import dataclass

import pandas as pd
from my_tool import VALUE


@dataclass(frozen=True)
class Toy:
    seed: int
    batched_by = ()

    @staticmethod
    def run(batch, device):
        return [pd.DataFrame({"value": [VALUE]}) for run in batch]
"""


@pytest.fixture(scope="module")
def workers():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local:
        yield local


def parts_in(folder: Path) -> int:
    return len(list(folder.rglob("*.parquet")))


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def test_the_table_is_that_of_a_local_sweep(workers, monkeypatch, tmp_path):
    tables = {}
    for name, scheduler in {"local": None, "cluster": workers.scheduler_address}.items():
        monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path / name))
        tables[name] = sweep(PollutedClusters, SETTINGS, seeds=3, batch_size=2, scheduler=scheduler)
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path / "environment"))
    monkeypatch.setenv(cluster.VARIABLE, workers.scheduler_address)
    tables["other batches, address from the environment"] = sweep(PollutedClusters, SETTINGS, seeds=3, batch_size=5)
    for table in tables.values():
        pd.testing.assert_frame_equal(table, tables["local"], check_exact=True)
    # What a cluster computed serves a local sweep, and the other way round.
    progress = tmp_path / "progress"
    monkeypatch.setenv(VARIABLE, str(progress))
    monkeypatch.delenv(cluster.VARIABLE)
    sweep(PollutedClusters, SETTINGS, seeds=3)
    assert json.loads(Path(f"{progress}.sweeps").read_text())["computed"] == 0


def test_a_worker_killed_in_the_middle_changes_nothing(workers, monkeypatch, tmp_path):
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path / "cluster"))
    with Client(workers, set_as_default=False) as client:
        victim = next(iter(client.run(os.getpid).values()))

    def kill():
        wait_for(lambda: parts_in(tmp_path / "cluster") >= 1)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    table = sweep(PollutedClusters, [LONG], seeds=20, batch_size=1, scheduler=workers.scheduler_address)
    killer.join()
    with pytest.raises(ProcessLookupError):
        os.kill(victim, 0)
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path / "local"))
    pd.testing.assert_frame_equal(table, sweep(PollutedClusters, [LONG], seeds=20), check_exact=True)


def test_a_client_killed_in_the_middle_continues_from_the_store(workers, monkeypatch, tmp_path):
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path))
    script = (
        "from benign.experiments.clusters import PollutedClusters\nfrom livingpaper.sweep import store, sweep\n"
        "store.PAUSE = 0  # a file for each batch\n"
        f"sweep(PollutedClusters, [{LONG}], seeds=24, batch_size=1, scheduler={workers.scheduler_address!r})"
    )
    client = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: parts_in(tmp_path) >= 3)
    client.kill()
    client.wait()
    kept = parts_in(tmp_path)
    assert kept < 24
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress"))
    table = sweep(PollutedClusters, [LONG], seeds=24, batch_size=1, scheduler=workers.scheduler_address)
    assert table.seed.tolist() == list(range(24))
    assert json.loads((tmp_path / "progress.sweeps").read_text())["computed"] == 24 - kept


def test_a_file_beside_the_notebook_is_sent_to_the_workers(workers, monkeypatch, tmp_path):
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_tool.py").write_text("VALUE = 7\n")
    (tmp_path / "my_toy.py").write_text(MINE)
    table = sweep(importlib.import_module("my_toy").Toy, [{}], seeds=3, scheduler=workers.scheduler_address)
    assert table.value.tolist() == [7, 7, 7]


def test_a_worker_with_other_code_is_refused(workers):
    work = Work(PollutedClusters, "cpu")
    parts = {"modules": {"benign/train/span.py": "other"}, "versions": {}}
    with pytest.raises(PaperError, match=r"a worker differs from the client in .*benign/train/span\.py"):
        list(cluster.compute(workers.scheduler_address, work, parts, [[PollutedClusters(**LONG, seed=0)]]))


def test_an_error_of_the_experiment_reaches_the_client(workers, monkeypatch, tmp_path):
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path))
    with pytest.raises(PaperError, match="activation is 'rely'"):
        sweep(PollutedClusters, [LONG | {"activation": "rely"}], seeds=2, scheduler=workers.scheduler_address)


def test_no_scheduler_is_explained(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with pytest.raises(PaperError, match="no Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        sweep(PollutedClusters, [LONG], seeds=1, scheduler="tcp://127.0.0.1:1")
