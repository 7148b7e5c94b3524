"""The tail of a sum of signs against all its values."""

import numpy as np
import pytest
from scipy.stats import norm

from benign.measure.sign_sums import sign_sum_tail


def values(weights, means):
    """All sums of some signs, and their probabilities."""
    sums, chances = np.zeros(1), np.ones(1)
    for w, mean in zip(weights, means, strict=True):
        sums = np.concatenate([sums + w, sums - w])
        chances = np.concatenate([chances * (1 + mean) / 2, chances * (1 - mean) / 2])
    return sums, chances


@pytest.mark.parametrize(("shift", "seed"), [(0.0, 0), (0.2, 1), (0.5, 2)])
def test_it_is_the_sum_over_all_signs(shift, seed):
    rng = np.random.default_rng(seed)
    weights, means = rng.normal(1, 0.3, 36), np.where(np.arange(36) < 18, shift, 0.0)
    (a, chance_a), (b, chance_b) = values(weights[:18], means[:18]), values(weights[18:], means[18:])
    order = np.argsort(b)
    below = np.concatenate([[0], np.cumsum(chance_b[order])])
    exact = chance_a @ below[np.searchsorted(b[order], -a)]  # P(b < -a)
    assert sign_sum_tail(weights, means) == pytest.approx(exact, abs=1e-5)


def test_many_signs_are_nearly_normal():
    rng = np.random.default_rng(5)
    weights, means = rng.standard_normal(20_000), np.full(20_000, 0.01)
    mean, deviation = weights @ means, np.sqrt(weights**2 @ (1 - means**2))
    assert sign_sum_tail(weights, means) == pytest.approx(norm.cdf(-mean / deviation), abs=1e-4)
    assert sign_sum_tail(weights, np.zeros(20_000)) == pytest.approx(0.5, abs=1e-12)
    assert sign_sum_tail(-weights, means) == pytest.approx(1 - sign_sum_tail(weights, means), abs=1e-12)
