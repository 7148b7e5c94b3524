"""Exponents of the test error: what Xu & Gu (2023) prove, what no method can beat, and what a network should reach.

S = n ||mu||^4 / p is the signal index and eta the share of wrong training labels. Except for Proposition 4.5 and the
minimax exponent, everything here is a calculation of ours, for Gaussian noise and p much larger than n ||mu||^2, if
nothing else is said.

The picture behind the calculations. A small start and p much larger than n ||mu||^2 make training samples nearly
orthogonal. After a few steps a neuron with a_j = 1 is active at the samples with y_i = 1, with a_j = -1 at the others.
With v_+- the sums of y_i x_i over y_i = +-1, a leaky ReLU of slope s has the neurons

    w_j  ~  v_+ + s v_-  (a_j = 1),        -(v_- + s v_+)  (a_j = -1),

up to one factor. On a test point x of the class +1 the numbers a = <v_+, x> and b = <v_-, x> are independent and, over
their standard deviation, normal with mean (1 - 2 eta) sqrt(S/2) and variance 1; the network's output has the sign of

    max(a + s b, s (a + s b)) + min(b + s a, s (b + s a)).

For s > 0 that is the sign of a + b: the network errs where averaging errs. For s = 0 it errs if a <= 0, too.
"""

import math

import numpy as np
from scipy import integrate
from scipy.stats import norm


def minimax_exponent(n: int, p: int, signal: float) -> float:
    """min(||mu||^2, n ||mu||^4 / p), the exponent of the minimax lower bound c exp(-c min(...)), c > 0 unnamed.

    As Xu & Gu (2023), after eq. (7), quote it from Giraud & Verzelen (2019). Under (6c) the second is the smaller one.
    """
    return min(signal**2, n * signal**4 / p)


def least_error(index: float | np.ndarray) -> float | np.ndarray:
    """Q(sqrt(S)): no method has a smaller clean test error on average over the direction of mu, for large p/n.

    Give the method the clean labels and ||mu||, and let the direction of mu be uniform. With v = sum_i y_i x_i, the
    likelihood of a fresh x of the class y is the mean of exp(<v + y x, mu>) over all directions, which increases with
    ||v + y x||: Bayes' rule is the sign of <v, x>. So averaging is optimal for clean labels, and this is its error,
    ``averaging.limit_error`` with eta = 0. Wrong labels say less.
    """
    return norm.sf(np.sqrt(index))


def effective_constant(error: float | np.ndarray, index: float | np.ndarray) -> float | np.ndarray:
    """2 S / Q^(-1)(error)^2, the C of eq. (10) without the factor that is not exponential: error = Q(sqrt(2 S / C))."""
    return 2 * np.asarray(index) / np.square(norm.isf(error))


def efficiency(error: float | np.ndarray, index: float | np.ndarray, label_noise: float) -> float | np.ndarray:
    """Q^(-1)(error) / ((1 - 2 eta) sqrt(S)): 1 for averaging, and 1/(1 - 2 eta) for what no method beats."""
    return norm.isf(error) / ((1 - 2 * label_noise) * np.sqrt(index))


def alike_error(index: float, label_noise: float) -> float:
    """The error of a ReLU network whose neurons of one sign are all alike, P(a <= 0 or a + b <= 0), s = 0 above.

    Its exponent is (1 - 2 eta)^2 S / 4, half of averaging's: where a <= 0 < b, all neurons are silent.
    """
    mean = (1 - 2 * label_noise) * math.sqrt(index / 2)
    # P(a > 0, a + b <= 0), integrated over a.
    both, _ = integrate.quad(lambda a: norm.pdf(a - mean) * norm.sf(a + mean), 0, mean + 40, epsabs=0, epsrel=1e-9)
    return float(norm.sf(mean) + both)


def equal_margin_error(
    n: int, p: int, signal: float | np.ndarray, label_noise: float, slope: float = 1.0
) -> float | np.ndarray:
    """The error of a leaky ReLU network that has been trained until all margins are equal.

    The logistic loss ends there, and with the slope s = 1 this is the linear max-margin classifier of orthogonal noise.
    With fixed activity, neurons see two samples of equal labels together with the weight (1 + s^2)/2 and two others
    with s. The common mean helps clean samples and hinders the others, so that these get more weight:
    1 -+ (1 - 2 eta) k with k = r/(1 + r), r = (1 + s)^2 / (2 (1 + s^2)) lambda, lambda = n ||mu||^2 / p. In the closed
    form of averaging (``averaging.test_error``) mu then has the factor (1 - 2 eta)(1 - k) in the place of 1 - 2 eta,
    and the noise the variance 1 - (1 - 2 eta)^2 k (2 - k) in the place of 1. For lambda -> infinity and s = 1 the
    signal matters through the first term only: the memory of the wrong labels, n/p 4 eta (1 - eta), stays.

    Where it holds, in terms of Q^(-1)(error), measured at eta = 0.16, n = 50 and p/n from 10 to 1000. Linear
    classifiers: at every lambda up to 16, to within seven per cent of the exact shortest solution for p = 10n and one
    per cent from p = 100n on. Networks after 3,000 steps of 0.2 n/p: to within eight per cent for lambda <= 2. Beyond
    the wall lambda = 2 / (1 - 2 eta), where the first step takes wrong labels out of the half-line of the neurons of
    their sign, activity is not fixed. There a slope of one half or more keeps to it, up to the sixth by which training
    is not yet over, and a slope of 0.1 does not: at lambda = 16 Q^(-1) is a third too large, and the error more than
    an order of magnitude too small. We know of nothing simple that holds there for small slopes.
    """
    pull, squared = 1 - 2 * label_noise, np.square(signal)
    r = (1 + slope) ** 2 / (2 * (1 + slope**2)) * n * squared / p
    k = r / (1 + r)
    mean, variance = pull / (1 + r), 1 - pull**2 * k * (2 - k)
    return norm.sf(mean * squared / np.sqrt(mean**2 * squared + variance * p / n))


def margin_constant(slope: float | np.ndarray, label_noise: float) -> float | np.ndarray:
    """(1 - 2 eta) (1 + s)^2 / (2 sqrt(2 (1 + s^2))): the normalised margin over sqrt(S), for a leaky ReLU of slope s.

    From the picture above and E[y f(x)] = (1 + s) / (2 sqrt(m)) sum_j a_j <w_j, mu>, which is exact for noise that is
    symmetric, as sigma(u) - sigma(-u) = (1 + s) u.
    """
    return (1 - 2 * label_noise) * (1 + slope) ** 2 / (2 * np.sqrt(2 * (1 + np.square(slope))))


def lipschitz_error_bound(
    mean_margin: float | np.ndarray, lipschitz: float | np.ndarray, beta: float = 2.0
) -> float | np.ndarray:
    """exp(-(E[y f(x)] / L)^2 / beta), the bound on the test error that an L-Lipschitz network has.

    Proposition 4.5 with L = ||W||_{2,1} / sqrt(m). ``beta`` is the log-Sobolev constant, 2 for standard Gaussian noise.
    """
    return np.exp(-np.square(np.maximum(mean_margin, 0) / lipschitz) / beta)


def anisotropic_index(n: int, signal: float, squared_variances: float) -> float:
    """n ||mu||^4 / Tr(Sigma^2), in the place of S if the noise has the covariance Sigma.

    Given the sample, the variance of the averaging classifier's margin is about <mu, Sigma mu> + Tr(Sigma^2) / n, in
    units where the mean is ||mu||^2. ``squared_variances`` is Tr(Sigma^2), p for isotropic noise.
    """
    return n * signal**4 / squared_variances
