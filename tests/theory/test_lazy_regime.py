"""Leading terms of laziness against simulation and against cases that can be solved by hand."""

import math

import numpy as np
import pytest
import torch

from benign import seeds
from benign.data import mixtures
from benign.networks.activations import leaky_relu
from benign.networks.two_layer import TwoLayer, output_signs
from benign.ntk import empirical
from benign.theory import averaging, lazy_regime, xu2023
from benign.train import dense

SLOPES = pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])


def test_the_margin_at_a_loss():
    for margin in (-1.0, 0.0, 2.5):
        assert lazy_regime.margin_at(math.log1p(math.exp(-margin))) == pytest.approx(margin)


@SLOPES
@pytest.mark.parametrize("signal", [3.0, 12.0])
def test_the_first_step(slope, signal):
    n, p, m, eta, scale = 40, 1000, 60, 0.15, 3.0
    step_size = xu2023.step_size(n, p)
    squares = []
    for seed in range(40):
        sample = mixtures.sample(n, p, signal, eta, seed, directions=m)
        weights = scale * xu2023.initial_scale(n, p, m) * sample.directions
        network = TwoLayer(weights.unsqueeze(0), output_signs(m, seed).unsqueeze(0), leaky_relu(slope))
        trained = dense.train(network, sample.x.unsqueeze(0), sample.labels.unsqueeze(0), step_size=step_size, steps=1)
        squares.append(float((trained.network.weights[0] - weights).square().sum() / weights.square().sum()))
    mean, error = np.mean(squares), np.std(squares) / math.sqrt(40)
    expected = lazy_regime.first_step_distance(n, p, signal, eta, slope, scale) ** 2
    # Five standard errors, and one per cent for g_i = 1/2 and for the correlation of patterns, both of higher order.
    assert mean == pytest.approx(expected, abs=5 * error + 0.01 * expected)


@SLOPES
def test_the_way_and_the_border_on_orthogonal_inputs(slope):
    """With orthogonal inputs of equal length and many neurons, the linearised network is solved by hand."""
    n, p, m, level = 4, 64, 40_000, 0.2
    x = math.sqrt(p) * torch.eye(n, p).double()
    size = 0.7
    rng = seeds.generator(0, "laziness")
    weights = torch.tensor(rng.standard_normal((1, m, p))) * size / math.sqrt(m * p)
    network = TwoLayer(weights, output_signs(m, 0).unsqueeze(0), leaky_relu(slope))
    kernel = empirical.kernel(network, x)[0]
    q = lazy_regime.margin_at(level)
    beta = torch.linalg.solve(kernel, torch.full((n,), q).double())
    tolerance = 5 / math.sqrt(m)  # half of the neurons are active, to five standard deviations
    assert float((beta @ kernel @ beta).sqrt()) == pytest.approx(
        lazy_regime.travelled(n, p, level, slope), rel=tolerance
    )
    # A neuron that is active at x_1 moves there by beta_1 p / sqrt(m); at the border that is its initial size.
    move = float(beta[0]) * p / math.sqrt(m)
    initial = float((weights[0] @ x[0]).std())
    assert move / initial == pytest.approx(lazy_regime.fitting_norm(level, slope) / size, rel=2 * tolerance)


@SLOPES
@pytest.mark.parametrize("size", [0.0, 0.5, 3.0])
def test_the_error_from_a_random_start(slope, size):
    """The vote of the samples plus a random initial function, at fresh points."""
    n, p, m, eta, level, signal, points = 50, 2000, 20, 0.1, 0.1, 3.5, 2000
    q = lazy_regime.margin_at(level)
    vote = (1 + slope) ** 2 / 4 * q / ((1 + slope**2) / 2 * p)  # the mean kernel between points, times q / K_ii
    wrong = []
    for seed in range(100):
        sample = mixtures.sample(n, p, signal, eta, seed, directions=m)
        weights = size / math.sqrt(m * p) * sample.directions
        start = TwoLayer(weights.unsqueeze(0), output_signs(m, seed).unsqueeze(0), leaky_relu(slope))
        x, y = mixtures.fresh_points(signal, sample.x.shape[1], seed, points)
        output = vote * (x @ (sample.labels @ sample.x)) + start(x)[0]
        wrong.append(float((y * output <= 0).double().mean()))
    mean, error = np.mean(wrong), np.std(wrong) / math.sqrt(100)
    expected = lazy_regime.random_start_error(n, p, signal, eta, m, size, level, slope)
    # Leading terms: one part in sqrt(n) of the quantile, as for averaging, is one in ten of the error here.
    assert mean == pytest.approx(expected, abs=4 * error + 0.1 * expected)


def test_without_a_start_it_is_averaging():
    error = lazy_regime.random_start_error(50, 10_000, 6.0, 0.1, 128, np.array([0.0, 1e6]), 0.1)
    np.testing.assert_allclose(error, [averaging.test_error(50, 10_000, 6.0, 0.1), 0.5], rtol=1e-4)


def test_the_index_for_an_error():
    for eta in (0.0, 0.3):
        assert averaging.limit_error(lazy_regime.index_for_error(0.04, eta), eta) == pytest.approx(0.04)
