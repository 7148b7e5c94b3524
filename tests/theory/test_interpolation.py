"""Closed forms against sums over the sphere, dense matrices, and each other."""

import math

import numpy as np
import pytest
import torch

from benign.errors import InputError
from benign.ntk import analytic
from benign.seeds import generator
from benign.theory import interpolation as theory
from benign.theory.harmonics import covariance_constants


def on_sphere(points, d, seed=0):
    x = generator(seed, "test").standard_normal((points, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def ridge(ratio, depth, slope=0, n=1500):
    """The parts for the kernel K'(0) (X X^T + lambda I), averaged over test points by linear algebra."""
    one, zero, along = analytic.profile_constants(depth, slope)
    at_zero, start_along = covariance_constants(depth, slope)
    d = round(n / ratio)
    x = on_sphere(n, d)
    inverse = np.linalg.inv(x @ x.T + (one - zero - along) / along * np.eye(n))
    a = x.T @ inverse  # a(z) = a^T z, E z z^T = I / d
    noise = (a**2).sum() / d
    linear = ((np.eye(d) - a @ x) ** 2).sum() / d
    return noise, linear, start_along * linear + (1 - at_zero - start_along) * (1 + noise)


@pytest.mark.parametrize(("ratio", "depth", "slope"), [(0.4, 2, 0), (1.0, 3, 0), (3.0, 5, 0), (1.0, 2, 0.8)])
def test_the_proportional_limit_against_a_dense_ridge(ratio, depth, slope):
    noise, linear, start = ridge(ratio, depth, slope)
    limit = theory.proportional(ratio, depth, slope)
    assert limit.label_noise == pytest.approx(noise, rel=0.01)
    assert limit.bias[1] == pytest.approx(linear, rel=0.01)
    assert limit.initialisation == pytest.approx(start, rel=0.01)
    assert limit.bias[2:] == (1 + limit.label_noise,) * 2


@pytest.mark.parametrize(("ratio", "depth", "slope"), [(0.3, 2, 0), (1.0, 3, 0), (2.5, 5, 0), (1.0, 2, 0.8)])
def test_the_equivalent_tends_to_the_proportional_limit(ratio, depth, slope):
    limit = theory.proportional(ratio, depth, slope)
    gaps = []
    for n in (1000, 100_000):
        found = theory.equivalent(n, round(n / ratio), depth, slope)
        values = zip((*found[:2], *found.bias), (*limit[:2], *limit.bias), strict=True)
        gaps.append(max(abs(a - b) for a, b in values))
    assert gaps[1] < 0.02 * gaps[0] + 1e-9  # of order 1/n


def test_two_layers_take_a_target_of_degree_three_for_noise():
    assert theory.equivalent(300, 4, 2).bias[3] == pytest.approx(1 + theory.equivalent(300, 4, 2).label_noise)


def test_the_proportional_limit_tends_to_the_high_dimensional_one():
    n, d = 10**6, 10**9
    near, limit = theory.proportional(n / d, 3), theory.high_dimension(n, d, 3)
    assert near.label_noise == pytest.approx(limit.label_noise - 1 / n, rel=0.01)
    assert near.initialisation == pytest.approx(limit.initialisation, rel=0.01)
    np.testing.assert_allclose(near.bias, limit.bias, atol=0.01)


def test_the_high_dimensional_form_against_a_dense_matrix():
    n, d, depth = 300, 90_000, 3
    x = torch.from_numpy(on_sphere(n + 200, d))
    whole = analytic.kernel(x, depth=depth)
    a = torch.linalg.solve(whole[:n, :n], whole[:n, n:])
    form = theory.high_dimension(n, d, depth)
    assert form.label_noise == pytest.approx(float(a.square().sum(0).mean()), rel=0.01)
    assert theory.equivalent(n, d, depth).label_noise == pytest.approx(form.label_noise, rel=0.01)


@pytest.mark.parametrize("depth", [2, 3])
def test_in_fixed_dimension_the_equivalent_has_its_limits(depth):
    """On the sphere in R^3; far below the highest degree that the quadrature resolves."""
    small, large = (theory.equivalent(n, 3, depth) for n in (1000, 4000))
    assert large.label_noise == pytest.approx(theory.tempered_noise(3), rel=0.05)
    slope = math.log(large.initialisation / small.initialisation) / math.log(4)
    assert slope == pytest.approx(theory.initialisation_exponent(3), abs=0.15)


def test_arcs_of_the_circle():
    """Interpolation along the arcs between 200 uniform points: ||a||^2 = t^2 + (1 - t)^2 at the share t of an arc."""
    found = []
    for seed in range(100):
        rng = generator(seed, "test")
        points, x = np.sort(rng.random(200)), rng.random(20_000)
        right = np.searchsorted(points, x) % 200
        share = ((x - points[right - 1]) % 1) / ((points[right] - points[right - 1]) % 1)
        found.append(np.mean(share**2 + (1 - share) ** 2))
    assert np.mean(found) == pytest.approx(theory.CIRCLE, abs=4 * np.std(found) / 10)


def test_what_makes_no_sense_is_explained():
    with pytest.raises(InputError, match="d is 1: a sphere"):
        theory.equivalent(10, 1, 2)
    for ratio in (0.0, math.inf):
        with pytest.raises(InputError, match=f"ratio is {ratio}: n/d"):
            theory.proportional(ratio, 2)
