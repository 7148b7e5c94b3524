"""The kernels of a wide network on the unit sphere of R^d, degree by degree.

A kernel of the angle is a sum over degrees, K(rho) = sum_k c_k P_k(rho), of the Gegenbauer polynomials with P_k(1) = 1.
All weights c_k are >= 0 (Schoenberg 1942), and sum_k c_k = K(1). Its eigenfunctions for uniform inputs are the
spherical harmonics, N_k independent ones of degree k, with the one eigenvalue c_k / N_k = E[K(rho) P_k(rho)], where rho
is one coordinate of a point of the sphere (Funk and Hecke).
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from scipy import special

from benign.errors import InputError
from benign.ntk import analytic

#: Nodes of the quadrature in the angle, and the highest degree that it resolves.
NODES, HIGHEST = 1500, 500
#: Degrees end where one has more harmonics than this: its eigenvalue is near the rounding of the quadrature, and to
#: fewer points than that it is a multiple of the unit matrix.
MOST = 1e7
#: Eigenvalues below this are rounding: many are zero, such as those of odd degrees at two layers.
ZERO = 1e-13


class Spectrum(NamedTuple):
    """The eigenvalues of Theta_L and Sigma_L by degree, and what of their traces is left beyond the last degree."""

    multiplicity: Float64[np.ndarray, " degrees"]
    tangent: Float64[np.ndarray, " degrees"]
    covariance: Float64[np.ndarray, " degrees"]
    tangent_rest: float
    covariance_rest: float


def multiplicity(degree: int, d: int) -> float:
    """The number N_k = (2k + d - 2) / k * binomial(k + d - 3, k - 1) of spherical harmonics of degree k in R^d."""
    check(d)
    return 1.0 if degree == 0 else (2 * degree + d - 2) / degree * special.binom(degree + d - 3, degree - 1)


def harmonic(t: np.ndarray, degree: int, d: int) -> np.ndarray:
    """The zonal harmonic sqrt(N_k) P_k(t) in t = <u, x>: a polynomial of degree k, of unit variance on the sphere."""
    return math.sqrt(multiplicity(degree, d)) * gegenbauer(t, degree, d)[degree]


def gegenbauer(t: np.ndarray, highest: int, d: int) -> np.ndarray:
    """P_0(t), ..., P_highest(t), by (k + d - 2) P_{k+1} = (2k + d - 2) t P_k - k P_{k-1}; shape (highest + 1, ...)."""
    values = [np.ones_like(t), t]
    for k in range(1, highest):
        values.append(((2 * k + d - 2) * t * values[k] - k * values[k - 1]) / (k + d - 2))
    return np.stack(values[: highest + 1])


@functools.lru_cache(maxsize=256)
def spectrum(depth: int, d: int, slope: float | int = 0) -> Spectrum:
    """The eigenvalues by degree, integrated in the angle, in which the kernels have no kink.

    Raises:
        InputError: a dimension below 2, a depth below 1, a slope outside [0, 1].
    """
    check(d)
    nodes, weights = _quadrature()
    half = min(math.pi / 2, 12 / math.sqrt(d))  # twelve standard deviations of the angle about pi/2
    angle = math.pi / 2 + half * nodes
    weights = weights * np.sin(angle) ** (d - 2)
    weights /= weights.sum()
    highest = next((k for k in range(4, HIGHEST + 1) if multiplicity(k, d) > MOST), HIGHEST + 1)
    counts = np.array([multiplicity(k, d) for k in range(highest)])
    sigma, theta = analytic.profile(torch.from_numpy(np.cos(angle)), depth, slope)
    polynomials = gegenbauer(np.cos(angle), highest - 1, d)
    tangent, covariance = (polynomials @ (weights * k.numpy()) for k in (theta, sigma))
    for values in (tangent, covariance):
        values[values < ZERO] = 0
    rests = (max(0.0, trace - float(counts @ k)) for trace, k in ((depth, tangent), (1, covariance)))
    return Spectrum(counts, tangent, covariance, *rests)


def covariance_constants(depth: int, slope: float | int = 0) -> tuple[float, float]:
    """Sigma_L(0) and Sigma_L'(0), which as d grows are the weights c_0 and c_1 of f_0; kappa1' is kappa0."""
    sigma, along = torch.zeros((), dtype=torch.float64), 1.0
    for _ in range(depth - 1):
        along *= analytic.kappa0(sigma, slope).item()
        sigma = analytic.kappa1(sigma, slope)
    return sigma.item(), along


def check(d: int) -> None:
    """Raise an ``InputError`` unless R^d has a sphere with a continuum of angles."""
    if d < 2:
        raise InputError(f"d is {d}: a sphere with a continuum of angles needs at least two dimensions")


@functools.cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    return special.roots_legendre(NODES)
