"""Small runs of the polluted clusters."""

import dataclasses
import math

import pandas as pd
import pytest
import torch

from benign.errors import InputError
from benign.experiments.clusters import PollutedClusters
from benign.measure import errors
from benign.theory import xu2023

SMALL = PollutedClusters(
    n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=9, step=1.0, steps=60, records=(0, 7),
    test_points=800,
)  # fmt: skip


def batch(**changes) -> list[PollutedClusters]:
    return [dataclasses.replace(SMALL, **{name: values[i] for name, values in changes.items()}) for i in range(4)]


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


@pytest.mark.parametrize("activations", [["relu"] * 4, ["elu"] * 4, ["relu", "leaky_relu(0.2)", "elu", "relu"]])
@pytest.mark.parametrize("loss", ["logistic", "exponential"])
def test_a_run_is_the_same_to_the_last_bit_in_any_batch(activations, loss):
    runs = batch(
        loss_function=[loss] * 4, activation=activations, seed=[0, 1, 2, 3], signal_index=[6.0, 2.0, 0.5, 0.0],
        label_noise=[0.25, 0.0, 0.1, 0.4], step=[1.0, 0.2, 1.0, 2.0], test_points=[800, 100, 10_000, 1],
    )  # fmt: skip
    together = PollutedClusters.run(runs)
    backwards = PollutedClusters.run(runs[::-1])[::-1]
    for run, one, other in zip(runs, together, backwards, strict=True):
        (alone,) = PollutedClusters.run([run])
        pd.testing.assert_frame_equal(alone, one, check_exact=True)
        pd.testing.assert_frame_equal(alone, other, check_exact=True)


@pytest.mark.parametrize("frame", ["reduced", "ambient"])
@pytest.mark.parametrize("loss", ["logistic", "exponential", "hinge"])
def test_both_engines_give_the_same_table(frame, loss):
    run = dataclasses.replace(SMALL, frame=frame, loss_function=loss, step=0.3)
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
        return torch.ones(points, dtype=torch.float64)

    monkeypatch.setattr(errors, "fresh_margins", note)
    runs = batch(seed=[0, 1, 2, 3], signal_index=[6.0, 2.0, 0.5, 0.0], test_points=[800, 100, 10, 1])
    PollutedClusters.run(runs)
    records = 3
    assert seen == [(run.signal, run.seed, run.test_points) for run in runs] * records


@pytest.mark.parametrize("p", [1, 2, 5, 10**9])
def test_any_dimension(p):
    (table,) = PollutedClusters.run([dataclasses.replace(SMALL, p=p, steps=3, records=(), signal_index=4.0)])
    assert 0 <= table.test_error[0] <= 1
    assert math.isfinite(table.loss[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(n=0), "n is 0"),
        (dict(p=0), "p is 0"),
        (dict(signal_index=-1.0), "signal_index is -1.0: it must be a finite number, at least 0"),
        (dict(signal_index=math.nan), "signal_index is nan"),
        (dict(label_noise=0.5), "label_noise is 0.5"),
        (dict(activation="rleu"), "did you mean 'relu'"),
        (dict(width=0), "width is 0"),
        (dict(step=0), "step is 0: it must be a positive number"),
        (dict(init_scale=-1), "init_scale is -1"),
        (dict(steps=-1), "steps is -1"),
        (dict(test_points=0), "test_points is 0: it must be a finite number, at least 1"),
        (dict(records=(0, 61)), r"records is \(0, 61\): it must be a tuple of steps from 0 to 60, the last"),
        (dict(frame="flat"), "frame is 'flat': it must be one of reduced, ambient"),
        (dict(engine="fast"), "engine is 'fast': it must be one of span, dense"),
        (dict(loss_function="squared"), "loss_function is 'squared': it must be one of logistic, exponential, hinge"),
        (dict(records=[0, 1]), r"records is \[0, 1\]: it must be a tuple"),
    ],
)
def test_a_wrong_setting_is_explained_before_anything_runs(changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(SMALL, **changes)
