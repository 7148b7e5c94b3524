"""Rank correlations, held against scipy's."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from benign.measure.ranks import mean_agreement, spearman


def test_a_correlation_is_that_of_scipy_with_ties_too():
    x, y = np.random.default_rng(0).integers(0, 5, (2, 30)).astype(float)
    assert spearman(x, y) == pytest.approx(spearmanr(x, y)[0])


def test_the_mean_over_samples_is_that_of_their_correlations_and_what_does_not_vary_counts_as_zero():
    values = np.random.default_rng(1).normal(size=(4, 3, 2, 6, 2))
    values[0, :, 0, :, 1] = 1.0
    means = values.mean(axis=1)
    found = [0.0 if (i, j) == (0, 0) else spearmanr(*means[i, j].T)[0] for i in range(4) for j in range(2)]
    assert mean_agreement(values) == pytest.approx(np.mean(found))
