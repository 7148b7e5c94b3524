"""The laws of the noise: moments, distributions, spectra and names.

The seeds were fixed before the first look.
"""

import math

import numpy as np
import pytest
from scipy import stats

from benign.data.noises import FAMILY, Spectrum, anisotropic, named, power, spiked
from benign.errors import InputError
from benign.seeds import generator

FALSE_ALARM = 0.001  # of each statistical test function below, all its comparisons together (Bonferroni)
STUDENT = 30  # degrees of freedom at which the first 29 moments exist
ALL = [
    "gaussian",
    "uniform",
    "laplace",
    "rademacher",
    f"student_t({STUDENT})",
    "student_t(3)",
    "power(1)",
    "spiked(2,5)",
]


def draw(name: str, count: int, p: int, purpose: str = "test of noises") -> np.ndarray:
    return named(name).draw(generator(0, purpose), count, np.arange(p), p)


def student_moment(r: int) -> float:
    """E z^(2r) = (2r - 1)!! (df - 2)^r / ((df - 2)(df - 4)...(df - 2r))."""
    return math.prod((2 * j - 1) * (STUDENT - 2) / (STUDENT - 2 * j) for j in range(1, r + 1))


# E z^2, E z^4, E z^6, E z^8
EVEN_MOMENTS = {
    "gaussian": (1, 3, 15, 105),
    "uniform": (1, 9 / 5, 27 / 7, 9),
    "laplace": (1, 6, 90, 2520),
    "rademacher": (1, 1, 1, 1),
    f"student_t({STUDENT})": tuple(student_moment(r) for r in (1, 2, 3, 4)),
}


@pytest.mark.parametrize("name", EVEN_MOMENTS)
def test_the_first_four_moments(name):
    z = draw(name, 1000, 1000)
    even = dict(zip((2, 4, 6, 8), EVEN_MOMENTS[name], strict=True))
    # By the central limit theorem (a million numbers) a false alarm in one of the twenty comparisons has
    # probability FALSE_ALARM.
    width = stats.norm.isf(FALSE_ALARM / 4 / len(EVEN_MOMENTS) / 2)
    for order in (1, 2, 3, 4):
        expected = even.get(order, 0)
        deviation = math.sqrt((even[2 * order] - expected**2) / z.size)
        assert abs((z**order).mean() - expected) <= width * deviation, order


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("gaussian", stats.norm()),
        ("uniform", stats.uniform(-math.sqrt(3), 2 * math.sqrt(3))),
        ("laplace", stats.laplace(scale=1 / math.sqrt(2))),
        ("student_t(3)", stats.t(3, scale=1 / math.sqrt(3))),
        ("student_t(30)", stats.t(30, scale=math.sqrt(28 / 30))),
    ],
)
def test_the_distribution(name, law):
    assert law.var() == pytest.approx(1)
    assert stats.kstest(draw(name, 200, 500).ravel(), law.cdf).pvalue > FALSE_ALARM / 5


def test_rademacher_numbers_are_signs():
    z = draw("rademacher", 100, 1001)
    assert set(np.unique(z)) == {-1, 1}
    assert stats.binomtest(int((z > 0).sum()), z.size).pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", ALL)
def test_coordinates_and_vectors_are_uncorrelated(name):
    z = draw(name, 40_000, 6)
    ranks = stats.rankdata(z, axis=0)  # Spearman's correlation: the fourth moments need not exist
    pairs = [np.corrcoef(ranks.T)[np.triu_indices(6, 1)], [np.corrcoef(k[1:], k[:-1])[0, 1] for k in ranks.T]]
    assert np.abs(np.concatenate(pairs)).max() * math.sqrt(len(z)) < stats.norm.isf(FALSE_ALARM / 21 / len(ALL) / 2)


@pytest.mark.parametrize("name", ALL)
def test_more_vectors_begin_with_the_same_ones(name):
    many = draw(name, 9, 7)
    assert np.array_equal(draw(name, 4, 7), many[:4])
    assert not np.array_equal(draw(name, 9, 7, "another test of noises"), many)


@pytest.mark.parametrize(
    ("spectrum", "p", "expected"),
    [
        (power(1), 4, 4 * 12 / 25 * np.array([1, 1 / 2, 1 / 3, 1 / 4])),
        (power(2.0), 2, [8 / 5, 2 / 5]),
        (power(0), 3, [1, 1, 1]),
        (spiked(2, 3), 5, 5 / 9 * np.array([3, 3, 1, 1, 1])),
        (spiked(2, 3), 2, [1, 1]),
        (spiked(2, 3), 1, [1]),
        (spiked(1, 1), 3, [1, 1, 1]),
    ],
)
def test_spectra_by_hand(spectrum, p, expected):
    assert spectrum.variances(np.arange(p), p) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("spectrum", [power(0.5), power(1), power(3), spiked(10, 100.0)])
@pytest.mark.parametrize("p", [1, 9, 10, 11, 2**16, 2**16 + 1, 150_000])
def test_variances_average_one_and_do_not_depend_on_the_block(spectrum, p):
    all_of_them = spectrum.variances(np.arange(p), p)
    assert all_of_them.sum() == pytest.approx(p, rel=1e-12)
    assert (np.diff(all_of_them) <= 0).all()
    block = np.arange(p // 2, p)
    assert np.array_equal(spectrum.variances(block, p), all_of_them[block])


@pytest.mark.parametrize("spectrum", [power(1), spiked(3, 20)])
def test_anisotropic_noise_has_its_spectrum(spectrum):
    p, count = 40, 2000
    z = anisotropic(spectrum).draw(generator(0, "test of spectra"), count, np.arange(p), p)
    squares = stats.chi2(count)
    tail = squares.cdf((z**2).sum(0) / spectrum.variances(np.arange(p), p))
    level = FALSE_ALARM / 2 / 2  # two spectra, two comparisons
    assert 2 * np.minimum(tail, 1 - tail).min() > level / p
    whitened = (z / np.sqrt(spectrum.variances(np.arange(p), p))).ravel()
    assert stats.kstest(whitened, stats.norm.cdf).pvalue > level


def test_a_spectrum_of_ones_own():
    linear = Spectrum("linear", lambda coordinates, p: 2 * (1.0 + coordinates) / (p + 1))
    noise = anisotropic(linear)
    assert noise.name == "linear"
    one, three = (anisotropic(s).draw(generator(0, "x"), 5, np.arange(3), 3) for s in (power(0), linear))
    assert np.allclose(three, one * np.sqrt([0.5, 1, 1.5]))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("gaussian", "gaussian"),
        (" uniform() ", "uniform"),
        ("laplace", "laplace"),
        ("rademacher", "rademacher"),
        ("student_t(3)", "student_t(3.0)"),
        ("power( 1.5 )", "power(1.5)"),
        ("spiked(10, 100)", "spiked(10, 100.0)"),
    ],
)
def test_names(text, name):
    assert named(text).name == name
    again = named(name)
    assert again.name == name
    assert np.array_equal(draw(text, 3, 12), draw(name, 3, 12))


def test_every_law_of_the_family_is_tested():
    assert {name.partition("(")[0] for name in ALL} == set(FAMILY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "laplas",
            r"noise is 'laplas': did you mean 'laplace'\? There are gaussian, uniform, laplace, rademacher, stud",
        ),
        ("xyz", "noise is 'xyz': There are gaussian"),
        ("", "noise is '': There are gaussian"),
        ("gaussian(2)", r"noise is 'gaussian\(2\)': gaussian takes no number, written as in 'laplace' or"),
        ("student_t", r"student_t takes df"),
        ("student_t(x)", r"student_t takes df"),
        ("student_t(3", r"student_t takes df"),
        ("spiked(3)", r"spiked takes count, ratio"),
        ("student_t(2)", r"df is 2.0: Student's law has a variance, to be set to 1, for finite df above 2 only"),
        ("student_t(inf)", "df is inf"),
        ("student_t(nan)", "df is nan"),
        ("power(-1)", "alpha is -1.0: the exponent of a decreasing power law"),
        ("power(nan)", "alpha is nan"),
        ("spiked(0, 2)", "count is 0.0: the number of spikes is an integer, at least 1"),
        ("spiked(2.5, 2)", "count is 2.5"),
        ("spiked(nan, 2)", "count is nan"),
        ("spiked(inf, 2)", "count is inf"),
        ("spiked(2, 0.5)", "ratio is 0.5: a spike's variance over the others'"),
        ("spiked(2, inf)", "ratio is inf"),
    ],
)
def test_a_wrong_name_is_explained(text, message):
    with pytest.raises(InputError, match=message):
        named(text)
