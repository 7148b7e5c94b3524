"""What is seen of a leaky network's boundary: exact identities, and the limits that are known."""

import dataclasses

import pytest
import torch

from benign.experiments.leaky_boundary import LeakyBoundary, rivals
from benign.experiments.several_means import SeveralMeans

SMALL = LeakyBoundary(
    n=12, p=900, signal=6.0, label_noise=0.25, step_size=0.005, seed=0, width=8, steps=300, records=(0, 1),
    test_points=500, signs="balanced", init_scale=1e-6,
)  # fmt: skip


def test_it_trains_as_several_means_do():
    (seen,), (other,) = (
        LeakyBoundary.run([SMALL]),
        SeveralMeans.run([SeveralMeans(**{f.name: getattr(SMALL, f.name) for f in dataclasses.fields(SeveralMeans)})]),
    )
    for column in ("at_step", "training_error", "test_error"):
        assert seen[column].tolist() == other[column].tolist()
    assert seen.loss.tolist() == pytest.approx(other.loss.tolist(), rel=1e-12)


def test_from_averaging_to_the_margin_of_its_own_kernel():
    (table,) = LeakyBoundary.run([SMALL])
    end = table.iloc[-1]
    assert table.cosine_averaging[1] > 0.7  # the first step, of neurons that are active at random
    assert end.training_error == 0
    assert end.disagreement < 0.03
    assert end.cosine_leaky_margin > max(0.99, end.cosine_max_margin)
    (engine,) = LeakyBoundary.run([dataclasses.replace(SMALL, engine="dense")])
    assert engine.cosine_leaky_margin.tolist() == pytest.approx(table.cosine_leaky_margin.tolist())


def test_a_linear_network_is_its_odd_part():
    (table,) = LeakyBoundary.run([dataclasses.replace(SMALL, activation="leaky_relu(1)", steps=40)])
    assert table.even_part.max() < 1e-9
    assert not table.disagreement.any()


def test_with_slope_one_both_margins_are_one():
    sample = SMALL.sample()
    found = rivals(sample.x, sample.labels, 1.0)
    torch.testing.assert_close(found["leaky_margin"] * 2, found["max_margin"])
    margins = sample.labels * (sample.x @ found["max_margin"])
    assert margins.min().item() == pytest.approx(1)
