"""A sweep: the table that was asked for, each run computed once, errors before work."""

import dataclasses
import errno
import importlib.metadata
import json
import os
import py_compile
import sys
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch

from benign.experiments.clusters import PollutedClusters
from livingpaper.errors import InputError, PaperError
from livingpaper.sweep import closure, engine, grid, imported, sweep
from livingpaper.sweep.progress import VARIABLE

CLUSTERS = dict(n=8, p=50, signal_index=4.0, width=5, steps=4, records=(0,), test_points=50)


@dataclasses.dataclass(frozen=True)
class Squares:
    """The square of a number, noted down each time that it is computed."""

    number: float
    seed: int
    group: str = "a"

    batched_by: ClassVar[tuple[str, ...]] = ("group",)
    computed: ClassVar[list[list["Squares"]]] = []
    fails_at: ClassVar[int | None] = None

    @staticmethod
    def run(batch, device):
        if len(Squares.computed) == Squares.fails_at:
            raise RuntimeError("the machine went away")
        assert len({run.group for run in batch}) == 1
        Squares.computed.append(list(batch))
        return [pd.DataFrame({"k": [0, 1], "square": [run.number**2, run.number**2 + run.seed]}) for run in batch]


# An experiment lives in the package; this one stands in for one that does.
Squares.__module__ = "benign.experiments.clusters"


@pytest.fixture(autouse=True)
def nothing_computed(monkeypatch):
    monkeypatch.setattr(Squares, "computed", [])
    monkeypatch.setattr(Squares, "fails_at", None)


def computed() -> list[tuple[float, int]]:
    return [(run.number, run.seed) for batch in Squares.computed for run in batch]


def test_the_table():
    table = sweep(Squares, grid(number=[2.0, 3.0]), seeds=[5, 1])
    expected = pd.DataFrame(
        {
            "number": [2.0] * 4 + [3.0] * 4,
            "seed": [5, 5, 1, 1] * 2,
            "group": ["a"] * 8,
            "k": [0, 1] * 4,
            "square": [4.0, 9, 4, 5, 9, 14, 9, 10],
        }
    )
    pd.testing.assert_frame_equal(table, expected)
    assert sweep(Squares, [{"number": 2.0}], seeds=3).seed.unique().tolist() == [0, 1, 2]


def test_what_was_done_is_not_done_again():
    first = sweep(Squares, grid(number=[1.0, 2.0]), seeds=2)
    assert len(computed()) == 4
    pd.testing.assert_frame_equal(sweep(Squares, grid(number=[1.0, 2.0]), seeds=2), first)
    assert len(computed()) == 4
    sweep(Squares, grid(number=[2.0, 3.0]), seeds=[1, 2])
    assert computed()[4:] == [(2.0, 2), (3.0, 2), (3.0, 1)]


def test_a_batch_shares_the_fields_it_must_and_has_its_size():
    sweep(Squares, grid(number=np.arange(5.0), group=["a", "b"]), seeds=1, batch_size=2)
    assert [len(batch) for batch in Squares.computed] == [2, 2, 1, 2, 2, 1]


def test_runs_of_one_seed_are_computed_one_after_the_other():
    sweep(Squares, grid(number=[1.0, 2.0, 3.0]), seeds=[7, 5], batch_size=4)
    assert computed() == [(1.0, 7), (2.0, 7), (3.0, 7), (1.0, 5), (2.0, 5), (3.0, 5)]


def test_an_interrupted_sweep_goes_on_where_it_stopped():
    Squares.fails_at = 1
    with pytest.raises(RuntimeError, match="the machine went away"):
        sweep(Squares, grid(number=np.arange(6.0)), seeds=1, batch_size=2)
    assert [number for number, _ in computed()] == [0, 1]
    Squares.fails_at = None
    table = sweep(Squares, grid(number=np.arange(6.0)), seeds=1, batch_size=4)
    assert [number for number, _ in computed()] == [0, 1, 2, 3, 4, 5]
    assert table.square[::2].tolist() == [0, 1, 4, 9, 16, 25]


def test_a_full_disk_keeps_the_batches_before(monkeypatch):
    write, count = Path.write_bytes, []

    def full_after_two(self, content):
        count.append(self)
        if len(count) > 2:  # the key, and the first batch
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", full_after_two)
    with pytest.raises(PaperError, match="the disk is full: .* finished work is kept"):
        sweep(Squares, grid(number=[1.0, 2.0]), seeds=1, batch_size=1)
    monkeypatch.setattr(Path, "write_bytes", write)
    Squares.computed.clear()
    sweep(Squares, grid(number=[1.0, 2.0]), seeds=1)
    assert computed() == [(2.0, 0)]


def test_a_corrupted_part_is_computed_again(own_cache):
    first = sweep(Squares, grid(number=[1.0, 2.0]), seeds=1, batch_size=1)
    path = sorted(own_cache.rglob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:-5])
    pd.testing.assert_frame_equal(sweep(Squares, grid(number=[1.0, 2.0]), seeds=1), first)
    assert len(computed()) == 3


def test_a_run_that_is_asked_for_twice_is_there_once():
    table = sweep(Squares, grid(number=[1.0, 2.0]) + grid(number=[2.0, 3.0]), seeds=[0, 0])
    assert table.number.tolist() == [1, 1, 2, 2, 3, 3]
    assert len(computed()) == 3


def test_the_table_does_not_depend_on_batches_order_or_history(own_cache, monkeypatch):
    settings = grid(**CLUSTERS, label_noise=[0, 0.25], activation=["relu", "elu"])
    tables = []
    for number, (size, chosen) in enumerate([(16, settings), (1, settings), (3, settings[::-1])]):
        monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(own_cache / str(number)))
        table = sweep(PollutedClusters, chosen, seeds=3, batch_size=size)
        tables.append(table.sort_values(["label_noise", "activation", "seed", "at_step"], ignore_index=True))
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0], check_exact=True)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (dict(numbr=1.0), "Squares has no setting 'numbr': did you mean 'number'"),
        (dict(number=1.0, zzz=1), "Squares has no setting 'zzz': it has number, group"),
        (dict(number=1.0, seed=3), "seed is not a setting: give the seeds as the argument"),
        (dict(group="a"), "Squares needs number: the setting {'group': 'a'} does not say"),
    ],
)
def test_a_wrong_setting_is_explained_before_anything_runs(setting, message):
    with pytest.raises(InputError, match=message):
        sweep(Squares, [{"number": 1.0}, setting], seeds=1)
    assert computed() == []


def test_a_value_that_the_experiment_refuses_is_explained_before_anything_runs(monkeypatch):
    monkeypatch.setattr(PollutedClusters, "run", lambda batch, device: pytest.fail("it ran"))
    with pytest.raises(InputError, match="PollutedClusters: label_noise is 0.7"):
        sweep(PollutedClusters, grid(**CLUSTERS, label_noise=[0.1, 0.7]), seeds=1)


def test_an_empty_sweep_is_explained():
    with pytest.raises(InputError, match="0 settings and 2 seeds: a sweep needs at least one of each"):
        sweep(Squares, grid(number=[]), seeds=2)
    with pytest.raises(InputError, match="1 settings and 0 seeds"):
        sweep(Squares, grid(number=1.0), seeds=0)
    with pytest.raises(InputError, match="batch_size is 0: a batch holds at least one run"):
        sweep(Squares, grid(number=1.0), seeds=1, batch_size=0)


def test_an_experiment_from_elsewhere_is_explained(monkeypatch):
    monkeypatch.setattr(Squares, "__module__", "__main__")
    with pytest.raises(
        InputError, match="Squares is defined in '__main__', .*: move it into a file beside the notebook"
    ):
        sweep(Squares, grid(number=1.0), seeds=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about a machine without CUDA")
def test_a_device_that_is_not_there_is_explained():
    with pytest.raises(PaperError, match="device is 'cuda', but PyTorch .* finds cpu.* here: take one of these"):
        sweep(Squares, grid(number=1.0), seeds=1, device="cuda")
    assert computed() == []


def test_the_key_says_what_the_results_depend_on(own_cache):
    sweep(Squares, grid(number=1.0), seeds=1)
    (key,) = own_cache.rglob("key.json")
    parts = json.loads(key.read_text())
    assert parts["experiment"] == "benign.experiments.clusters.Squares"
    assert "benign/train/span.py" in parts["modules"]
    assert parts["device"] == "cpu"
    assert parts["versions"]["torch"] == importlib.metadata.version("torch")


def test_progress_is_written_for_a_build_and_is_not_worth_a_failure(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress.json"))
    sweep(Squares, grid(number=[1.0, 2.0]), seeds=2)
    assert json.loads((tmp_path / "progress.json").read_text()) == {"label": "Squares", "done": 4, "total": 4}
    monkeypatch.setenv(VARIABLE, str(tmp_path / "no such folder" / "progress.json"))
    assert len(sweep(Squares, grid(number=[3.0]), seeds=2)) == 4


def test_a_build_is_told_what_each_sweep_was(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress"))
    sweep(Squares, grid(number=[2.0, 3.0]), seeds=2)
    sweep(Squares, grid(number=[2.0, 4.0]), seeds=2)
    first, second = (json.loads(line) for line in (tmp_path / "progress.sweeps").read_text().splitlines())
    assert (first["experiment"], first["runs"], first["computed"]) == ("Squares", 4, 4)
    assert (second["runs"], second["computed"]) == (4, 2)
    assert first["seconds"] > 0 and second["seconds"] > 0


TOY = """
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Toy:
    seed: int
    batched_by = ()

    @staticmethod
    def run(batch, device):
        return [pd.DataFrame({"value": [1]}) for run in batch]
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The file of an experiment in a package of its own, ten minutes old, and a function that imports it."""
    file = tmp_path / "toys/toy.py"
    file.parent.mkdir()
    (file.parent / "__init__.py").touch()
    file.write_text(TOY)
    os.utime(file, (time.time() - 600,) * 2)
    monkeypatch.syspath_prepend(tmp_path)
    yield file, lambda: importlib.import_module("toys.toy")
    for name in ("toys", "toys.toy"):
        sys.modules.pop(name, None)
    closure.home.cache_clear()


def moved(file):
    other = file.with_name("good.py")
    other.write_text(TOY.replace("[1]", "[2]"))
    os.utime(other, (0, 0))
    other.replace(file)


def reloaded(file):
    file.write_text(TOY.replace("[1]", "[2]"))
    importlib.reload(sys.modules["toys.toy"])


def taken_back(file):
    file.write_text(TOY.replace("[1]", "[2]"))
    importlib.reload(sys.modules["toys.toy"])
    file.write_text(TOY)


@pytest.mark.parametrize("edit", [moved, reloaded, taken_back])
def test_code_that_is_not_what_was_imported_is_not_taken_for_it(toy, edit):
    file, load = toy
    experiment = load().Toy
    edit(file)
    with pytest.raises(PaperError, match=r"toys/toy\.py changed after this process had imported it.*restart"):
        sweep(experiment, [{}], seeds=1)


def test_what_was_imported_before_the_press_must_be_older_than_the_process(toy, monkeypatch):
    experiment = toy[1]().Toy
    monkeypatch.setattr(imported, "_digests", {})
    monkeypatch.setattr(imported, "_started", lambda: time.time() + 60)
    sweep(experiment, [{}], seeds=1)
    monkeypatch.setattr(imported, "_started", lambda: time.time() - 60)
    with pytest.raises(PaperError, match=r"toys/__init__\.py, toys/toy\.py changed after"):
        sweep(experiment, [{}], seeds=1)


def test_neither_a_time_in_the_future_nor_old_byte_code_of_the_same_time_and_size_misleads(toy):
    file, load = toy
    os.utime(file, (time.time() + 9999,) * 2)
    time_of_both = file.stat().st_mtime_ns
    py_compile.compile(file)
    file.write_text(TOY.replace("[1]", "[2]"))
    os.utime(file, ns=(time_of_both,) * 2)
    assert sweep(load().Toy, [{}], seeds=1).value.tolist() == [2]


def test_a_measurement_with_the_name_of_a_setting_is_refused(monkeypatch):
    run = Squares.run
    monkeypatch.setattr(
        Squares, "run", lambda batch, device: [t.rename(columns={"k": "group"}) for t in run(batch, device)]
    )
    with pytest.raises(PaperError, match="Squares measures group, and has a setting of that name"):
        sweep(Squares, grid(number=[2.0]), seeds=1)


def test_the_code_of_an_experiment_beside_a_chapter_is_all_that_it_imports(tmp_path, monkeypatch):
    """Its neighbours and the paper's packages too: results are kept under their digests."""
    sources = {"book/_toc.yml": "", "book/pyproject.toml": '[tool.livingpaper]\npackages = ["tool"]\n'}
    sources |= {"src/tool.py": "", "book/near.py": "import numpy\nimport tool\n"}
    sources |= {"book/mine.py": "import near\nclass Mine: ...\n"}
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path / "book")
    for folder in ("src", "book"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert list(engine._modules(importlib.import_module("mine").Mine)) == ["mine.py", "near.py", "tool.py"]


def test_the_code_of_an_experiment_in_a_package_is_what_it_imports_by_relative_imports_too(tmp_path, monkeypatch):
    sources = {"lab/__init__.py": "", "lab/laws/__init__.py": "from . import tails\n", "lab/laws/tails.py": ""}
    sources |= {"lab/means.py": "from .laws.tails import *\n", "lab/laws/deep.py": "from .. import means\n"}
    sources |= {"lab/mine.py": "from .laws import deep\nclass Mine: ...\n", "lab/other.py": ""}
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    sources.pop("lab/other.py")
    assert list(engine._modules(importlib.import_module("lab.mine").Mine)) == sorted(sources)
