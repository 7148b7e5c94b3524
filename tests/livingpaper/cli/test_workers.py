"""``--workers``: the trainings of all chapters in processes of this machine, with the tables that one process gives."""

import re
import time
from pathlib import Path


def wait_for(condition, process):
    """Wait until a condition holds, as long as a process is alive."""
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def table(said):
    """What a run of the second chapter tabulated."""
    return Path(re.search(r"record of the run: (.*)", said)[1], "figures/tab-throws.csv").read_bytes()


def test_workers_give_the_tables_of_one_process(built, benign, monkeypatch, tmp_path):
    asked = ("run", "second", "-p", "seeds=3")
    built.hold.touch()
    process = built.start(*asked, "--workers", "2")
    wait_for(lambda: "2 2" in built.calls, process)
    workers = [one for one in built.processes() if "multiprocessing.spawn" in " ".join(one.cmdline())]
    built.hold.unlink()
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 0, said
    assert len(workers) == 2
    by_workers, calls = table(said), built.calls
    assert len(calls) == 6 + 3  # of the build before, and the third seed of three settings
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(tmp_path / "one"))
    assert table(benign(*asked).text) == by_workers and len(built.calls) == len(calls) + 9


def test_trainings_go_to_one_place(built, benign):
    said = benign("run", "second", "-p", "seeds=4", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert said.status == 1
    assert said.errors == (
        "error: --workers 2 and the Dask scheduler tcp://127.0.0.1:1: trainings go to one of the two\n"
    )
