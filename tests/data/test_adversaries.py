"""The greedy adversary against every label tried by hand."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from benign.data import mixtures
from benign.data.adversaries import greedy_flips
from benign.errors import InputError
from benign.measure import errors
from benign.theory import conditions


def interpolator_error(sample, labels):
    weight = torch.linalg.pinv(sample.x) @ labels
    return float(norm.sf(sample.signal * weight[0] / weight.norm()))


@pytest.mark.parametrize(("p", "seed"), [(16, 0), (40, 1), (1000, 2)])
def test_each_flip_is_the_one_that_does_most_harm(p, seed):
    sample = mixtures.sample(12, p, 2.0, 0.0, seed)
    labels = sample.clean.clone()
    for count in range(1, 5):
        tried = []
        for i in range(12):
            there = labels.clone()
            there[i] *= -1
            tried.append(interpolator_error(sample, there) if labels[i] == sample.clean[i] else -math.inf)
        labels[int(np.argmax(tried))] *= -1
        assert (greedy_flips(sample.x, sample.clean, count) == labels).all()


def test_no_flips_and_all():
    sample = mixtures.sample(6, 20, 2.0, 0.0, 0)
    assert (greedy_flips(sample.x, sample.clean, 0) == sample.clean).all()
    assert (greedy_flips(sample.x, sample.clean, 6) == -sample.clean).all()


@pytest.mark.parametrize(("shape", "count"), [((5, 3), 1), ((3, 5), 4)])
def test_what_cannot_be_is_refused(shape, count):
    with pytest.raises(InputError, match=f"{count} flips of {shape[0]} points in {shape[1]} coordinates: .*<="):
        greedy_flips(torch.eye(*shape, dtype=torch.float64), torch.ones(shape[0], dtype=torch.float64), count)


@pytest.mark.parametrize("ratio", [2, 5, 50])
def test_no_adversary_of_averaging_exceeds_the_bound(ratio):
    """Greedy flips, the deepest, and signs along the noise's largest singular direction."""
    n, p, signal, noise = 400, 400 * ratio, 3.0, 0.2
    sample = mixtures.sample(n, p, signal, noise, 0)
    bound = conditions.any_flips_error(n, p, signal, noise)
    count = round(noise * n)
    across = sample.x[:, 1:] * sample.clean[:, None]
    left = torch.linalg.svd(across, full_matrices=False)[0][:, 0]
    for key in (sample.clean * sample.x[:, 0], left, -left):
        labels = sample.clean.clone()
        labels[key.argsort(descending=True)[:count]] *= -1
        assert errors.averaging_test_error(sample.x, labels, signal) < bound
    labels = greedy_flips(sample.x, sample.clean, count)
    assert errors.averaging_test_error(sample.x, labels, signal) < bound


def test_the_bound_is_above_the_deepest_flips_and_meets_them_in_high_dimension():
    for p in (200, 2000):
        assert conditions.any_flips_error(100, p, 4.0, 0.2) > conditions.deepest_flips_error(100, p, 4.0, 0.2)
    far = 100, 10**10, 100.0, 0.2
    assert conditions.any_flips_error(*far) == pytest.approx(conditions.deepest_flips_error(*far), rel=1e-3)
