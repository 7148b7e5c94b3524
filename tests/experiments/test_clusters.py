"""Small runs of the polluted clusters."""

import dataclasses
import math

import pandas as pd
import pytest
import torch

from benign.experiments.clusters import PollutedClusters
from benign.measure import errors
from benign.theory import xu2023

SMALL = PollutedClusters(
    n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=9, step=1.0, steps=60, records=(0, 7),
    test_points=800,
)  # fmt: skip


def test_the_table():
    (table,) = PollutedClusters.run([SMALL])
    assert table.columns.tolist() == [
        "at_step", "loss", "smallest_margin", "training_error", "training_error_clean", "training_error_flipped",
        "norm_21", "test_errors", "test_error", "normalised_margin", "averaging_test_error",
    ]  # fmt: skip
    assert table.at_step.tolist() == [0, 7, 60]
    assert not table.isna().any(axis=None)
    # At the start the margins are those of tiny weights, and the loss log 2.
    assert table.loss[0] == pytest.approx(math.log(2), abs=1e-3)
    assert table.loss.is_monotonic_decreasing
    assert table.norm_21.is_monotonic_increasing
    # Three of twelve labels are wrong, and the errors on them and on the others make up the whole.
    parts = 0.25 * table.training_error_flipped + 0.75 * table.training_error_clean
    pd.testing.assert_series_equal(parts, table.training_error, check_names=False)
    # In this dimension all labels, wrong ones too, are fitted, and the test error is small.
    assert table.training_error.iloc[-1] == 0
    assert table.test_error.iloc[-1] < 0.25
    assert (table.test_errors == (table.test_error * 800).round()).all()
    assert table.averaging_test_error.nunique() == 1
    assert 0 < table.averaging_test_error[0] < 0.2
    assert table.normalised_margin.iloc[-1] > 0


@pytest.mark.parametrize("loss", ["logistic", "exponential", "hinge"])
def test_both_engines_descend_on_every_loss(loss):
    run = dataclasses.replace(SMALL, loss_function=loss, step=0.3)
    (fast,), (slow,) = (PollutedClusters.run([dataclasses.replace(run, engine=engine)]) for engine in ("span", "dense"))
    pd.testing.assert_frame_equal(fast, slow, rtol=1e-9)
    assert fast.training_error.iloc[-1] == 0


def test_no_wrong_label_has_no_error():
    (table,) = PollutedClusters.run([dataclasses.replace(SMALL, label_noise=0, records=())])
    assert table.at_step.tolist() == [60]
    assert table.training_error_flipped.isna().all()


def test_signal_index_and_signal():
    assert xu2023.signal_index(12, 300, SMALL.signal) == pytest.approx(6)
    (weak,) = PollutedClusters.run([dataclasses.replace(SMALL, signal_index=0.0, test_points=4000)])
    assert weak.test_error.iloc[-1] == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(4000))


def test_each_run_is_tested_on_points_of_its_own_seed_and_signal(monkeypatch):
    seen = []

    def note(network, signal, seed, points):
        seen.append((signal, seed, points))
        return (torch.ones(points, dtype=torch.float64),) * 2

    monkeypatch.setattr(errors, "fresh_margins", note)
    runs = [
        dataclasses.replace(SMALL, seed=seed, signal_index=index, test_points=points)
        for seed, index, points in [(0, 6.0, 800), (1, 2.0, 100), (2, 0.5, 10), (3, 0.0, 1)]
    ]
    PollutedClusters.run(runs)
    records = 3
    assert sorted(seen) == sorted([(run.signal, run.seed, run.test_points) for run in runs] * records)


@pytest.mark.parametrize("p", [1, 2, 5, 10**9])
def test_any_dimension(p):
    (table,) = PollutedClusters.run([dataclasses.replace(SMALL, p=p, steps=3, records=(), signal_index=4.0)])
    assert 0 <= table.test_error[0] <= 1
    assert math.isfinite(table.loss[0])
