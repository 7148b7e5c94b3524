"""Separation of image classes, against loops and refits."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from scipy.stats import norm

from benign.data import images
from benign.experiments.deep_training import wide_starts
from benign.experiments.separation import Separation, geometry, lost, predicted_excess
from benign.ntk import analytic

SMALL = Separation(negative=4, positive=9, n=40, label_noise=0.2, seed=0)


@pytest.fixture
def sample():
    p = images.problem(images.load(), (4, 9), n=15, label_noise=0.2, seed=0)
    return p.x, p.clean


def test_geometry_by_loops(sample):
    x, labels = sample
    pairs = list(itertools.combinations(range(15), 2))

    def mean(values):
        return float(np.mean([float(value) for value in values]))

    within = [(i, j) for i, j in pairs if labels[i] == labels[j]]
    between = [(i, j) for i, j in pairs if labels[i] != labels[j]]
    nearest = [min((float((x[i] - x[j]).norm()), j) for j in range(15) if j != i)[1] for i in range(15)]
    means = {sign: x[labels == sign].mean(0) for sign in (-1, 1)}
    axis = (means[1] - means[-1]) / (means[1] - means[-1]).norm()
    around = [float((x[i] - means[int(labels[i])]) @ axis) for i in range(15)]
    expected = {
        "within_negative": mean(x[i] @ x[j] for i, j in within if labels[i] < 0),
        "within_positive": mean(x[i] @ x[j] for i, j in within if labels[i] > 0),
        "between": mean(x[i] @ x[j] for i, j in between),
        "distance_within": mean((x[i] - x[j]).norm() for i, j in within),
        "distance_between": mean((x[i] - x[j]).norm() for i, j in between),
        "closest": min(float((x[i] - x[j]).norm()) for i, j in between),
        "margin": float((means[1] - means[-1]).norm()) / 2 / np.std(around, ddof=1),
        "confusion": mean(labels[i] != labels[j] for i, j in enumerate(nearest)),
    }
    assert geometry(x, labels) == pytest.approx(expected, rel=1e-9)


def test_leaving_one_out_by_refits(sample):
    x, labels = sample
    kernel, eta = analytic.kernel(x, depth=3), 0.2
    costs = []
    for i in range(15):
        others = [j for j in range(15) if j != i]
        weights = torch.linalg.solve(kernel[others][:, others], kernel[others, i])
        margin = float(labels[i] * (weights @ labels[others]))
        lost = norm.sf((1 - 2 * eta) * margin / np.sqrt(4 * eta * (1 - eta) * float(weights @ weights)))
        costs.append(lost - (margin <= 0))
    assert predicted_excess(kernel, labels, eta) == pytest.approx(np.mean(costs), rel=1e-9)
    assert predicted_excess(kernel, labels, 0) == 0


def test_the_table():
    (table,) = Separation.run([SMALL])
    (p,) = Separation.problems([SMALL])
    assert (p.labels != p.clean).sum() == 8
    kernel, cross = analytic.kernel(p.x, depth=3), analytic.kernel(p.x_test, p.x, depth=3)
    for column, labels in (("clean_error", p.clean), ("noisy_error", p.labels)):
        outputs = cross @ torch.linalg.solve(kernel, labels)
        assert table[column][0] == float((p.labels_test * outputs <= 0).double().mean())
    for column, wrong in zip(("clean_error", "noisy_error"), lost(table), strict=True):
        assert wrong.shape == (1, 100, 2)
        assert wrong.mean() == table[column][0]
    assert table.excess[0] == table.noisy_error[0] - table.clean_error[0]
    assert 0 < table.clean_error[0] < table.noisy_error[0] < 0.5
    assert table.predicted_excess[0] == predicted_excess(kernel, p.clean, 0.2)


def test_a_random_start_is_learned_away_at_the_sample_only():
    (table,) = Separation.run([dataclasses.replace(SMALL, init_noise=0.5)])
    (p,) = Separation.problems([SMALL])
    start = wide_starts(torch.cat([p.x, p.x_test]), [3], [0.5], 0)[0]
    assert start.std() == pytest.approx(0.5, rel=0.5)
    kernel, cross = analytic.kernel(p.x, depth=3), analytic.kernel(p.x_test, p.x, depth=3)
    outputs = start[40:] + cross @ torch.linalg.solve(kernel, p.labels - start[:40])
    assert table.noisy_error[0] == float((p.labels_test * outputs <= 0).double().mean())
