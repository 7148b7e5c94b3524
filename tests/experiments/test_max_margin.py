"""Small runs of the classifiers of largest margin, beside what counting finds."""

import numpy as np
import pytest
from scipy import stats

from benign.data import boolean
from benign.errors import InputError
from benign.experiments.max_margin import MixtureMargin, RareWeakMargin

SMALL = RareWeakMargin(n=20, p=300, relevant=60, edge=0.2, label_noise=0.1, seed=1)


def test_errors_are_what_counting_finds():
    row = SMALL.table().iloc[0]
    assert row.separable
    assert row.least_margin == pytest.approx(1)
    # averaging, on fresh points: with no wrong label its weights are the sum of the points
    clean = RareWeakMargin(n=20, p=300, relevant=60, edge=0.2, label_noise=0.0, seed=1).table().iloc[0]
    x = np.hstack(list(boolean.blocks(20, 300, 60, 0.2, 1)))
    fresh = np.hstack(list(boolean.blocks(20_000, 300, 60, 0.2, 77)))
    sums = fresh @ x.sum(axis=0)  # whole numbers: zero, which counts half, is one of them
    wrong = int((sums < 0).sum() + (sums == 0).sum() // 2)
    assert stats.binomtest(wrong, 20_000, clean.averaging_test_error).pvalue > 1e-4


def test_without_signal_nothing_is_learnt():
    assert RareWeakMargin(n=20, p=300, relevant=0, edge=0.2, label_noise=0.1, seed=1).table().test_error[0] == 0.5
    mixture = MixtureMargin(n=20, p=300, signal=0.0, label_noise=0.1, seed=1).table()
    assert mixture.test_error[0] == 0.5
    assert mixture.support_vectors[0] == 20  # p = 15 n


def test_more_points_than_a_line_can_separate():
    row = MixtureMargin(n=60, p=4, signal=0.5, label_noise=0.2, seed=0).table().iloc[0]
    assert not row.separable
    assert (row.support_vectors, row.least_margin, row.test_error) == (0, 0, 0.5)


def test_more_relevant_coordinates_than_coordinates():
    with pytest.raises(InputError, match="relevant is 301: it must be at most p, the 300"):
        RareWeakMargin(n=20, p=300, relevant=301, edge=0.2, label_noise=0.1, seed=1)
