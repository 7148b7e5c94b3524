"""The borders of Xu & Gu (2023), by hand, in their limits, and against simulations of what they are about."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import norm

from benign import seeds
from benign.errors import InputError
from benign.theory import averaging, conditions, exponents, xu2023


def test_loads_and_steps_by_hand():
    assert conditions.signal_load(50, 1_000, 2.0) == pytest.approx(0.2)
    assert conditions.signal_of_load(50, 1_000, 0.2) == pytest.approx(2.0)
    assert conditions.orthogonality(10, 2_000) == pytest.approx(20 / math.log(10))
    # 1/p^2 = 1e-6, in units of n/p = 1/20
    assert conditions.literal_step(50, 1_000) == pytest.approx(2e-5)
    assert conditions.literal_step(50, 1_000) * 50 / 1_000 == pytest.approx(1e-6)
    assert 3 * conditions.proof_step() == pytest.approx(math.log(2))
    assert conditions.descent_step(1.0) == 4
    assert conditions.descent_step(0.0) == 8
    assert conditions.descent_step(2.0, 0.5) == pytest.approx(8 / 3.75)
    assert conditions.first_step_wall(0.25) == 2


@given(n=st.integers(2, 10**4), p=st.integers(1, 10**6), load=st.floats(1e-3, 1e3))
def test_the_signal_index_is_the_squared_load_times_p_over_n(n, p, load):
    signal = conditions.signal_of_load(n, p, load)
    assert xu2023.signal_index(n, p, signal) == pytest.approx(load**2 * p / n)


@pytest.mark.parametrize("load", [0.05, 0.4, 1.0, 3.0])
def test_the_top_eigenvalue_against_samples(load):
    # One draw has a standard deviation of up to 2 per cent, the mean of three of 1.2: five is four of these.
    n, p = 800, 3_200
    found = []
    for seed in range(3):
        x = seeds.generator(seed, "top eigenvalue").standard_normal((n, p))
        x[:, 0] += conditions.signal_of_load(n, p, load)
        found.append(np.linalg.eigvalsh(x @ x.T)[-1] / p)
    assert conditions.top_eigenvalue(load, n / p) == pytest.approx(np.mean(found), rel=0.05)


def test_the_top_eigenvalue_in_its_limits():
    assert conditions.top_eigenvalue(0.5) == 1.5
    assert conditions.top_eigenvalue(0.0, 0.25) == pytest.approx(1.5**2)
    assert conditions.top_eigenvalue(0.5, 0.25) == pytest.approx(1.5**2)
    assert conditions.top_eigenvalue(np.array([0.0, 1.0]), np.array([0.0, 0.5])) == pytest.approx([1, 3])


def orthogonal_problem(n, p, signal, wrong):
    """Points y* mu + z with orthogonal noise of length sqrt(p); the first axis is mu/||mu||, all stars are +1."""
    x = np.hstack([np.full((n, 1), signal), math.sqrt(p) * np.eye(n)])
    y = np.where(np.arange(n) < wrong, -1.0, 1.0)
    return x, y


@pytest.mark.parametrize("signal", [0.5, 3.0, 20.0])
def test_equal_margin_error_at_slope_one_is_that_of_the_shortest_weight(signal):
    n, p, wrong = 10, 40, 2
    x, y = orthogonal_problem(n, p, signal, wrong)
    w = np.linalg.pinv(x) @ y  # the shortest w with <w, x_i> = y_i
    expected = norm.sf(signal * w[0] / np.linalg.norm(w))
    assert exponents.equal_margin_error(n, p, signal, wrong / n) == pytest.approx(expected, rel=1e-9)
    # and it is the max-margin classifier: no shorter w has all margins at least 1
    best = minimize(
        lambda v: v @ v, w, jac=lambda v: 2 * v, method="SLSQP",
        constraints={"type": "ineq", "fun": lambda v: y * (x @ v) - 1, "jac": lambda v: y[:, None] * x},
    )  # fmt: skip
    assert best.fun == pytest.approx(w @ w, rel=1e-6)


def test_equal_margin_error_at_slope_one_in_its_limits():
    n, p, noise = 50, 10**10, 0.2
    weak = xu2023.signal_of_index(n, p, 6.0)
    assert exponents.equal_margin_error(n, p, weak, noise) == pytest.approx(averaging.limit_error(6.0, noise), rel=1e-3)
    plateau = norm.sf((1 - 2 * noise) * math.sqrt(4 / (4 * noise * (1 - noise))))
    assert exponents.equal_margin_error(50, 200, 1e6, noise) == pytest.approx(plateau, rel=1e-6)


def test_deepest_flips_against_a_sample():
    # Law of large numbers: 200 000 depths, so that the mean's standard error is 0.002 against a shift of 0.7.
    n, signal, noise = 200_000, 3.0, 0.2
    depths = signal + seeds.generator(0, "depths").standard_normal(n)
    signs = np.ones(n)
    signs[np.argsort(-depths)[: round(noise * n)]] = -1
    along = (signs * depths).mean()
    p = 10 * n
    expected = norm.sf(along * signal / math.sqrt(along**2 + p / n))
    assert conditions.deepest_flips_error(n, p, signal, noise) == pytest.approx(expected, abs=5 * 0.003)
    assert conditions.deepest_flips_error(n, p, signal, noise) > averaging.test_error(n, p, signal, noise) + 0.03
    assert conditions.deepest_flips_error(n, p, signal, 1e-9) == pytest.approx(averaging.test_error(n, p, signal, 0.0))


@given(n=st.integers(1, 10**6), level=st.floats(0.1, 1.0))
def test_the_fitting_margin_has_the_loss(n, level):
    assert math.log1p(math.exp(-conditions.fitting_margin(n, level))) == pytest.approx(level / (2 * n))


def test_a_large_start():
    margin = conditions.fitting_margin(30)
    assert conditions.tolerable_output(30, 3_000) == pytest.approx(0.1 * margin / 2)
    assert conditions.tolerable_output(30, 3_000, 0.5) > conditions.tolerable_output(30, 3_000)
    assert conditions.large_start_error(8.0, 0.2, 0.0) == pytest.approx(averaging.limit_error(8.0, 0.2))
    assert conditions.large_start_error(8.0, 0.2, 1.0) == pytest.approx(averaging.limit_error(4.0, 0.2))


def test_a_large_start_against_kernel_interpolation():
    """The tangent kernel <x, x'> / 4 off the diagonal and / 2 on it, in one dimension higher than anything else.

    The error's standard deviation is about 0.01 / sqrt(20) over 20 samples of 60, at its value of 0.12; the leading
    order is right up to about n ||mu||^2 / p = 0.02 here. Fails by chance less than once in 10^4 seeds.
    """
    n, p, index, noise, ratio = 60, 10**6, 8.0, 0.2, 1.0
    signal = xu2023.signal_of_index(n, p, index)
    output = ratio * conditions.tolerable_output(n, p)
    margin = conditions.fitting_margin(n)
    found = []
    for seed in range(20):
        rng = seeds.generator(seed, "kernel interpolation")
        along = rng.standard_normal(n) + signal  # all stars +1
        cross = np.tril(rng.standard_normal((n, n)) * math.sqrt(p), -1)
        gram = np.outer(along, along) + cross + cross.T + p * np.eye(n)
        y = np.where(np.arange(n) < round(noise * n), -1.0, 1.0)
        kernel = gram / 4 + np.diag(np.diag(gram)) / 4
        c = np.linalg.solve(kernel, margin * y - output * rng.standard_normal(n)) / 4
        spread = math.sqrt(c @ gram @ c + output**2)
        found.append(norm.sf(signal * (c @ along) / spread))
    assert np.mean(found) == pytest.approx(conditions.large_start_error(index, noise, ratio), abs=0.015)


@pytest.mark.parametrize(("width", "positive", "negative"), [(1, 1, 0), (3, 2, 2), (8, 5, 3)])
def test_coverage_against_draws(width, positive, negative):
    """A count of 20 000 independent draws: within four standard deviations but once in 10^4 seeds."""
    draws = 20_000
    rng = seeds.generator(0, "coverage")
    signs = rng.choice([-1, 1], (draws, width, 1))
    labels = np.array([1] * positive + [-1] * negative)
    active = rng.random((draws, width, positive + negative)) < 0.5
    share = ((signs == labels) & active).any(1).all(1).mean()
    expected = conditions.coverage(width, positive, negative)
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / draws))


def test_coverage_by_hand():
    assert conditions.coverage(1, 1, 0) == pytest.approx(1 / 4)
    assert conditions.coverage(5, 1, 0) == pytest.approx(1 - 0.75**5)
    assert conditions.coverage(5, 0, 1) == pytest.approx(1 - 0.75**5)
    assert conditions.coverage(4, 0, 0) == pytest.approx(1)


@pytest.mark.parametrize("arguments", [(0, 1, 1), (3, -1, 1), (3, 1, -1)])
def test_coverage_explains_wrong_numbers(arguments):
    with pytest.raises(InputError, match="give at least one neuron, and no negative number"):
        conditions.coverage(*arguments)


def test_the_constant_of_the_dimension_is_the_largest_that_the_signal_bears():
    n, p, signal = 50, 10**6, 20.0
    constant = conditions.dimension_constant(n, p, signal)
    assert n * signal**2 == pytest.approx(p / constant - n**2 * math.log(n / 0.1))
