"""The degrees of the kernels on the sphere: numbers of harmonics, the harmonics, and eigenvalues that add up."""

import math

import numpy as np
import pytest
import torch
from scipy.special import eval_gegenbauer

from benign.errors import InputError
from benign.ntk import analytic
from benign.seeds import generator
from benign.theory import harmonics as theory


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
    polynomials = theory.gegenbauer(rho, len(found.multiplicity) - 1, d)
    for values, kernel, rest, trace in (
        (found.tangent, tangent, found.tangent_rest, depth),
        (found.covariance, sigma, found.covariance_rest, 1),
    ):
        assert found.multiplicity @ values + rest == pytest.approx(trace, abs=1e-9)
        np.testing.assert_allclose((found.multiplicity * values) @ polynomials, kernel, atol=3e-4)


def test_two_layers_have_no_odd_degree_beyond_one():
    odd = theory.spectrum(2, 4).tangent[3:40:2]
    assert odd.max() == 0 < 1e-4 < theory.spectrum(3, 4).tangent[3]


@pytest.mark.parametrize("depth", [2, 3])
def test_the_eigenvalues_decay_as_the_exponents_say(depth):
    """On the sphere in R^3 degree k is reached after k^2 functions: lambda_k ~ k^-3, s_k ~ k^-5."""
    found, k = theory.spectrum(depth, 3), np.array([100, 200])
    for values, power in ((found.tangent, 3), (found.covariance, 5)):
        assert np.log(values[100] / values[200]) / np.log(2) == pytest.approx(power, abs=0.25)
    assert k[0] < len(found.tangent)


@pytest.mark.parametrize("d", [3, 4, 9])
def test_the_polynomials_are_gegenbauers(d):
    rho = np.array([-1, -0.7, -0.2, 0.1, 0.6, 1])
    expected = [eval_gegenbauer(k, d / 2 - 1, rho) / eval_gegenbauer(k, d / 2 - 1, 1.0) for k in range(60)]
    np.testing.assert_allclose(theory.gegenbauer(rho, 59, d), expected, atol=1e-11)


def test_the_weights_tend_to_the_constants_at_zero():
    found, constants = theory.spectrum(3, 10**6), analytic.profile_constants(3)
    for weights, value, slope in (
        (found.multiplicity * found.tangent, constants.at_zero, constants.slope_at_zero),
        (found.multiplicity * found.covariance, *theory.covariance_constants(3)),
    ):
        assert weights[:2] == pytest.approx([value, slope], rel=1e-5)


@pytest.mark.parametrize("depth", [2, 3])
def test_covariance_constants(depth):
    step = 1e-5
    sigma, _ = analytic.profile(torch.tensor([-step, 0.0, step], dtype=torch.float64), depth, 0.1)
    value, along = theory.covariance_constants(depth, 0.1)
    assert value == pytest.approx(sigma[1].item(), rel=1e-12)
    assert along == pytest.approx((sigma[2] - sigma[0]).item() / (2 * step), rel=1e-6)


def test_a_sphere_without_angles_is_refused():
    for call in (lambda: theory.multiplicity(2, 1), lambda: theory.spectrum(2, 1)):
        with pytest.raises(InputError, match="d is 1: a sphere with a continuum of angles"):
            call()
