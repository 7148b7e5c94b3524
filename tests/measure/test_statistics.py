"""Intervals: known values, and how often they cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benign.errors import InputError
from benign.measure.statistics import binomial_interval, bootstrap_interval
from benign.seeds import generator


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


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "truth"), [("standard_normal", 0.0), ("standard_exponential", 1.0)])
def test_the_bootstrap_covers(draw, truth):
    # BCa at 20 seeds is known to cover a little less than it says: about 0.93 and 0.91 of the time.
    # 400 repetitions have a standard error of 0.013.
    hits = 0
    for seed in range(400):
        low, high = bootstrap_interval(getattr(generator(seed, "test"), draw)(20), resamples=300)
        hits += low <= truth <= high
    assert 0.86 < hits / 400 < 0.985


def test_the_bootstrap_keeps_the_entries_of_a_seed_together():
    x = generator(0, "test").standard_normal(30)
    pairs = np.stack([x, 3 * x], axis=1)
    low, high = bootstrap_interval(pairs, lambda v: v[:, 1].mean() / v[:, 0].mean())
    assert low == pytest.approx(3)
    assert high == pytest.approx(3)


def test_the_bootstrap_is_reproducible_and_widens_with_confidence():
    x = generator(0, "test").standard_normal(30)
    assert bootstrap_interval(x) == bootstrap_interval(x)
    (low, high), (lower, higher) = bootstrap_interval(x, confidence=0.8), bootstrap_interval(x, confidence=0.99)
    assert lower < low < x.mean() < high < higher


def test_the_bootstrap_of_constants_has_no_length():
    assert bootstrap_interval(np.full(5, 0.1)) == (pytest.approx(0.1), pytest.approx(0.1))


def test_the_bootstrap_is_never_nan_where_its_correction_is_undefined():
    # Leaving out any one value leaves the median where it is: the acceleration of BCa is 0/0.
    low, high = bootstrap_interval(np.array([0.0] * 4 + [1.0] * 2), np.median)
    assert (low, high) == (0, 1)


def test_too_little_and_broken_input_is_explained():
    with pytest.raises(InputError, match=r"1 value\(s\): a spread over seeds needs at least 2"):
        bootstrap_interval(np.array([1.0]))
    with pytest.raises(InputError, match="the values hold NaN: a run is missing or diverged"):
        bootstrap_interval(np.array([1.0, np.nan, 2.0]))
