"""Bounds of the error by the Lipschitz constant, and the product of spectral norms at the start."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from benign.data import mixtures
from benign.measure import lipschitz
from benign.networks.activations import relu
from benign.networks.deep import initialise
from benign.seeds import generator
from benign.theory import concentration as theory


def test_the_error_bounds_by_hand():
    margins, constants = np.array([[2.0, 4.0], [-1.0, 3.0]]), np.array([2.0, 3.0])
    expected = [(math.exp(-1 / 2) + math.exp(-2)) / 2, (1 + math.exp(-1 / 2)) / 2]
    assert theory.error_bound(margins, constants) == pytest.approx(expected, rel=1e-12)
    assert theory.error_bound(margins[0], 2.0) == pytest.approx(expected[0], rel=1e-12)
    expected = [(norm.sf(1) + norm.sf(2)) / 2, (1 + norm.sf(1)) / 2]
    assert theory.isoperimetric_bound(margins, constants) == pytest.approx(expected, rel=1e-12)


@given(st.floats(0.1, 4), st.floats(-3, 3), st.floats(0.2, 5))
def test_the_bounds_hold_for_linear_functions_and_isoperimetry_is_sharp(signal, offset, slope):
    # f(v) = slope (<mu, v> / ||mu|| + offset) has margins slope (signal +- offset), mean and median alike.
    margins = slope * np.array([signal + offset, signal - offset])
    error = norm.sf(margins / slope).mean()
    assert theory.error_bound(margins, slope) >= error
    if abs(offset) < signal:
        assert theory.isoperimetric_bound(margins, slope) == pytest.approx(error, rel=1e-9)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_the_product_at_the_start_is_that_of_random_matrices(depth):
    # Large matrices: the singular values' fluctuations, of relative order m^(-2/3), are below 2 per cent a layer.
    d, m = 300, 600
    nets = initialise((d, *[m] * (depth - 1), 1), [0], relu())
    assert lipschitz.upper(nets).item() == pytest.approx(theory.upper_at_start(d, m, depth), rel=0.02 * depth)
    points = torch.tensor(generator(8, "test").standard_normal((50, d)))
    typical = lipschitz.gradients(nets, points).norm(dim=-1).square().mean().sqrt()
    assert typical.item() == pytest.approx(math.sqrt(d), rel=0.2)


def test_the_margin_of_the_average_is_nearly_that_of_averages():
    n, d, s, eta = 60, 400, 4.0, 0.15
    margins = []
    for seed in range(200):
        sample = mixtures.sample(n, d, s, eta, seed, frame="ambient")
        average = sample.labels @ sample.x / n
        margins.append(s * average[0] / average.norm())  # the signal is the first direction
    assert np.mean(margins) == pytest.approx(theory.averaging_margin(n, s, d, eta), rel=0.02)
    assert theory.averaging_margin(1e9, 2.0, 10, 0.1) == pytest.approx(2.0)
    assert theory.averaging_margin(1.0, 0.01, 10**6, 0.1) == pytest.approx(0.8 * 0.01**2 * 1e-3, rel=1e-6)
