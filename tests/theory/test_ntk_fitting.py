"""The integrals for what is left of noise and of a linear target, beside random matrices."""

import numpy as np
import pytest
from scipy import integrate

from benign.errors import InputError
from benign.ntk import analytic
from benign.seeds import generator
from benign.theory import ntk_fitting as theory
from benign.theory import ntk_spectrum


@pytest.mark.parametrize("gamma", [0.05, 0.6, 1, 3])
def test_moments_of_marchenko_and_pastur(gamma):
    x, mass = theory.marchenko_pastur(gamma)
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
    x, mass = theory.marchenko_pastur(gamma)
    assert mass @ np.exp(-x) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(("n", "d"), [(100, 300), (300, 100)])
def test_against_random_matrices(n, d):
    """A flow with b I + a X X^T: over 20 draws the standard error is below one half of a per cent."""
    constants, b, tau = analytic.profile_constants(3), ntk_spectrum.floor(3), np.array([0.1, 0.4])
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
        theory.marchenko_pastur(gamma)
