"""The smallest eigenvalue of the tangent kernel's matrix for n inputs uniform on the unit sphere of R^d.

On the sphere the profile of ``ntk.analytic`` is a sum over degrees k, K(rho) = sum_k c_k P_k(rho), of the Gegenbauer
polynomials with P_k(1) = 1. All weights c_k are >= 0 (Schoenberg 1942), and sum_k c_k = K(1). The matrix of P_k is
(1/N_k) Y_k Y_k^T with an n x N_k matrix of spherical harmonics: it has the unit as its mean, and the spectrum of a
sample covariance with the ratio gamma_k = n / N_k. Marchenko and Pastur's law for all degrees at once ends at

    lambda = sum_k c_k / (1 + c_k gamma_k s) - 1/s,    s > 0 with sum_k (1/gamma_k) (u_k / (1 + u_k))^2 = 1,
    u_k = c_k gamma_k s,

which is the largest value of this function of s. One degree alone gives c (1 - sqrt(gamma))_+^2; a degree with
gamma_k -> 0 gives all of c_k. The closed form of ``linearised`` keeps the constant and linear terms of the expansion of
K at 0 and takes all others for a multiple of the unit matrix. Both are derivations of this book, not theorems.
"""

import functools
import math

import numpy as np
import torch
from jaxtyping import Float64
from scipy.optimize import brentq
from scipy.special import roots_legendre

from benign.errors import InputError
from benign.ntk import analytic

#: Degrees are resolved until their dimensions add up to this many times n; all higher ones together are a unit matrix.
RESOLVED = 100


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


def dimension(d: int, degree: int) -> int:
    """The number N_k = C(d+k-1, k) - C(d+k-3, k-2) of independent spherical harmonics of degree k in R^d, d >= 2."""
    if degree < 2:
        return d**degree
    return math.comb(d + degree - 1, degree) - math.comb(d + degree - 3, degree - 2)


def weights(
    n: int, d: int, depth: int, slope: float | int = 0
) -> tuple[Float64[np.ndarray, " degrees"], Float64[np.ndarray, " degrees"]]:
    """The weights c_k and dimensions N_k for k = 0, 1, ..., as far as n points tell the degrees from a unit matrix.

    c_k = N_k E[K(rho) P_k(rho)], rho the cosine of two independent points. It is integrated in the angle, in which K
    has no kink.

    Raises:
        InputError: no input, a dimension below 3, a depth below 2: then K is linear.
    """
    _check(n, d, least=3)
    if depth < 2:
        raise InputError(f"depth is {depth}: the tangent kernel has degrees above the first from depth 2 on")
    # Degrees stay below sqrt(2 RESOLVED n), at d = 3 and without odd ones, and the angles within 1/sqrt(d) of pi/2.
    nodes, measure = _legendre(300 + 2 * math.isqrt(RESOLVED * n) + 4 * math.isqrt(d))
    angle = math.pi / 2 * (nodes + 1)
    measure = measure * np.sin(angle) ** (d - 2)
    measure /= measure.sum()
    rho = np.cos(angle)
    values = analytic.profile(torch.from_numpy(rho), depth, slope)[1].numpy()
    before, now = np.zeros_like(rho), np.ones_like(rho)
    found, dimensions, resolved, degree = [], [], 0.0, 0
    while resolved < RESOLVED * n:
        size = float(dimension(d, degree))
        weight = size * float(measure @ (values * now))
        weight = weight if weight > 1e-13 * size else 0.0  # rounding: many weights are zero
        found.append(weight)
        dimensions.append(size)
        resolved += size if weight > 0 else 0.0
        # (k + d - 2) P_{k+1} = (2k + d - 2) rho P_k - k P_{k-1}
        before, now = now, ((2 * degree + d - 2) * rho * now - degree * before) / (degree + d - 2)
        degree += 1
    return np.array(found), np.array(dimensions)


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
    c, dimensions = weights(n, d, depth, slope)
    # What is not resolved adds a multiple of the unit matrix.
    return edge(c, dimensions, n) + max(0.0, depth - float(c.sum()))


@functools.lru_cache(maxsize=8)
def _legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    return roots_legendre(count)


def _check(n: int, d: int, least: int) -> None:
    if n < 1 or d < least:
        raise InputError(f"n is {n} and d is {d}: there must be an input, and the dimension must be at least {least}")
