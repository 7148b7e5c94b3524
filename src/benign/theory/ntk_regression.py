"""What interpolation with the tangent kernel of a wide network costs on the unit sphere of R^d, without free constants.

The network interpolates y_i = g(x_i) + eps_i from a random start f_0 with covariance Sigma. With K = Theta_L and
a(x) = K^{-1} k(x) its expected squared error is the sum of three parts,

    bias             (a^T g(X) - g(x))^2
    label noise      Var(eps) ||a||^2
    initialisation   Sigma(x, x) - 2 a^T Sigma(X, x) + a^T Sigma(X, X) a.

A kernel of the angle has the spherical harmonics of R^d as eigenfunctions: N_k of degree k, with one eigenvalue. All
formulas here are ours. They apply known theory of kernel regression (Hastie et al. 2022, Mei & Montanari 2022, Simon
et al. 2023) to this kernel, and are checked against the exact split, not proved.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import torch
from scipy import optimize, special

from benign.errors import InputError
from benign.ntk import analytic

#: Nodes of the quadrature in the angle, and the highest degree that it resolves.
NODES, HIGHEST = 1500, 500
#: Beyond so many harmonics of one degree, an eigenvalue is near the rounding of the quadrature.
MOST = 1e7
#: The label noise part over the noise variance, in the limit of many points on the circle: see ``circle_noise``.
CIRCLE = 2 / 3


class Parts(NamedTuple):
    """The parts of the expected squared error, averaged over test points and samples."""

    label_noise: float  #: over the variance of the label noise: ||a||^2
    initialisation: float
    bias: tuple[float, ...]  #: of targets of unit variance of degree 0, 1, 2, 3


class Spectrum(NamedTuple):
    """The eigenvalues of Theta_L and Sigma_L by degree, and what of their traces is left beyond the last degree."""

    multiplicity: np.ndarray
    tangent: np.ndarray
    covariance: np.ndarray
    tangent_rest: float
    covariance_rest: float


def multiplicity(degree: int, d: int) -> float:
    """The number N_k = (2k + d - 2) / k * binomial(k + d - 3, k - 1) of spherical harmonics of degree k in R^d."""
    _check(d)
    return 1.0 if degree == 0 else (2 * degree + d - 2) / degree * special.binom(degree + d - 3, degree - 1)


def harmonic(t: np.ndarray, degree: int, d: int) -> np.ndarray:
    """The zonal harmonic sqrt(N_k) P_k(t) in t = <u, x>: a polynomial of degree k, of unit variance on the sphere.

    P_k is the Gegenbauer polynomial with P_k(1) = 1.
    """
    return math.sqrt(multiplicity(degree, d)) * _gegenbauer(t, degree, d)[degree]


@functools.lru_cache(maxsize=256)
def spectrum(depth: int, d: int, slope: float | int = 0) -> Spectrum:
    """The eigenvalues E[K(rho) P_k(rho)] (Funk-Hecke), where rho is one coordinate of a point of the sphere."""
    _check(d)
    nodes, weights = _quadrature()
    half = min(math.pi / 2, 12 / math.sqrt(d))  # twelve standard deviations of the angle about pi/2
    angle = math.pi / 2 + half * nodes
    weights = weights * np.sin(angle) ** (d - 2)
    weights /= weights.sum()
    highest = next((k for k in range(4, HIGHEST + 1) if multiplicity(k, d) > MOST), HIGHEST + 1)
    counts = np.array([multiplicity(k, d) for k in range(highest)])
    sigma, theta = analytic.profile(torch.from_numpy(np.cos(angle)), depth, slope)
    polynomials = _gegenbauer(np.cos(angle), len(counts) - 1, d)
    tangent, covariance = ((polynomials @ (weights * k.numpy())).clip(min=0) for k in (theta, sigma))
    rests = (max(0.0, trace - float(counts @ k)) for trace, k in ((depth, tangent), (1, covariance)))
    return Spectrum(counts, tangent, covariance, *rests)


def equivalent(n: int, d: int, depth: int, slope: float | int = 0) -> Parts:
    """The deterministic equivalent of the three parts: the kernel's eigenfunctions taken for Gaussian features.

    With lambda_k the eigenvalues of Theta_L and s_k those of Sigma_L, and kappa and E from

        sum_k N_k lambda_k / (lambda_k + kappa) = n,    1 / E = 1 - (1/n) sum_k N_k (lambda_k / (lambda_k + kappa))^2,

    the label noise part is E - 1, the bias of a target of degree k is E (kappa / (lambda_k + kappa))^2, and the
    initialisation is E sum_k N_k s_k (kappa / (lambda_k + kappa))^2: a random target (Simon et al. 2023, section 3).
    """
    counts, tangent, covariance, rest, covariance_rest = spectrum(depth, d, slope)

    def learned(kappa: float) -> np.ndarray:
        return tangent / (tangent + kappa)

    def excess(log_kappa: float) -> float:
        return float(counts @ learned(math.exp(log_kappa))) + rest / math.exp(log_kappa) - n

    # The sum is at most trace / kappa, so that kappa <= L / n.
    kappa = math.exp(optimize.brentq(excess, -60, math.log(depth / n) + 1e-9, xtol=1e-13))
    scale = 1 / (1 - float(counts @ learned(kappa) ** 2) / n)
    left = (1 - learned(kappa)) ** 2
    start = float((counts * covariance) @ left) + covariance_rest
    return Parts(scale - 1, scale * start, tuple((scale * left[:4]).tolist()))


def proportional(ratio: float, depth: int, slope: float | int = 0) -> Parts:
    """The limit of the three parts for n/d -> ``ratio``, from the Marchenko-Pastur law.

    The kernel matrix is that of a linear kernel plus a ridge (El Karoui 2010): K'(0) (X X^T + lambda I) and a constant,
    lambda = (K(1) - K(0) - K'(0)) / K'(0). With m_j the mean of (s + lambda)^{-j} over the eigenvalues s of X X^T,

        label noise      V = ratio (m_1 - lambda m_2)
        bias, degree 1   B = 1 - ratio + ratio lambda^2 m_2,    degree k >= 2: 1 + V
        initialisation   Sigma'(0) B + (1 - Sigma(0) - Sigma'(0)) (1 + V),

    since what no linear function explains is, to the kernel, noise on the sample and unlearned at a test point.
    """
    if not 0 < ratio < math.inf:
        raise InputError(f"ratio is {ratio}: n/d is a positive number")
    one, zero, slope_at_zero = analytic.profile_constants(depth, slope)
    ridge = (one - zero - slope_at_zero) / slope_at_zero
    b = 1 + ridge - ratio
    root = math.sqrt(b**2 + 4 * ratio * ridge)
    # lambda ratio m^2 + b m = 1, in the form that does not cancel; m_2 = -dm/dlambda.
    first = 2 / (b + root) if b > 0 else (root - b) / (2 * ratio * ridge)
    second = (ratio * first**2 + first) / (2 * ridge * ratio * first + b)
    noise = ratio * (first - ridge * second)
    linear = 1 - ratio + ratio * ridge**2 * second
    at_zero, along = covariance_constants(depth, slope)
    return Parts(noise, along * linear + (1 - at_zero - along) * (1 + noise), (0.0, linear, 1 + noise, 1 + noise))


def high_dimension(n: int, d: int, depth: int, slope: float | int = 0) -> Parts:
    """The three parts for d much larger than n: every point is alone, and only the constant is learned.

    The kernel matrix is (K(1) - K(0)) I + K(0) 1 1^T. So a network learns the mean, to which each label contributes
    w = K(0) / (K(1) - K(0) + n K(0)), about 1/n; beside it a label has the weight K'(0) <x, x_i> / (K(1) - K(0)):

        label noise (n/d) (K'(0) / (K(1) - K(0)))^2 + n w^2,    bias 1, degree >= 1,    initialisation 1 - Sigma(0).
    """
    one, zero, slope_at_zero = analytic.profile_constants(depth, slope)
    at_zero, _ = covariance_constants(depth, slope)
    noise = n / d * (slope_at_zero / (one - zero)) ** 2 + n * (zero / (one - zero + n * zero)) ** 2
    return Parts(noise, 1 - at_zero, (0.0, 1.0, 1.0, 1.0))


def tempered_noise(d: int) -> float:
    """The limit 1 / (d - 1) of ``equivalent``'s label noise part for n -> infinity, at any depth from 2 on.

    The m-th eigenvalue of Theta_L falls like m^{-alpha}, alpha = d / (d - 1), because Theta_L has a kink, a multiple of
    the angle, where the angle is 0. For such a spectrum E tends to alpha (Mallinar et al. 2022).
    """
    _check(d)
    return 1 / (d - 1)


def initialisation_exponent(d: int) -> float:
    """The exponent -3 / (d - 1) of n in the initialisation part of ``equivalent``, for n -> infinity.

    Sigma_L is smoother than Theta_L: its eigenvalues fall like m^{-(d + 2) / (d - 1)}. kappa is like n^{-alpha}.
    """
    _check(d)
    return -3 / (d - 1)


def circle_noise(n: int, rng: np.random.Generator) -> float:
    """||a||^2 averaged over the circle for interpolation along the arcs between n uniform points.

    On the circle a kernel with a kink, K(0) - c |angle|, interpolates linearly between neighbours, as n grows. At the
    share t of an arc ||a||^2 = t^2 + (1 - t)^2, whose mean is ``CIRCLE``, 2/3, on every arc.
    """
    points = np.sort(rng.random(n))
    x = rng.random(100 * n)
    right = np.searchsorted(points, x) % n
    arc = (points[right] - points[right - 1]) % 1
    share = ((x - points[right - 1]) % 1) / arc
    return float(np.mean(share**2 + (1 - share) ** 2))


def covariance_constants(depth: int, slope: float | int = 0) -> tuple[float, float]:
    """Sigma_L(0) and Sigma_L'(0), the weights of the constant and, times <x, z>, of the linear part of f_0."""
    sigma, along = torch.zeros((), dtype=torch.float64), 1.0
    for _ in range(depth - 1):
        along *= analytic.kappa0(sigma, slope).item()
        sigma = analytic.kappa1(sigma, slope)
    return sigma.item(), along


@functools.cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    return special.roots_legendre(NODES)


def _gegenbauer(t: np.ndarray, highest: int, d: int) -> np.ndarray:
    """P_0(t), ..., P_highest(t), by (k + d - 2) P_{k+1} = (2k + d - 2) t P_k - k P_{k-1}; shape (highest + 1, ...)."""
    values = [np.ones_like(t), t]
    for k in range(1, highest):
        values.append(((2 * k + d - 2) * t * values[k] - k * values[k - 1]) / (k + d - 2))
    return np.stack(values[: highest + 1])


def _check(d: int) -> None:
    if d < 2:
        raise InputError(f"d is {d}: a sphere with a continuum of angles needs at least two dimensions")
