"""What interpolation with the tangent kernel of a wide network costs on the unit sphere of R^d, without free constants.

The network interpolates y_i = g(x_i) + eps_i from a random start f_0 with covariance Sigma. With K = Theta_L and
a(x) = K^{-1} k(x) its expected squared error is the sum of three parts,

    bias             (a^T g(X) - g(x))^2
    label noise      Var(eps) ||a||^2
    initialisation   Sigma(x, x) - 2 a^T Sigma(X, x) + a^T Sigma(X, X) a.

The eigenvalues are those of ``theory.harmonics``. All formulas here are ours. They apply known theory of kernel
regression (Hastie et al. 2022, Mei & Montanari 2022, Simon et al. 2023) to this kernel, and are checked against the
exact split, not proved.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import optimize

from benign.errors import InputError
from benign.ntk import analytic
from benign.theory.harmonics import check, covariance_constants, spectrum

#: The label noise part over the noise variance, in the limit of many points on the circle. A kernel with a kink,
#: K(0) - c |angle|, interpolates linearly between neighbours there: at the share t of an arc ||a||^2 = t^2 + (1 - t)^2,
#: whose mean over t is 2/3 on every arc.
CIRCLE = 2 / 3


class Parts(NamedTuple):
    """The parts of the expected squared error, averaged over test points and samples."""

    label_noise: float  #: over the variance of the label noise: ||a||^2
    initialisation: float
    bias: tuple[float, ...]  #: of targets of unit variance of degree 0, 1, 2, 3


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
    check(d)
    return 1 / (d - 1)


def initialisation_exponent(d: int) -> float:
    """The exponent -3 / (d - 1) of n in the initialisation part of ``equivalent``, for n -> infinity.

    Sigma_L is smoother than Theta_L: its eigenvalues fall like m^{-(d + 2) / (d - 1)}. kappa is like n^{-alpha}.
    """
    check(d)
    return -3 / (d - 1)
