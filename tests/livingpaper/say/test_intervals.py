"""The interval of a claim: exact for shares, resampled for means, and the same by the fast and the slow way."""

import numpy as np
import pytest

from livingpaper.errors import InputError
from livingpaper.say.intervals import interval


@pytest.mark.parametrize("draws", [2, 3, 9, 40, 333])
def test_the_mean_of_all_resamples_at_once_is_that_of_each(draws):
    for values in np.random.default_rng(draws).lognormal(size=(3, draws)):
        assert interval(values) == interval(values, lambda chosen: np.mean(chosen))


def test_a_share_has_the_exact_interval():
    # all of ten: the lower end is that at which ten in a row have probability 2.5%
    assert interval(np.ones(10, bool)) == (pytest.approx(0.025 ** (1 / 10)), 1)


def test_equal_values_have_an_interval_of_length_zero():
    assert interval(np.full(5, 0.3)) == (0.3, 0.3)


@pytest.mark.parametrize(("values", "said"), [([0.3], "1 value"), ([0.3, np.nan], "NaN")])
def test_what_has_no_interval_is_refused(values, said):
    with pytest.raises(InputError, match=said):
        interval(np.array(values))
