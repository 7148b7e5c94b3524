"""Small runs of the experiment with tail errors."""

import dataclasses
import math

import pytest
import torch

from benign.data import mixtures
from benign.experiments import polluted
from benign.experiments.clusters import PollutedClusters
from benign.experiments.tails import TailErrors
from benign.measure.tails import tail_error

SMALL = TailErrors(
    n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=9, step=1.0, steps=60, tail_points=400,
    test_points=800,
)  # fmt: skip


def test_the_table():
    (table,) = TailErrors.run([SMALL])
    assert table.columns.tolist() == [
        "loss", "training_error", "norm_21", "norm_frobenius", "norm_spectral", "test_errors", "test_error",
        "mean_margin_positive", "margin_sd_positive", "mean_margin_negative", "margin_sd_negative", "mean_margin",
        "normalised_margin", "tail_error", "tail_low", "tail_high", "tail_standard_error", "effective_points",
        "largest_share", "seen_twice", "valid", "averaging_test_error",
    ]  # fmt: skip
    assert len(table) == 1
    assert not table.isna().any(axis=None)
    row = table.iloc[0]
    assert row.training_error == 0
    assert 0 < row.loss < 0.2
    assert row.norm_spectral < row.norm_21 / math.sqrt(9) <= row.norm_frobenius
    assert row.tail_low <= row.tail_error <= row.tail_high
    assert row.normalised_margin == pytest.approx(3 * row.mean_margin / row.norm_21)


def test_the_values_are_those_of_explicit_weights():
    run = dataclasses.replace(SMALL, engine="dense", seed=3, activation="leaky_relu(0.1)")
    (table,), sample = TailErrors.run([run]), run.sample()
    network = polluted.train([run], [sample], {}).network
    weights, signs, row = network.weights[0], network.signs[0], table.iloc[0]
    assert row.norm_21 == pytest.approx(float(weights.norm(dim=1).sum()))
    assert row.norm_frobenius == pytest.approx(float(weights.norm()))
    assert row.norm_spectral == pytest.approx(float(torch.linalg.matrix_norm(weights, 2)))
    x, y = mixtures.fresh_points(run.signal, weights.shape[1], 3, 800)
    hidden = x @ weights.T
    margins = y * (torch.maximum(hidden, 0.1 * hidden) @ signs) / 3
    assert row.test_errors == int((margins <= 0).sum())
    assert row.test_error == row.test_errors / 800
    for name, side in (("positive", margins[y > 0]), ("negative", margins[y < 0])):
        assert row[f"mean_margin_{name}"] == pytest.approx(float(side.mean()))
        assert row[f"margin_sd_{name}"] == pytest.approx(float(side.std()))
    tail = tail_error(network, run.signal, 3, 400)
    assert (row.tail_error, row.tail_low, row.tail_high) == pytest.approx((tail.estimate, *tail.interval))
    assert row.valid == tail.valid
    # Exactly, E y f = (1 + slope)/(2 sqrt(m)) sum_j a_j <w_j, mu>, for symmetric noise. A z-score above 4.5: 7e-6.
    exact = 1.1 / (2 * 3) * float(signs @ weights[:, 0]) * run.signal
    spread = math.hypot(row.margin_sd_positive, row.margin_sd_negative) / 2 / math.sqrt(400)
    assert abs(row.mean_margin - exact) < 4.5 * spread


def test_more_points_than_fit_at_once_begin_with_the_same_ones():
    run = dataclasses.replace(SMALL, test_points=7_000)
    shared = {field.name: getattr(run, field.name) for field in dataclasses.fields(run) if field.name != "tail_points"}
    (table,), (clusters,) = TailErrors.run([run]), PollutedClusters.run([PollutedClusters(**shared)])
    assert table.test_errors[0] == clusters.test_errors[0]
    assert table.averaging_test_error[0] == clusters.averaging_test_error[0]
