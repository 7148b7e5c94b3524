"""The spectrum of the tangent kernel's matrix for n inputs uniform on the unit sphere of R^d, and what it fits when.

The kernel is a sum over degrees k, K(rho) = sum_k c_k P_k(rho) (``theory.harmonics``). The matrix of P_k is
(1/N_k) Y_k Y_k^T with an n x N_k matrix of spherical harmonics: it has the unit as its mean, and the spectrum of a
sample covariance with the ratio gamma_k = n / N_k. Marchenko and Pastur's law for all degrees at once ends at

    lambda = sum_k c_k / (1 + c_k gamma_k s) - 1/s,    s > 0 with sum_k (1/gamma_k) (u_k / (1 + u_k))^2 = 1,
    u_k = c_k gamma_k s,

which is the largest value of this function of s. One degree alone gives c (1 - sqrt(gamma))_+^2; a degree with
gamma_k -> 0 gives all of c_k. The closed form of ``linearised`` keeps the constant and linear terms of the expansion of
K at 0 and takes all others for a multiple of the unit matrix. Both are derivations of this book, not theorems.

Under the flow of ``ntk.regression`` the residual of a part y of the labels is exp(-tau K) y, tau = t/n. With the
linearised kernel K is b I + a X X^T, b = K(1) - K(0) - K'(0) and a = K'(0), up to one direction, and the eigenvalues of
X X^T follow the law F of Marchenko and Pastur with the ratio gamma = n/d. Noise meets every direction alike and a
linear target y = X theta meets it in proportion to the eigenvalue, so that

    E ||exp(-tau K) noise||^2 / E ||noise||^2     = int exp(-2 tau (b + a x)) dF(x),
    E ||exp(-tau K) X theta||^2 / E ||X theta||^2 = int x exp(-2 tau (b + a x)) dF(x),

as E ||X theta||^2 is proportional to int x dF(x) = 1.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.optimize import brentq

from benign.errors import InputError
from benign.ntk import analytic
from benign.theory.harmonics import spectrum

NODES, CONTOUR = 2000, 2000


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


def quadratic_loss(n: int, d: int, depth: int, slope: float | int = 0) -> float:
    """What the floor loses to the quadratic degree for n >= d, to leading order in gamma_2 = n / N_2.

    There 1/s is small against c_1 gamma_1, and the edge is the largest value of
    c_1 / (1 + c_1 gamma_1 s) - 1/s - c_2^2 gamma_2 s, plus the floor. The first two terms are -(1 - d/n) / s for n > d
    and -1 / (c_1 s^2) for n = d, so that the floor loses

        2 c_2 sqrt((n - d) / N_2)  for n > d,        (3/2) (2 / c_1)^{1/3} (c_2^2 n / N_2)^{2/3}  for n = d.

    The first is for n/d that stay away from 1, where it would be 0.

    Raises:
        InputError: n below d, a dimension below 3, a depth below 2.
    """
    _check(n, d, least=3)
    if n < d or depth < 2:
        raise InputError(f"n is {n}, d is {d} and depth is {depth}: n is at least d here, and the depth at least 2")
    degrees = spectrum(depth, d, slope)
    (linear, quadratic), count = (degrees.multiplicity * degrees.tangent)[1:3], degrees.multiplicity[2]
    if n > d:
        return 2 * quadratic * math.sqrt((n - d) / count)
    return 1.5 * (2 / linear) ** (1 / 3) * (quadratic**2 * n / count) ** (2 / 3)


class Left(NamedTuple):
    """The shares of the squared norm that are not yet fitted, each of shape (times,)."""

    noise: Float64[np.ndarray, " times"]
    linear: Float64[np.ndarray, " times"]


def left(n: int, d: int, depth: int, tau: Float64[np.ndarray, " times"], slope: float | int = 0) -> Left:
    """The two integrals above at the times ``tau`` = t/n.

    Raises:
        InputError: no input, a dimension or a depth below 1.
    """
    x, mass = law(n / d)
    rate = floor(depth, slope) + analytic.profile_constants(depth, slope).slope_at_zero * x
    decay = np.exp(-2 * np.multiply.outer(tau, rate))
    return Left(decay @ mass, decay @ (mass * x))


def left_by_degrees(n: int, d: int, depth: int, tau: Float64[np.ndarray, " times"]) -> Left:
    """The same two shares with all degrees counted, not only the linear one: for n/d of any size.

    The law of the eigenvalues x of sum_k (c_k / N_k) Y_k Y_k^T has the Stieltjes transform m(z) = int dF(x) / (x - z)
    with z = sum_k c_k / (1 + c_k gamma_k m) - 1/m (Silverstein & Bai 1995). A linear target meets each eigenvalue in
    proportion to the share of the degree 1 in it, whose transform is m / (1 + c_1 gamma_1 m). With these transforms

        int exp(-2 tau x) dF(x) = -(1 / (2 pi i)) oint exp(-2 tau z) m(z) dz

    around the spectrum, where m is found by iteration. The degree 0 has one eigenvalue, and is left out.

    Raises:
        InputError: no input, a dimension below 3.
    """
    _check(n, d, least=3)
    degrees = spectrum(depth, d)
    c, sizes = (degrees.multiplicity * degrees.tangent)[1:], degrees.multiplicity[1:]
    c, gamma = c[c > 0], n / sizes[c > 0]
    low, high = edge(c, n / gamma, n) / 2, 1.05 * float((c * (1 + np.sqrt(gamma)) ** 2).sum())
    # The upper half of an ellipse around the spectrum; the lower half is its mirror image.
    angle = (np.arange(CONTOUR) + 0.5) * math.pi / CONTOUR
    z = (low + high) / 2 + (high - low) * (np.cos(angle) / 2 + 1j * np.sin(angle) / 4)
    step = (high - low) * (-np.sin(angle) / 2 + 1j * np.cos(angle) / 4) * math.pi / CONTOUR

    def transform(m: np.ndarray) -> np.ndarray:
        return 1 / ((c / (1 + np.multiply.outer(m, c * gamma))).sum(1) - z)

    m = np.full(CONTOUR, 1j)
    while np.abs((new := transform(m)) - m).max() > 1e-12:
        m = (m + new) / 2
    decay = np.exp(-2 * np.multiply.outer(tau, z + degrees.tangent_rest))
    linear = m / (1 + c[0] * gamma[0] * m) * step
    return Left(-(decay @ (m * step)).imag / math.pi, (decay @ linear).imag / linear.sum().imag)


def law(
    gamma: float | int,
) -> tuple[Float64[np.ndarray, " nodes"], Float64[np.ndarray, " nodes"]]:
    """Points and masses that stand for the limiting eigenvalues of X X^T, X of shape (n, d), n/d = gamma, variance 1/d.

    The density is sqrt((b - x) (x - a)) / (2 pi gamma x) between a, b = (1 -+ sqrt(gamma))^2, with the mass
    1 - 1/gamma at 0 besides if gamma > 1 (Marchenko & Pastur 1967). In x = 1 + gamma + 2 sqrt(gamma) cos(phi) it is
    2 sin^2(phi) / (pi x) dphi, for which equidistant phi are a Gauss rule but for the factor 1/x.

    Raises:
        InputError: a ratio that is not positive.
    """
    if not 0 < gamma < math.inf:
        raise InputError(f"gamma is {gamma}: the ratio n/d is a positive number")
    phi = math.pi * np.arange(1, NODES + 1) / (NODES + 1)
    x = 1 + gamma + 2 * math.sqrt(gamma) * np.cos(phi)
    mass = 2 * np.sin(phi) ** 2 / ((NODES + 1) * x)
    return np.append(x, 0.0), np.append(mass, max(0.0, 1 - mass.sum()))


def _check(n: int, d: int, least: int) -> None:
    if n < 1 or d < least:
        raise InputError(f"n is {n} and d is {d}: there must be an input, and the dimension must be at least {least}")
