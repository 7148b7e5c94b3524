"""The smallest eigenvalue of the tangent kernel's matrix for n inputs uniform on the unit sphere of R^d.

The kernel is a sum over degrees k, K(rho) = sum_k c_k P_k(rho) (``theory.harmonics``). The matrix of P_k is
(1/N_k) Y_k Y_k^T with an n x N_k matrix of spherical harmonics: it has the unit as its mean, and the spectrum of a
sample covariance with the ratio gamma_k = n / N_k. Marchenko and Pastur's law for all degrees at once ends at

    lambda = sum_k c_k / (1 + c_k gamma_k s) - 1/s,    s > 0 with sum_k (1/gamma_k) (u_k / (1 + u_k))^2 = 1,
    u_k = c_k gamma_k s,

which is the largest value of this function of s. One degree alone gives c (1 - sqrt(gamma))_+^2; a degree with
gamma_k -> 0 gives all of c_k. The closed form of ``linearised`` keeps the constant and linear terms of the expansion of
K at 0 and takes all others for a multiple of the unit matrix. Both are derivations of this book, not theorems.
"""

import math

import numpy as np
from jaxtyping import Float64
from scipy.optimize import brentq

from benign.errors import InputError
from benign.ntk import analytic
from benign.theory.harmonics import spectrum


def floor(depth: int, slope: float | int = 0) -> float:
    """The number K(1) - K(0) - K'(0): the weight of all degrees above the first, as d -> infinity."""
    at_one, at_zero, slope_at_zero = analytic.profile_constants(depth, slope)
    return at_one - at_zero - slope_at_zero


def linearised(n: int, d: int, depth: int, slope: float | int = 0) -> float:
    """The closed form K(1) - K(0) - K'(0) + K'(0) (1 - sqrt(n/d))_+^2 (El Karoui 2010, theorem 2.1).

    Raises:
        InputError: no input, a dimension or a depth below 1.
    """
    _check(n, d, least=1)
    edge = max(0.0, 1 - math.sqrt(n / d)) ** 2
    return floor(depth, slope) + analytic.profile_constants(depth, slope).slope_at_zero * edge


def edge(
    weights: Float64[np.ndarray, " degrees"], dimensions: Float64[np.ndarray, " degrees"], n: int | float
) -> float:
    """The lower end of the spectrum of sum_k (c_k / N_k) Y_k Y_k^T, Y_k independent, n x N_k, of unit variance.

    It is 0 if the dimensions of all degrees that occur do not exceed n.
    """
    c, ratio = weights[weights > 0], n / dimensions[weights > 0]
    if (1 / ratio).sum() <= 1:
        return 0.0

    def excess(log_s: float) -> float:
        u = c * ratio * math.exp(log_s)
        return ((u / (1 + u)) ** 2 / ratio).sum() - 1

    s = math.exp(brentq(excess, -60, 120))
    return max(0.0, float((c / (1 + c * ratio * s)).sum() - 1 / s))


def smallest_eigenvalue(n: int, d: int, depth: int, slope: float | int = 0) -> float:
    """The ``edge`` for the tangent kernel at n points of the sphere in R^d, all degrees counted.

    Raises:
        InputError: no input, a dimension below 3, a depth below 2.
    """
    _check(n, d, least=3)
    if depth < 2:
        raise InputError(f"depth is {depth}: the tangent kernel has degrees above the first from depth 2 on")
    degrees = spectrum(depth, d, slope)
    # What lies beyond the last degree adds a multiple of the unit matrix.
    return edge(degrees.multiplicity * degrees.tangent, degrees.multiplicity, n) + degrees.tangent_rest


def _check(n: int, d: int, least: int) -> None:
    if n < 1 or d < least:
        raise InputError(f"n is {n} and d is {d}: there must be an input, and the dimension must be at least {least}")
