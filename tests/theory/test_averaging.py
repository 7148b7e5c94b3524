"""The averaging classifier: its closed form against its simulation."""

import numpy as np
import pytest
from scipy.stats import norm

from benign.data import mixtures
from benign.measure import errors
from benign.theory import averaging


@pytest.mark.slow
@pytest.mark.parametrize(("n", "p", "signal"), [(100, 1_000, 2.0), (100, 100_000, 5.0), (400, 2_000, 1.2)])
@pytest.mark.parametrize("label_noise", [0, 0.15])
def test_closed_form_against_simulation(n, p, signal, label_noise):
    runs = []
    for seed in range(200):
        sample = mixtures.sample(n, p, signal, label_noise, seed)
        runs.append(errors.averaging_test_error(sample.x, sample.labels, signal))
    # The quantile, not the error, is what the approximation perturbs: by O(n^(-1/2)), and half of that on average.
    quantile, expected = norm.isf(np.mean(runs)), norm.isf(averaging.test_error(n, p, signal, label_noise))
    assert quantile == pytest.approx(expected, abs=0.5 / np.sqrt(n))


def test_known_values():
    assert averaging.test_error(10, 100, 0.0, 0.1) == 0.5
    assert averaging.test_error(100, 300, 1.0, 0) == pytest.approx(norm.sf(1 / 2))
    assert averaging.test_error(4, 0, 2.0, 0.3) == pytest.approx(norm.sf(2.0))  # w = mu: the Bayes error
    np.testing.assert_allclose(averaging.test_error(100, 300, np.array([0.0, 1.0]), 0), [0.5, norm.sf(0.5)])


def test_the_limit_for_large_p():
    index, n, p = 6.0, 100, 10**12
    signal = (index * p / n) ** 0.25
    assert averaging.test_error(n, p, signal, 0.1) == pytest.approx(averaging.limit_error(index, 0.1), rel=1e-3)
    assert averaging.limit_error(0.0, 0.2) == 0.5
