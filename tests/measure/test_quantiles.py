"""The smooth quantile: another library's, and the plain one of many draws."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import mstats

from benign.errors import InputError
from benign.measure.quantiles import smooth_quantile


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("count", [2, 7, 100])
def test_it_is_scipys(count, probability):
    values = np.random.default_rng(count).lognormal(size=(count, 3))
    twin = [float(mstats.hdquantiles(column, [probability])[0]) for column in values.T]
    np.testing.assert_allclose(smooth_quantile(values, probability), twin, rtol=1e-12)


def test_with_many_draws_it_is_the_quantile_of_the_law():
    values = np.random.default_rng(0).normal(size=20_000)
    assert smooth_quantile(values, 0.9) == pytest.approx(stats.norm.ppf(0.9), abs=0.04)


def test_leaving_one_draw_out_moves_it_little():
    values = np.random.default_rng(1).normal(size=100)
    moved = [abs(smooth_quantile(np.delete(values, i), 0.9) - smooth_quantile(values, 0.9)) for i in range(100)]
    assert len(set(np.round(moved, 12))) > 20  # a plain quantile: a handful of values
    assert max(moved) < 0.1


@pytest.mark.parametrize("probability", [0.0, 1.0, 1.5])
def test_an_impossible_probability_is_explained(probability):
    with pytest.raises(InputError, match="must lie in"):
        smooth_quantile(np.zeros(3), probability)
