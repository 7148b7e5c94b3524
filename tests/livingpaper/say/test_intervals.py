"""The interval of a claim: exact for shares, and over simulated draws it holds the truth as often as it says."""

import numpy as np
import pytest

from livingpaper.errors import InputError
from livingpaper.say.intervals import interval

DRAWS = (20, *(pytest.param(draws, marks=pytest.mark.slow) for draws in (24, 40, 100)))
LAWS = {
    "normal": (lambda rng, shape: rng.normal(size=shape), 0.0),
    "lognormal": (lambda rng, shape: rng.lognormal(size=shape), np.exp(0.5)),
    "uniform": (lambda rng, shape: rng.uniform(size=shape), 0.5),
    "arcsine": (lambda rng, shape: rng.beta(0.5, 0.5, size=shape), 0.5),
    "near an end": (lambda rng, shape: rng.beta(1, 9, size=shape), 0.1),
    "counts": (lambda rng, shape: rng.binomial(200, 0.02, size=shape) / 200, 0.02),
}


def coverage(samples, truth, *args, **options):
    """How often the interval of a sample holds the truth."""
    found = np.array([interval(sample, *args, **options) for sample in samples])
    return np.mean((found[:, 0] <= truth) & (truth <= found[:, 1]))


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("law", LAWS)
def test_the_interval_of_a_mean_covers_it(law, draws):
    draw, mean = LAWS[law]
    assert coverage(draw(np.random.default_rng(draws), (20000, draws)), mean) >= 0.93


def ratio(values):
    above, below = values.mean(axis=0)
    return above / below


def slope(values):
    logs = np.log(values.mean(axis=0))
    return logs @ (np.arange(len(logs)) - (len(logs) - 1) / 2)


@pytest.mark.parametrize("draws", (20, pytest.param(40, marks=pytest.mark.slow)))
@pytest.mark.parametrize(("statistic", "columns", "truth"), [(ratio, 2, 1.0), (slope, 4, 0.0)])
def test_the_interval_of_a_smooth_statistic_covers_it(statistic, columns, truth, draws):
    samples = np.random.default_rng(draws).lognormal(size=(2000, draws, columns))
    assert coverage(samples, truth, statistic) >= 0.93


def test_crossed_draws_are_both_counted():
    # networks of 20 seeds, each tested on the same 60 images: some seeds are bad, and some images hard
    rng = np.random.default_rng(0)
    seeds, images, both = (rng.normal(scale=scale, size=(1500, *shape)) for scale, shape in
                           [(0.3, (20, 1)), (1.0, (1, 60)), (1.0, (20, 60))])  # fmt: skip
    samples = seeds + images + both
    assert 0.93 <= coverage(samples, 0.0, crossed=True) <= 0.98
    assert coverage(samples.mean(axis=2), 0.0) < 0.8  # what an interval over the seeds alone would be


@pytest.mark.parametrize("draws", [2, 3, 9, 40, 333])
def test_the_interval_of_a_mean_is_that_of_any_statistic(draws):
    for values in np.random.default_rng(draws).lognormal(size=(3, draws)):
        assert interval(values) == pytest.approx(interval(values, lambda chosen: np.mean(chosen)))


def test_the_interval_is_at_least_students():
    from scipy.stats import t

    values = np.array([0.0, 0.1, 0.2, 0.9, 0.3, 0.1])
    low, high = interval(values)
    student = t.interval(0.95, 5, values.mean(), values.std(ddof=1) / np.sqrt(6))
    assert low == pytest.approx(student[0]) and high > student[1]  # skewed to the right: more room above
    assert interval(-values) == pytest.approx((-high, -low))


def test_a_share_has_the_exact_interval():
    # all of ten: the lower end is that at which ten in a row have probability 2.5%
    assert interval(np.ones(10, bool)) == (pytest.approx(0.025 ** (1 / 10)), 1)


def test_equal_values_have_an_interval_of_length_zero():
    assert interval(np.full(5, 0.3)) == (0.3, 0.3)


@pytest.mark.parametrize(("values", "said"), [([0.3], "1 value"), ([0.3, np.nan], "NaN")])
def test_what_has_no_interval_is_refused(values, said):
    with pytest.raises(InputError, match=said):
        interval(np.array(values))
