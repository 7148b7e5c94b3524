"""The calculations of exponents: against simulation of their own pictures, against trained networks, against limits."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from benign.data import mixtures
from benign.experiments.tails import TailErrors
from benign.seeds import generator
from benign.theory import averaging, conditions, exponents, xu2023

NOISE = 0.16


def test_the_smaller_term_is_the_minimax_exponent():
    assert exponents.minimax_exponent(50, 5000, 10.0) == 100.0  # ||mu||^2 = 100 is equal to n ||mu||^4 / p here
    assert exponents.minimax_exponent(50, 5000, 5.0) == pytest.approx(50 * 625 / 5000)
    assert exponents.minimax_exponent(50, 5000, 20.0) == 400.0


def test_no_method_beats_averaging_of_clean_labels():
    # Bayes' rule by brute force, in the plane: the direction of mu is uniform, n labelled points are given.
    rng = generator(0, "test")
    n, length, problems = 3, 1.1, 4000
    angle = rng.uniform(0, 2 * np.pi, problems)
    mu = length * np.stack([np.cos(angle), np.sin(angle)], 1)
    v = n * mu + math.sqrt(n) * rng.standard_normal((problems, 2))
    x = mu + rng.standard_normal((problems, 2))
    grid = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    directions = length * np.stack([np.cos(grid), np.sin(grid)])
    bayes = np.exp((v + x) @ directions).mean(1) > np.exp((v - x) @ directions).mean(1)
    assert (bayes == ((v * x).sum(1) > 0)).all()


def test_the_least_error_is_that_of_averaging_clean_labels_and_below_that_of_polluted_ones():
    index = np.array([0.0, 1.0, 25.0])
    np.testing.assert_allclose(exponents.least_error(index), averaging.limit_error(index, 0.0))
    assert (exponents.least_error(index[1:]) < averaging.limit_error(index[1:], 0.1)).all()
    n, p = 50, 10**12
    assert averaging.test_error(n, p, xu2023.signal_of_index(n, p, 25.0), 0.0) == pytest.approx(
        exponents.least_error(25.0), rel=2e-3
    )


def test_constant_and_efficiency_of_averaging():
    error = averaging.limit_error(30.0, NOISE)
    assert exponents.effective_constant(error, 30.0) == pytest.approx(2 / (1 - 2 * NOISE) ** 2)
    assert exponents.efficiency(error, 30.0, NOISE) == pytest.approx(1)
    assert exponents.efficiency(exponents.least_error(30.0), 30.0, NOISE) == pytest.approx(1 / (1 - 2 * NOISE))


@pytest.mark.parametrize("index", [0.0, 2.0, 8.0])
def test_alike_neurons_err_where_the_picture_says(index):
    points = 400_000
    mean = (1 - 2 * NOISE) * math.sqrt(index / 2)
    a, b = generator(1, "test").standard_normal((2, points)) + mean
    # The output of the picture for s = 0. A silent network, an output of zero, is wrong.
    wrong = int((np.maximum(a, 0) + np.minimum(b, 0) <= 0).sum())
    assert stats.binomtest(wrong, points, exponents.alike_error(index, NOISE)).pvalue > 1e-4  # false alarm: 3e-4


@pytest.mark.parametrize("slope", [0.05, 0.5, 1.0])
def test_with_a_leak_the_picture_is_averaging(slope):
    a, b = generator(2, "test").standard_normal((2, 10_000)) * 3
    u, v = a + slope * b, b + slope * a
    output = np.maximum(u, slope * u) + np.minimum(v, slope * v)
    assert ((output > 0) == (a + b > 0)).all()


def test_the_exponent_of_alike_neurons_is_half_of_averaging():
    assert exponents.efficiency(exponents.alike_error(400.0, NOISE), 400.0, NOISE) == pytest.approx(
        math.sqrt(0.5), rel=1e-3
    )


def equal_margins(n: int, p: int, signal: float, slope: float) -> tuple[float, float]:
    """The share of mu and the noise's variance in units of p, of w = sum_i alpha_i y_i x_i with equal margins.

    By a linear system: x_i are replaced by y*_i mu + sqrt(p) e_i, half of the labels being of each sign, and the
    products of samples weighted with those of the neurons' slopes.
    """
    clean = np.repeat([1.0, -1.0], n // 2)
    flipped = np.zeros(n, dtype=bool)
    flipped[[*range(round(NOISE * n / 2)), *range(n // 2, n // 2 + round(NOISE * n / 2))]] = True
    labels = np.where(flipped, -clean, clean)
    weights = np.where(np.equal.outer(labels, labels), (1 + slope**2) / 2, slope)
    gram = weights * (signal**2 * np.outer(clean, clean) + p * np.eye(n))
    alpha = np.linalg.solve(np.outer(labels, labels) * gram, np.ones(n))
    return float(alpha @ (labels * clean)), float(alpha @ alpha)


@pytest.mark.parametrize("slope", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(("p", "index"), [(5000, 64.0), (5000, 4.0), (10**7, 30.0)])
def test_equal_margins_solve_their_linear_system(slope, p, index):
    n = 50
    signal = xu2023.signal_of_index(n, p, index)
    share, variance = equal_margins(n, p, signal, slope)
    expected = stats.norm.sf(share * signal**2 / math.sqrt(share**2 * signal**2 + variance * p))
    assert exponents.equal_margin_error(n, p, signal, NOISE, slope) == pytest.approx(expected, rel=1e-9)


def test_equal_margins_are_averaging_where_the_mean_is_weak():
    n, p = 50, 10**12
    signal = xu2023.signal_of_index(n, p, 16.0)
    assert exponents.equal_margin_error(n, p, signal, NOISE) == pytest.approx(
        averaging.test_error(n, p, signal, NOISE), rel=1e-3
    )
    small = xu2023.signal_of_index(50, 5000, 16.0)
    assert exponents.equal_margin_error(50, 5000, small, NOISE) > 2 * averaging.test_error(50, 5000, small, NOISE)
    assert exponents.equal_margin_error(50, 5000, small, 0.0) == pytest.approx(
        averaging.test_error(50, 5000, small, 0.0)
    )  # without wrong labels all weights are equal


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_the_margin_constant_of_the_picture(slope):
    # v_+ and v_-, orthogonal noise of length sqrt(n p / 2), and the two kinds of neurons.
    n, p, index = 1000, 10**9, 9.0
    signal = xu2023.signal_of_index(n, p, index)
    along, across = (1 - 2 * NOISE) * n / 2 * signal, math.sqrt(n * p / 2)
    plus, minus = np.array([along, across, 0]), np.array([along, 0, across])
    neurons = np.stack([plus + slope * minus, -(minus + slope * plus)])
    signs, m = np.array([1, -1]), 2
    mean = (1 + slope) / (2 * math.sqrt(m)) * (signs @ neurons[:, 0]) * signal
    expected = math.sqrt(m) * mean / np.linalg.norm(neurons, axis=1).sum() / math.sqrt(index)
    assert exponents.margin_constant(slope, NOISE) == pytest.approx(expected, rel=1e-2)


def test_the_lipschitz_bound():
    assert exponents.lipschitz_error_bound(3.0, 2.0) == pytest.approx(math.exp(-9 / 8))
    assert exponents.lipschitz_error_bound(3.0, 2.0, beta=1.0) == pytest.approx(math.exp(-9 / 4))
    assert exponents.lipschitz_error_bound(-3.0, 2.0) == 1  # a network that is worse than chance has no bound
    # For a linear function of Gaussian noise it is the Chernoff bound on Q.
    assert exponents.lipschitz_error_bound(4.0, 1.0) > stats.norm.sf(4.0)


def test_the_anisotropic_index_is_the_signal_index_for_equal_variances():
    assert exponents.anisotropic_index(50, 7.0, 5000.0) == pytest.approx(xu2023.signal_index(50, 5000, 7.0))
    assert exponents.anisotropic_index(50, 7.0, 20_000.0) == pytest.approx(xu2023.signal_index(50, 5000, 7.0) / 4)


def test_a_trained_network_is_what_the_calculations_say():
    runs = [
        TailErrors(
            n=50, p=10**8, signal_index=16.0, label_noise=NOISE, seed=seed, activation="leaky_relu(0.1)", width=64,
        )
        for seed in range(3)
    ]  # fmt: skip
    tables = TailErrors.run(runs)
    ratios = [float(t.normalised_margin[0]) / 4 / exponents.margin_constant(0.1, NOISE) for t in tables]
    efficiencies = [exponents.efficiency(float(t.tail_error[0]), 16.0, NOISE) for t in tables]
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)
    assert np.mean(efficiencies) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("p", "load", "within"), [(500, 0.5, 0.1), (500, 16.0, 0.08), (5000, 2.0, 0.015)])
def test_equal_margins_at_slope_one_are_the_shortest_solution(p, load, within):
    n, noise = 50, NOISE
    signal = conditions.signal_of_load(n, p, load)
    reached = []
    for seed in range(20):
        sample = mixtures.sample(n, p, float(signal), noise, seed)
        weight = sample.x.T @ torch.linalg.solve(sample.x @ sample.x.T, sample.labels)
        reached.append(float(signal * weight[0] / weight.norm()))
    computed = stats.norm.isf(exponents.equal_margin_error(n, p, signal, noise))
    assert np.mean(reached) == pytest.approx(computed, rel=within)


def test_equal_margins_hold_up_to_the_wall_and_not_beyond_for_a_small_leak():
    n, p = 50, 500
    for load, low, high in [(2.0, 0.9, 1.1), (16.0, 0.6, 0.8)]:
        signal = conditions.signal_of_load(n, p, load)
        runs = [
            TailErrors(
                n=n, p=p, signal_index=load**2 * p / n, label_noise=NOISE, seed=seed, activation="leaky_relu(0.1)",
                width=64, steps=2000, test_points=100, tail_points=1000,
            )
            for seed in range(4)
        ]  # fmt: skip
        reached = np.mean([stats.norm.isf(float(t.tail_error[0])) for t in TailErrors.run(runs)])
        computed = stats.norm.isf(exponents.equal_margin_error(n, p, signal, NOISE, 0.1))
        assert low < reached / computed < high
