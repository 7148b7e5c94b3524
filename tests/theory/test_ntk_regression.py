"""Closed forms against sums over the sphere, dense matrices, and each other."""

import math

import numpy as np
import pytest
import torch

from benign.errors import InputError
from benign.ntk import analytic
from benign.seeds import generator
from benign.theory import ntk_regression as theory


def on_sphere(points, d, seed=0):
    x = generator(seed, "test").standard_normal((points, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_multiplicities():
    assert [theory.multiplicity(k, 2) for k in range(4)] == [1, 2, 2, 2]
    assert [theory.multiplicity(k, 3) for k in range(4)] == [1, 3, 5, 7]
    # Homogeneous polynomials of degree k less those of degree k - 2.
    for d in (4, 7, 50):
        for k in (2, 3, 6):
            assert theory.multiplicity(k, d) == math.comb(k + d - 1, k) - math.comb(k + d - 3, k - 2)


@pytest.mark.parametrize("d", [2, 3, 8, 500])
def test_harmonics_are_orthonormal(d):
    """200 000 points; products of two harmonics within five standard errors of their mean."""
    t = on_sphere(200_000, d)[:, 0] if d < 100 else generator(0, "t").beta((d - 1) / 2, (d - 1) / 2, 200_000) * 2 - 1
    values = [theory.harmonic(t, k, d) for k in range(4)]
    for i, a in enumerate(values):
        for j, b in enumerate(values):
            assert abs((a * b).mean() - (i == j)) <= 5 * (a * b).std() / math.sqrt(len(t)) + 1e-12


def test_the_harmonics_of_the_circle_are_cosines():
    angle = np.linspace(0, 3, 7)
    for k in (1, 2, 3):
        np.testing.assert_allclose(theory.harmonic(np.cos(angle), k, 2), math.sqrt(2) * np.cos(k * angle), atol=1e-12)


@pytest.mark.parametrize(("depth", "slope"), [(2, 0), (3, 0), (5, 0.2)])
@pytest.mark.parametrize("d", [2, 3, 6, 40, 3000])
def test_the_spectrum_adds_up_to_the_kernel(depth, slope, d):
    """sum_k N_k lambda_k P_k(rho) = K(rho), inside; and what is left of the trace is its rest."""
    found = theory.spectrum(depth, d, slope)
    # In high dimension the degrees end early, and add up near the equator only: two standard deviations of rho.
    rho = np.array([-1, -0.3, 0.0, 0.1, 0.8]) * min(0.6, 2 / math.sqrt(d))
    sigma, tangent = analytic.profile(torch.from_numpy(rho), depth, slope)
    polynomials = theory._gegenbauer(rho, len(found.multiplicity) - 1, d)
    for values, kernel, rest, trace in (
        (found.tangent, tangent, found.tangent_rest, depth),
        (found.covariance, sigma, found.covariance_rest, 1),
    ):
        assert found.multiplicity @ values + rest == pytest.approx(trace, abs=1e-9)
        np.testing.assert_allclose((found.multiplicity * values) @ polynomials, kernel, atol=3e-4)


def test_two_layers_have_no_odd_degree_beyond_one():
    odd = theory.spectrum(2, 4).tangent[3:40:2]
    assert odd.max() < 1e-15 < 1e-4 < theory.spectrum(3, 4).tangent[3]
    assert theory.equivalent(300, 4, 2).bias[3] == pytest.approx(1 + theory.equivalent(300, 4, 2).label_noise)


@pytest.mark.parametrize("depth", [2, 3])
def test_the_eigenvalues_decay_as_the_exponents_say(depth):
    """On the sphere in R^3 degree k is reached after k^2 functions: lambda_k ~ k^-3, s_k ~ k^-5."""
    found, k = theory.spectrum(depth, 3), np.array([100, 200])
    for values, power in ((found.tangent, 3), (found.covariance, 5)):
        assert np.log(values[100] / values[200]) / np.log(2) == pytest.approx(power, abs=0.25)
    assert k[0] < len(found.tangent)


def ridge(ratio, depth, slope=0, n=1500):
    """The parts for the kernel K'(0) (X X^T + lambda I), averaged over test points by linear algebra."""
    one, zero, along = analytic.profile_constants(depth, slope)
    at_zero, start_along = theory.covariance_constants(depth, slope)
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
    found = [theory.circle_noise(200, generator(seed, "test")) for seed in range(100)]
    assert np.mean(found) == pytest.approx(theory.CIRCLE, abs=4 * np.std(found) / 10)


@pytest.mark.parametrize("depth", [2, 3])
def test_covariance_constants(depth):
    step = 1e-5
    sigma, _ = analytic.profile(torch.tensor([-step, 0.0, step], dtype=torch.float64), depth, 0.1)
    value, along = theory.covariance_constants(depth, 0.1)
    assert value == pytest.approx(sigma[1].item(), rel=1e-12)
    assert along == pytest.approx((sigma[2] - sigma[0]).item() / (2 * step), rel=1e-6)


def test_what_makes_no_sense_is_explained():
    with pytest.raises(InputError, match="d is 1: a sphere"):
        theory.equivalent(10, 1, 2)
    for ratio in (0.0, math.inf):
        with pytest.raises(InputError, match=f"ratio is {ratio}: n/d"):
            theory.proportional(ratio, 2)
