"""The good event's thresholds and probabilities, against hand-worked values, enumeration and simulation."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benign.errors import InputError
from benign.seeds import generator
from benign.theory import inequalities, xu2023

EVENTS = ["(11)", "(12)", "(13)", "(14)", "(15)", "(16)", "(17)", "(18)"]
# Every quantity on its bound, for n = 240 and the standard delta and beta.
BOUND = 32 * math.sqrt(math.log(2400))
ON_THE_BOUND = dict(
    n=240, least_sign_share=1 / 3, least_active_samples=1 / 240, least_active_neurons=1 / 240, least_eigenvalue=0.75,
    largest_eigenvalue=1.25, largest_along_mu=BOUND, largest_product=BOUND, largest_weight=2.0, largest_output=1.0,
)  # fmt: skip


def test_thresholds_by_hand():
    assert inequalities.active_share() == 1 / 240
    assert inequalities.active_share(beta=1.0) == 1 / 60
    assert inequalities.product_bound(240) == pytest.approx(BOUND)
    assert inequalities.product_bound(50, failure=0.5, beta=1.0) == pytest.approx(16 * math.sqrt(math.log(100)))
    assert inequalities.LEAST_RATIO == pytest.approx(71.777, abs=1e-3)


def test_all_inequalities_hold_on_their_bounds():
    held = inequalities.holds(pd.DataFrame([ON_THE_BOUND]))
    assert held.columns.tolist() == EVENTS
    assert held.all(axis=None)


@pytest.mark.parametrize(
    ("column", "event"),
    [
        ("least_sign_share", "(11)"),
        ("least_active_samples", "(12)"),
        ("least_active_neurons", "(13)"),
        ("least_eigenvalue", "(14)"),
        ("largest_eigenvalue", "(14)"),
        ("largest_along_mu", "(15)"),
        ("largest_product", "(16)"),
        ("largest_weight", "(17)"),
        ("largest_output", "(18)"),
    ],
)
def test_a_quantity_beyond_its_bound_breaks_its_inequality_only(column, event):
    beyond = ON_THE_BOUND[column] * (0.999 if column.startswith("least") else 1.001)
    held = inequalities.holds(pd.DataFrame([ON_THE_BOUND | {column: beyond}])).iloc[0]
    assert [name for name in EVENTS if not held[name]] == [event]


def test_the_bound_is_that_of_each_rows_sample_size():
    table = pd.DataFrame([ON_THE_BOUND | dict(n=n) for n in (239, 240, 241)])
    assert inequalities.holds(table)["(15)"].tolist() == [False, True, True]
    assert inequalities.holds(table, failure=0.2)["(16)"].tolist() == [False, False, False]


@pytest.mark.parametrize("width", [1, 2, 3, 4, 6, 7, 9])
def test_the_probability_of_signs_by_enumeration(width):
    enough = [min(signs.count(1), signs.count(-1)) >= width / 3 for signs in itertools.product([-1, 1], repeat=width)]
    assert inequalities.sign_probability(width) == pytest.approx(sum(enough) / 2**width, abs=1e-12)


@pytest.mark.parametrize(("n", "width"), [(1, 1), (2, 2), (3, 2), (2, 3)])
@pytest.mark.parametrize("beta", [2.0, 0.2])  # of n samples 1 is enough, or more than half: ceil(n / 2.4)
def test_the_probability_of_active_pairs_by_enumeration(n, width, beta):
    least = math.ceil(n / (60 * beta**2))
    total = 0
    for y in itertools.product([-1, 1], repeat=n):
        for a in itertools.product([-1, 1], repeat=width):
            for active in itertools.product([0, 1], repeat=n * width):
                pairs = np.array(active).reshape(width, n) * (np.array(a)[:, None] == np.array(y))
                total += pairs.sum(1).min() >= least
    assert inequalities.activity_probability(n, width, beta) == pytest.approx(total / 2 ** (n + width + n * width))


def test_the_probability_of_active_pairs_in_a_union_bound():
    # P(a neuron has no pair) = (3/4)^n; at n = 40 neurons hardly interfere.
    lost = 1 - inequalities.activity_probability(40, 100)
    assert 0.5 * 100 * 0.75**40 < lost <= 100 * 0.75**40


def test_the_edges_meet_the_bound_at_the_least_ratio():
    assert inequalities.spectrum_edges(inequalities.LEAST_RATIO)[1] == pytest.approx(1.25)
    assert inequalities.spectrum_edges(4.0) == (0.25, 2.25)
    assert inequalities.spectrum_edges(inequalities.LEAST_RATIO)[0] > 0.75  # the upper edge is the one that binds
    assert inequalities.least_dimension(10**7) / 10**7 == pytest.approx(inequalities.LEAST_RATIO, rel=1e-3)


def test_the_tracy_widom_prediction_in_simulation():
    """At the predicted p the share of samples with (14) is 0.9, up to 0.04 for the approximation.

    2000 draws, standard deviation 0.0067: a deviation of 0.04 + 3.5 standard deviations is a false alarm once in 2000.
    """
    n, draws = 60, 2000
    p, rng = round(inequalities.least_dimension(n)), generator(7, "Tracy-Widom")
    # The tridiagonal model of the Wishart law (Dumitriu and Edelman 2002): B B^T has the eigenvalues of Z Z^T.
    diagonal = np.sqrt(rng.chisquare(p - np.arange(n), (draws, n)))
    below = np.sqrt(rng.chisquare(n - 1 - np.arange(n - 1), (draws, n - 1)))
    held = 0
    for d, b in zip(diagonal, below, strict=True):
        spectrum = np.linalg.svd(np.diag(d) + np.diag(b, -1), compute_uv=False) ** 2 / p
        held += 0.75 <= spectrum[-1] and spectrum[0] <= 1.25
    assert abs(held / draws - 0.9) < 0.04 + 3.5 * math.sqrt(0.09 / draws)


def test_the_heavy_tail_estimate():
    """The tail 4 / (3 pi u^3) is Student's, and the p makes the expected number of breaking coordinates -log 0.9."""
    n, u = 10, 1e3
    assert stats.t.sf(u * math.sqrt(3), 3) * 2 == pytest.approx(4 / (3 * math.pi * u**3), rel=1e-4)
    p = inequalities.heavy_tail_dimension(n)
    assert n * p * 2 * stats.t.sf(math.sqrt(3 * p / 4), 3) == pytest.approx(-math.log(0.9), rel=1e-3)
    assert inequalities.heavy_tail_dimension(20) == pytest.approx(4 * p)


@pytest.mark.parametrize("constant", [0.1, 1.0, 3.0, 10.0])
def test_the_corner_is_the_least_size(constant):
    n = inequalities.corner_size(constant)
    assert n >= constant * math.log(n / 0.1)
    assert n == 1 or n - 1 < constant * math.log((n - 1) / 0.1)


@pytest.mark.parametrize(("n", "width", "constant"), [(20, 64, 1.0), (50, 100, 1.0), (50, 100, 10.0), (7, 3, 0.05)])
def test_the_window_opens_there_and_stays_open(n, width, constant):
    p = inequalities.opening_dimension(n, width, constant=constant)
    assert xu2023.admissible_signals(n, p, width, constant=constant) is not None
    assert p == 1 or xu2023.admissible_signals(n, p - 1, width, constant=constant) is None
    for later in np.unique(np.geomspace(p, 1e6 * p, 200).astype(int)).tolist():
        assert xu2023.admissible_signals(n, later, width, constant=constant) is not None


def test_wrong_arguments_are_explained():
    with pytest.raises(InputError, match="n is 0 and the width 3: both must be at least 1"):
        inequalities.activity_probability(0, 3)
    with pytest.raises(InputError, match="n is 0: a sample needs at least one point"):
        inequalities.least_dimension(0)
    with pytest.raises(InputError, match=r"probability is 1.0: it must lie in \(0, 1\)"):
        inequalities.heavy_tail_dimension(5, 1.0)


@pytest.mark.parametrize("n", [25, 400])
def test_the_tracy_widom_prediction_solves_johnstones_formula(n):
    p = inequalities.least_dimension(n)
    centre = math.sqrt(p - 1) + math.sqrt(n)
    spread = centre * math.cbrt(1 / math.sqrt(p - 1) + 1 / math.sqrt(n))
    assert centre**2 + 0.4501 * spread == pytest.approx(1.25 * p)
