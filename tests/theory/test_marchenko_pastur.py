"""The expansion of the tangent kernel on the sphere, the ends of the spectrum that follow, and random matrices."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate

from benign.errors import InputError
from benign.ntk import analytic
from benign.seeds import generator
from benign.theory import marchenko_pastur as theory


def sphere(n, d, seed=0):
    return torch.nn.functional.normalize(torch.tensor(generator(seed, "test").standard_normal((n, d))), dim=1)


def test_the_floor_is_that_of_the_digest():
    assert [round(theory.floor(depth), 3) for depth in (2, 3, 5)] == [0.682, 1.356, 2.698]
    assert theory.floor(4, 1) == pytest.approx(0, abs=1e-12)  # a linear network has none


def test_the_closed_form():
    assert theory.linearised(100, 400, 2) == pytest.approx(theory.floor(2) + 1 / 4)  # K'(0) = 1, (1 - 1/2)^2
    slope = analytic.profile_constants(3).slope_at_zero
    assert theory.linearised(100, 900, 3) == pytest.approx(theory.floor(3) + slope * 4 / 9)
    assert theory.linearised(100, 100, 3) == theory.linearised(100, 7, 3) == theory.floor(3)


@pytest.mark.parametrize("ratio", [0.01, 0.3, 0.9])
def test_one_degree_is_marchenko_and_pastur(ratio):
    assert theory.edge(np.array([2.5]), np.array([100.0]), 100 * ratio) == pytest.approx(2.5 * (1 - ratio**0.5) ** 2)


def test_the_edge_of_too_few_dimensions_is_zero():
    assert theory.edge(np.array([1.0, 2.0]), np.array([30.0, 60.0]), 90) == 0
    assert theory.edge(np.array([1.0, 0.0]), np.array([30.0, 1e9]), 90) == 0
    assert theory.edge(np.array([1.0, 2.0]), np.array([30.0, 61.0]), 90) > 0


def test_the_edge_of_random_matrices():
    """Two degrees with independent Gaussian harmonics; the smallest eigenvalue fluctuates by the order n^(-2/3)."""
    n, dimensions, c = 300, (100, 800), (1.0, 0.5)
    found = []
    for seed in range(4):
        rng = generator(seed, "test")
        parts = [weight / size * (y @ y.T) for weight, size in zip(c, dimensions, strict=True)
                 for y in [rng.standard_normal((n, size))]]  # fmt: skip
        found.append(np.linalg.eigvalsh(sum(parts))[0])
    expected = theory.edge(np.array(c), np.array([100.0, 800.0]), n)
    assert np.mean(found) == pytest.approx(expected, rel=0.04)
    assert expected > 0.5 * (1 - math.sqrt(300 / 800)) ** 2  # the first degree adds


def test_the_edge_is_the_largest_value_of_the_function():
    c, sizes, n = np.array([0.7, 1.1, 0.4]), np.array([1.0, 20.0, 300.0]), 100
    s = np.geomspace(1e-3, 1e4, 200_001)[:, None]
    values = (c / (1 + c * n / sizes * s)).sum(1) - 1 / s[:, 0]
    assert theory.edge(c, sizes, n) == pytest.approx(values.max(), abs=1e-6)


@pytest.mark.parametrize("d", [60, 200, 800])
@pytest.mark.parametrize("depth", [2, 4])
def test_the_kernel_on_the_sphere(d, depth):
    """Deviations over draws are below one per cent, so that four cannot miss by three."""
    found = [float(torch.linalg.eigvalsh(analytic.kernel(sphere(200, d, seed), depth=depth))[0]) for seed in range(4)]
    assert np.mean(found) == pytest.approx(theory.smallest_eigenvalue(200, d, depth), rel=0.03)


def test_the_closed_form_is_the_limit():
    gaps = [abs(theory.smallest_eigenvalue(n, 2 * n, 3) / theory.linearised(n, 2 * n, 3) - 1) for n in (50, 400, 3200)]
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 1e-3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.linearised(0, 10, 2), "n is 0 and d is 10"),
        (lambda: theory.linearised(10, 0, 2), "d is 0"),
        (lambda: theory.smallest_eigenvalue(10, 2, 2), "at least 3"),
        (lambda: theory.smallest_eigenvalue(10, 10, 1), "depth is 1"),
    ],
)
def test_wrong_settings_are_explained(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("gamma", [0.05, 0.6, 1, 3])
def test_moments_of_marchenko_and_pastur(gamma):
    x, mass = theory.law(gamma)
    assert mass.sum() == pytest.approx(1)
    assert mass @ x == pytest.approx(1)
    assert mass @ x**2 == pytest.approx(1 + gamma)
    assert mass @ x**3 == pytest.approx(1 + 3 * gamma + gamma**2)
    assert mass[-1] == pytest.approx(max(0, 1 - 1 / gamma), abs=1e-3)
    assert x[-1] == 0


def test_the_density():
    """An integral over the density itself."""
    gamma = 0.5
    a, b = (1 - gamma**0.5) ** 2, (1 + gamma**0.5) ** 2
    expected, _ = integrate.quad(
        lambda x: np.exp(-x) * np.sqrt((b - x) * (x - a)) / (2 * np.pi * gamma * x), a, b, epsabs=1e-10
    )
    x, mass = theory.law(gamma)
    assert mass @ np.exp(-x) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(("n", "d"), [(100, 300), (300, 100)])
def test_against_random_matrices(n, d):
    """A flow with b I + a X X^T: over 20 draws the standard error is below one half of a per cent."""
    constants, b, tau = analytic.profile_constants(3), theory.floor(3), np.array([0.1, 0.4])
    noise, linear = [], []
    for seed in range(20):
        rng = generator(seed, "test")
        x = rng.standard_normal((n, d)) / np.sqrt(d)
        values, vectors = np.linalg.eigh(b * np.eye(n) + constants.slope_at_zero * x @ x.T)
        decay = np.exp(-2 * np.outer(tau, values))
        noise.append(decay.mean(axis=1))
        shares = (vectors.T @ x) ** 2  # of E over theta of the squared coordinates of X theta
        linear.append(decay @ shares.sum(axis=1) / shares.sum())
    found = theory.left(n, d, 3, tau)
    assert np.mean(noise, axis=0) == pytest.approx(found.noise, rel=0.02)
    assert np.mean(linear, axis=0) == pytest.approx(found.linear, rel=0.02)


def test_nothing_is_fitted_at_the_start_and_the_target_first():
    start, later = (theory.left(200, 100, 2, np.array([tau])) for tau in (0.0, 0.3))
    assert (start.noise[0], start.linear[0]) == pytest.approx((1, 1))
    assert later.linear[0] < later.noise[0] < 1


@pytest.mark.parametrize("gamma", [0, -1, float("inf")])
def test_a_wrong_ratio_is_explained(gamma):
    with pytest.raises(InputError, match="gamma is"):
        theory.law(gamma)


@pytest.mark.parametrize("depth", [2, 3])
def test_what_the_quadratic_degree_takes_is_the_leading_order_of_the_edge(depth):
    """At n = d and at n = d^(3/2), on the sphere; the error falls as d grows."""
    errors = []
    for d in (100, 10_000):
        for n in (d, round(d**1.5)):
            exact = theory.floor(depth) - theory.smallest_eigenvalue(n, d, depth)
            errors.append(abs(theory.quadratic_loss(n, d, depth) / exact - 1))
    assert errors[2] < errors[0] < 0.1
    assert errors[3] < errors[1] < 0.25
    assert errors[2] < 0.02
    assert errors[3] < 0.08
    with pytest.raises(InputError, match="n is at least d"):
        theory.quadratic_loss(10, 11, 2)


def test_what_is_left_by_degrees_is_the_linearised_flow_in_high_dimension():
    tau = np.geomspace(0.01, 10, 30)
    for found, expected in zip(
        theory.left_by_degrees(200, 20_000, 3, tau), theory.left(200, 20_000, 3, tau), strict=True
    ):
        assert found == pytest.approx(expected, abs=2e-3)


def test_what_is_left_by_degrees_is_that_of_independent_gaussian_harmonics(monkeypatch):
    """Two degrees, 400 points: shares at four times, to one hundredth."""
    n, sizes, c = 400, np.array([1.0, 100, 700]), np.array([0.3, 1.2, 0.8])
    fake = theory.spectrum(2, 100)._replace(multiplicity=sizes, tangent=c / sizes, tangent_rest=0.0)
    monkeypatch.setattr(theory, "spectrum", lambda *_: fake)
    y, z = (generator(0, "test").standard_normal((n, int(size))) for size in sizes[1:])
    values, vectors = np.linalg.eigh(c[1] / 100 * y @ y.T + c[2] / 700 * z @ z.T)
    tau = np.array([0.1, 0.5, 1.0, 2.0])
    decay = np.exp(-2 * np.multiply.outer(tau, values))
    weight = ((vectors.T @ y) ** 2).sum(1)
    found = theory.left_by_degrees(n, 100, 2, tau)
    assert found.noise == pytest.approx(decay.mean(1), abs=0.01)
    assert found.linear == pytest.approx(decay @ weight / weight.sum(), abs=0.01)
