"""Exact intervals: known values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benign.errors import InputError
from benign.measure.statistics import binomial_interval


@given(st.integers(1, 10**6), st.floats(0, 1), st.sampled_from([0.9, 0.95, 0.99]))
def test_clopper_pearson_are_beta_quantiles(trials, share, confidence):
    errors = round(share * trials)
    low, high = binomial_interval(errors, trials, confidence)
    tail = (1 - confidence) / 2
    assert low == pytest.approx(stats.beta.ppf(tail, errors, trials - errors + 1) if errors else 0, rel=1e-6)
    assert high == pytest.approx(stats.beta.isf(tail, errors + 1, trials - errors) if errors < trials else 1, rel=1e-6)


def test_clopper_pearson_known_values():
    assert binomial_interval(0, 10) == (0, pytest.approx(1 - 0.025 ** (1 / 10)))
    assert binomial_interval(10, 10) == (pytest.approx(0.025 ** (1 / 10)), 1)
    assert binomial_interval(5, 10) == (pytest.approx(0.187086, abs=1e-6), pytest.approx(0.812914, abs=1e-6))
    assert binomial_interval(np.int64(5), np.int64(10)) == binomial_interval(5, 10)


@pytest.mark.parametrize(("errors", "trials"), [(-1, 10), (11, 10), (0, 0)])
def test_an_impossible_count_is_explained(errors, trials):
    with pytest.raises(InputError, match=f"{errors} errors in {trials} trials: the count must lie between 0"):
        binomial_interval(errors, trials)
