"""The benchmarks: how a ratio is made, what counts as met, and that every row runs, at tiny sizes and without peers."""

import importlib
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from livingpaper.errors import PaperError

FOLDER = Path(__file__).parents[1] / "benchmarks"
ROWS = sorted(file.stem for file in FOLDER.glob("row_[0-9]*_*.py"))


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)


@pytest.fixture
def harness():
    return importlib.import_module("harness")


@pytest.fixture
def row():
    return importlib.import_module("row")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A module for the worker: preparing takes 64 MB and gives them back, working takes some, and gives them back."""
    code = """
import time

def prepare(megabytes=0, fails=False):
    print("a library that talks on standard output")
    spare = b"x" * 64_000_000
    del spare
    done = []

    def work():
        if fails:
            raise RuntimeError("the peer has a problem")
        done.append(len(b"x" * (megabytes * 1_000_000)))
        time.sleep(0.01)

        def result():
            time.sleep(0.5)
            return {"repetition": len(done)}

        return result

    return work
"""
    (tmp_path / "toy.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "toy:prepare"


def test_candidates_take_turns_and_warm_up_uncounted(harness):
    turns = []
    candidates = {name: lambda name=name: turns.append(name) for name in "AB"}
    seconds = harness.interleaved(candidates, repetitions=3, warm_up=2)
    assert "".join(turns) == "AB" * 5
    assert {name: len(times) for name, times in seconds.items()} == {"A": 3, "B": 3}


def test_candidate_may_time_itself(harness):
    times = iter([7.0, 1.0, 2.0])
    assert harness.interleaved({"A": lambda: harness.Seconds(next(times))}, 2) == {"A": [1.0, 2.0]}


def test_peak_is_that_of_the_best_size(harness, monkeypatch):
    monkeypatch.setattr(harness, "interleaved", lambda candidates, _: {"4": [1.0, 2.0, 9.0], "8": [32.0] * 3})
    assert harness.matmul_peak(sizes=(4, 8)) == 2 * 4**3 / 2


def test_matrix_product_is_of_the_size_and_type_that_it_says(harness, monkeypatch):
    products = []
    monkeypatch.setattr(torch, "mm", lambda a, b, out: products.append((a.shape, b.shape, a.dtype)))
    harness.matrix_product(torch.float64, 5)()
    assert products == [((5, 5), (5, 5), torch.float64)]


def test_ratios_are_taken_repetition_by_repetition(row):
    seconds = {"theirs": [2.0, 30.0, 8.0], "ours": [1.0, 10.0, 1.0], "other": [5.0] * 3}
    record = row.ratio_of_times(
        "c", ">= 5", seconds, "theirs", "ours", scale=2, flop={"ours": 3.0, "else": 1.0}
    ).record()
    # 4, 6, 16: not 2 * 8 / 1, the ratio of the medians
    assert (record["ratio"], record["least"], record["largest"], record["repetitions"]) == (6, 4, 16, 3)
    assert record["measured"] == {"theirs": [2, 30, 8], "ours": [1, 10, 1]}
    assert record["FLOP/s"] == {"ours": 3}
    assert record["met"] is True and record["aim"] == {"direction": ">=", "value": 5}


@pytest.mark.parametrize(
    "aim, ratio, difference, met",
    [
        (">= 2", 2, None, True),
        (">= 2", 1.9, None, False),
        ("<= 2", 2, None, True),
        ("<= 2", 2.1, None, False),
        (">= 2", 3, 0.01, True),
        (">= 2", 3, 0.02, False),
        (">= 2", 3, float("nan"), False),
        (None, 3, None, None),
    ],
)
def test_aim_is_met_by_the_median_if_the_answers_agree(row, aim, ratio, difference, met):
    agreement = difference and row.Agreement("distance", difference, 0.01)
    comparison = row.Comparison("c", aim, [0, ratio, 99], {"ours": [1]}, agreement=agreement)
    assert comparison.record()["met"] is met


def test_row_is_met_if_all_aims_are_and_unknown_if_one_was_not_compared(row):
    met = row.Comparison("a", ">= 1", [2], {})
    missed = row.Comparison("b", ">= 1", [0], {})
    free = row.Comparison("c", None, [0], {})
    alone = row.ratio_of_times("d", ">= 1", {"ours": [1.0]}, "theirs", "ours", flop={"theirs": 1.0})
    for comparisons, verdict in [([met, free], True), ([met, missed], False), ([met, alone], None), ([free], None)]:
        assert row.Row(1, "w", "a", comparisons).record()["met"] is verdict
    assert alone.record()["ratio"] is None and alone.record()["measured"] == {"ours": [1]}


def test_text_says_what_was_extrapolated_and_the_share_of_the_peak(row):
    comparison = row.Comparison(
        "case", ">= 3", [2.0], {"ours": [0.5]}, scale=7, extrapolated_from="5 steps", flop={"ours": 1e9}
    )
    surroundings = {"peak": {"dtype": "float32", "FLOP/s": [3e9, 5e9]}, "machine": {"threads": 2}}
    text = "\n".join(row.lines(row.Row(4, "what", "whom", [comparison], "a note").record() | surroundings))
    assert "4. what; against: whom" in text and "a note" in text
    assert "case: 2 (2 to 2 in 1 repetitions), aim >= 3: MISSED" in text
    assert "ours 0.5 s (2 GFLOP/s, 50% of the peak)" in text
    assert "extrapolated from 5 steps: the measured time times 7" in text
    assert "matrix-product peak, float32: 4 GFLOP/s, 2 threads" in text


def test_peer_lives_between_repetitions_and_times_itself(harness, toy):
    with harness.Peer(toy, python=sys.executable) as peer:
        process = peer._process.pid
        seconds = harness.interleaved({"peer": peer}, 2, warm_up=1)["peer"]
        assert peer._process.pid == process and peer.result == {"repetition": 3}
    assert peer._process.returncode is not None
    assert all(0.01 <= time < 0.5 for time in seconds)  # what is off its clock takes half a second


def test_peer_that_stops_says_why(harness, toy):
    with (
        harness.Peer(toy, python=sys.executable, fails=True) as peer,
        pytest.raises(PaperError, match="has a problem"),
    ):
        peer()
    with pytest.raises(PaperError, match="No module named"):
        harness.Peer("nowhere:prepare", python=sys.executable)


def test_memory_is_the_peak_of_a_fresh_process(harness, toy):
    ballast = bytearray(b"x") * 800_000_000  # which a child's ru_maxrss would inherit
    used = harness.peak_memory(toy, megabytes=192)
    del ballast
    # Linux counts pages to within a few a thread (proc(5)). Not the 64 MB of before, which were free again.
    assert 191e6 <= used < 232e6
    with pytest.raises(PaperError, match="has a problem"):
        harness.peak_memory(toy, fails=True)


def test_peers_interpreter_is_the_named_one(harness, tmp_path, monkeypatch):
    monkeypatch.setenv(harness.PEERS_VARIABLE, str(tmp_path / "python"))
    with pytest.raises(PaperError, match="make bench"):
        harness.peers_python()
    (tmp_path / "python").touch()
    assert harness.peers_python() == tmp_path / "python"


def test_machine_tells_what_a_time_depends_on_and_not_whose_it_is(harness):
    machine = harness.machine()
    assert set(machine) == {
        "processor", "cores", "system", "python", "memory (GiB)", "gpu", "threads", "torch", "blas"
    }  # fmt: skip
    assert machine["threads"] == torch.get_num_threads() and machine["gpu"] is None


def test_key_changes_with_code_and_options(harness, tmp_path):
    script = tmp_path / "row_9_toy.py"
    script.write_text("from benign.train import span")
    options = harness.Options()
    key = harness.key(script, options)
    assert harness.key(script, options) == key
    assert harness.key(script, harness.Options(quick=True)) != key
    script.write_text("from benign.train import span  # another")
    assert harness.key(script, options) != key


@pytest.mark.parametrize("name", [ROWS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in ROWS[1:])])
def test_row_runs_at_tiny_sizes_without_peers(harness, name):
    found = importlib.import_module(name).measure(harness.Options(quick=True, peers=False))
    assert f"row_{found.number}_" in name
    record = found.record()
    json.dumps(record, allow_nan=False)
    assert record["comparisons"]
    for comparison in record["comparisons"]:
        assert any(comparison["measured"].values())
        if agreement := comparison["agreement"]:
            assert agreement["difference"] <= agreement["allowed"]


def test_rows_1_and_2_start_both_sides_from_the_same(harness):
    """The loop that people write takes our steps: not only is its loss alike, its weights are."""
    problem_module = importlib.import_module("problem")
    loop_module = importlib.import_module("row_1_loop")
    problem = problem_module.draw(problem_module.TINY, 50)
    loop = loop_module.Loop(problem, runs=2, steps=7)
    loop()
    ours = problem.train(7).network.weights
    start = problem.network.weights
    for run, network in enumerate(loop.networks):
        moved = ours[run] - start[run]
        assert moved.norm() > 0.1 * start[run].norm()
        # float32: products of 50 numbers, seven steps
        torch.testing.assert_close(
            network.first.weight.detach() - start[run], moved, rtol=1e-4, atol=1e-6 * float(moved.norm())
        )


@pytest.fixture
def command(tmp_path):
    """Row 1 by the command, as a function of its other options; results.json would appear beside the folder."""
    return partial(importlib.import_module("run").main, rows="1", results=tmp_path / "results")


def test_command_measures_once_and_keeps_trials_out_of_the_results(command, tmp_path, capfd):
    command(quick=True)
    assert "1. " in (said := capfd.readouterr().out) and "measured before" not in said
    record = json.loads((tmp_path / "results" / "row-1.json").read_text())
    assert record["number"] == 1 and record["options"] == {"quick": True, "device": "cpu", "peers": True}
    assert len(record["peak"]["FLOP/s"]) == 2 and record["machine"]["threads"] == 1
    command(quick=True)
    assert "measured before" in capfd.readouterr().out
    assert json.loads((tmp_path / "results" / "row-1.json").read_text()) == record
    assert not (tmp_path / "results.json").exists()


def test_command_merges_and_says_what_failed(command, tmp_path, monkeypatch):
    code, commands = 0, []

    def measure(command):
        commands.append(list(map(str, command)))
        (tmp_path / "results").mkdir(exist_ok=True)
        (tmp_path / "results" / "row-1.json").write_text('{"number": 1}')
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", measure)
    command(peers=True, device="cpu")
    assert json.loads((tmp_path / "results.json").read_text()) == {"rows": [{"number": 1}]}
    assert commands[0][1:] == [str(FOLDER / "row_1_loop.py"), "--device", "cpu", "--folder", str(tmp_path / "results")]
    code = 1
    with pytest.raises(PaperError, match="not measured: row 1;"):
        command()
    with pytest.raises(PaperError, match="there is no row '77'"):
        command(rows="1, 77")


def test_merged_results_are_in_the_order_of_the_rows_and_of_one_device(row, tmp_path):
    for number, device in [(10, "cpu"), (2, "cpu"), (2, "cuda"), (1, "cuda")]:
        row.file_of(number, device, tmp_path).write_text(json.dumps({"number": number, "device": device}))
    together = tmp_path / "results.json"
    assert row.merged(tmp_path, "cpu", together) == {"rows": [{"number": n, "device": "cpu"} for n in (2, 10)]}
    assert row.merged(tmp_path, "cuda", together) == {"rows": [{"number": n, "device": "cuda"} for n in (1, 2)]}


def test_measuring_some_rows_keeps_the_others(row, tmp_path):
    together = tmp_path / "results.json"
    together.write_text(json.dumps({"rows": [{"number": n, "measured": "before"} for n in (1, 2)]}))
    row.file_of(2, "cpu", tmp_path).write_text(json.dumps({"number": 2, "measured": "now"}))
    rows = row.merged(tmp_path, "cpu", together)["rows"]
    assert [(record["number"], record["measured"]) for record in rows] == [(1, "before"), (2, "now")]


def test_peers_are_pinned_and_named_without_an_address():
    pins = (FOLDER / "peers" / "requirements.txt").read_text().splitlines()
    assert {"jax==0.4.35", "neural-tangents==0.6.5"} <= set(pins)
    assert all(line.count("==") == 1 and "/" not in line for line in pins)
