"""Tails of weighted sums: against counting, against the one law that is known, against the normal limit."""

import numpy as np
import pytest
from scipy import stats

from benign.measure.sums import student_sum_tail
from benign.seeds import generator


def test_against_counting():
    rng = generator(0, "test")
    weights = rng.standard_normal(20)
    sums = stats.t(3).rvs((400_000, 20), random_state=rng) / 3**0.5 @ weights
    for least in (2.0, 8.0, 20.0):
        found = int((sums >= least).sum())
        assert stats.binomtest(found, len(sums), student_sum_tail(weights, least)).pvalue > 1e-4


def test_one_large_number_makes_the_far_tail():
    # P(z >= t) ~ 2 sqrt(3) / pi / (sqrt(3) t)^3 for one number, and the sum is as large as its largest term.
    p, least = 5000, 12.0
    expected = p * 2 * 3**0.5 / np.pi / (3**0.5 * least * p**0.5) ** 3
    assert student_sum_tail(np.ones(p), least * p**0.5) == pytest.approx(expected, rel=0.1)
    assert student_sum_tail(np.ones(p), 0.0) == pytest.approx(0.5)
    assert student_sum_tail(np.ones(10**6), 1e3) == pytest.approx(stats.norm.sf(1.0), rel=1e-3)
