"""Pollution of labels: how many, which, and with what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benign.data.labels import clean, flip
from benign.errors import InputError
from benign.seeds import generator

noises = st.floats(0, 0.5, exclude_max=True)
seeds = st.integers(0, 2**32)


def rng(seed=0):
    return generator(seed, "test")


@given(n=st.integers(1, 200), label_noise=noises, seed=seeds)
def test_exact_flips_change_the_sign_of_that_many_labels(n, label_noise, seed):
    clean = np.where(np.arange(n) % 3 == 0, -1, 1)
    before = clean.copy()
    polluted = flip(clean, label_noise, rng(seed))
    assert np.sum(polluted == -clean) == round(label_noise * n)
    assert np.sum(polluted == clean) == n - round(label_noise * n)
    np.testing.assert_array_equal(clean, before)


def test_every_label_is_equally_likely_to_be_polluted():
    runs = 4000
    for exact in (True, False):
        hits = sum(flip(np.ones(10), 0.2, rng(seed), exact) < 0 for seed in range(runs))
        # Each of the ten counts is binomial(4000, 0.2), standard deviation 25: five of them.
        assert np.abs(hits - 0.2 * runs).max() < 5 * np.sqrt(runs * 0.2 * 0.8)


def test_independent_flips_have_a_binomial_count():
    counts = np.array([np.sum(flip(np.ones(100), 0.3, rng(seed), exact=False) < 0) for seed in range(2000)])
    assert abs(counts.mean() - 30) < 5 * np.sqrt(21 / 2000)
    assert abs(counts.var() / 21 - 1) < 5 * np.sqrt(2 / 2000)


@given(low=noises, high=noises, exact=st.booleans(), seed=seeds)
def test_less_noise_pollutes_a_subset(low, high, exact, seed):
    low, high = sorted((low, high))
    clean = np.where(np.arange(60) % 5 == 0, -1, 1)
    less, more = (flip(clean, noise, rng(seed), exact) for noise in (low, high))
    assert (more[less != clean] != clean[less != clean]).all()


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.int8])
def test_dtype_is_kept(dtype):
    assert flip(np.ones(10, dtype=dtype), 0.3, rng()).dtype == dtype


def test_same_generator_state_gives_the_same_labels_and_another_seed_others():
    clean = np.ones(200)
    np.testing.assert_array_equal(flip(clean, 0.3, rng(1)), flip(clean, 0.3, rng(1)))
    assert (flip(clean, 0.3, rng(1)) != flip(clean, 0.3, rng(2))).any()


@pytest.mark.parametrize("label_noise", [-0.1, 0.5, 1.0, float("nan")])
def test_label_noise_outside_its_range_is_refused(label_noise):
    with pytest.raises(InputError, match=rf"label_noise is {label_noise}.*\[0, 0.5\)"):
        flip(np.ones(4), label_noise, rng())


def test_other_labels_are_refused():
    with pytest.raises(InputError, match=r"\[0\]"):
        flip(np.array([0, 1, 1]), 0.1, rng())


@given(half=st.integers(1, 60), noise=noises, seed=seeds)
def test_balanced_labels_stay_balanced_when_they_are_polluted(half, noise, seed):
    labels = clean(2 * half, rng(seed), balanced=True)
    polluted = flip(labels, noise, rng(seed + 1), balanced=True)
    assert labels.sum() == polluted.sum() == 0
    assert np.sum(polluted != labels) == 2 * round(noise * half)


def test_balanced_wrong_labels_are_equally_likely_to_be_any():
    runs, labels = 4000, np.repeat([-1, 1], [4, 6])
    hits = sum(flip(labels, 0.3, rng(seed), balanced=True) != labels for seed in range(runs))
    expected = np.repeat([1 / 4, 2 / 6], [4, 6])
    assert np.abs(hits - expected * runs).max() < 5 * np.sqrt(runs / 4)


def test_an_odd_number_of_labels_is_not_balanced():
    with pytest.raises(InputError, match="n is 5: 2 groups of one size need a multiple of 2 points"):
        clean(5, rng(), balanced=True)
