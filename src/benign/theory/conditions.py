"""Where the conditions of Xu & Gu (2023) draw their borders, and where short calculations of our own expect them.

With the signal load lambda = n ||mu||^2 / p, the two parts of eq. (6c) read lambda <= 1/C and p >= C n^2 log(n/delta).
"""

import math

import numpy as np
from scipy.stats import binom, norm

from benign.errors import InputError


def signal_load(n: int, p: int | np.ndarray, signal: float | np.ndarray) -> float | np.ndarray:
    """lambda = n ||mu||^2 / p, which eq. (6c) wants to be at most 1/C: the signal in a sample against its noise."""
    return n * np.square(signal) / p


def signal_of_load(n: int, p: int | np.ndarray, load: float | np.ndarray) -> float | np.ndarray:
    """The ||mu|| at which the signal load n ||mu||^2 / p has the given value."""
    return np.sqrt(load * np.asarray(p) / n)


def orthogonality(n: int, p: int | np.ndarray) -> float | np.ndarray:
    """p / (n^2 log n), which the other half of eq. (6c) wants to be at least C (with log n for log(n/delta))."""
    return p / (n**2 * math.log(n))


def dimension_constant(n: int, p: int, signal: float, failure: float = 0.1) -> float:
    """p / (n ||mu||^2 + n^2 log(n/delta)), the largest C with which n, p and ||mu|| meet eq. (6c)."""
    return p / (n * signal**2 + n**2 * math.log(n / failure))


def literal_step(n: int, p: int) -> float:
    """The step size 1/p^2 of eq. (6e) with C = 1, in units of n/p."""
    return 1 / (n * p)


def proof_step() -> float:
    """log(2)/3, the largest step size in units of n/p that the proof can bear.

    Our reading: the step enters only through 3 step p/n <= log 2 (43) and 4 step p/(3n) <= 1 (Lemma 4.5) and, with
    eq. (6f), through (28). The first is the strictest.
    """
    return math.log(2) / 3


def top_eigenvalue(load: float | np.ndarray, aspect: float | np.ndarray = 0.0) -> float | np.ndarray:
    """The largest eigenvalue of X X^T in units of p, for n and p large; ``aspect`` is n/p.

    (1 + lambda) (1 + (n/p)/lambda) where the signal shows beyond the noise, lambda > sqrt(n/p), and the noise's own
    (1 + sqrt(n/p))^2 below (Baik, Ben Arous & Peche 2005, Baik & Silverstein 2006, for one spike of strength
    n ||mu||^2). For p much larger than n that is 1 + lambda.
    """
    seen = np.maximum(load, np.sqrt(aspect))  # at lambda = sqrt(n/p) both are the same
    return (1 + seen) * (1 + np.divide(aspect, seen, out=np.zeros(np.shape(seen)), where=seen > 0))


def descent_step(load: float | np.ndarray, aspect: float | np.ndarray = 0.0) -> float | np.ndarray:
    """8 p / lambda_max(X X^T), a step size in units of n/p up to which the risk falls in every step; our calculation.

    For a fixed activation pattern the Hessian of the risk is at most lambda_max(X X^T) / (4n), for |l''| <= 1/4 and
    slopes at most 1, and a step descends below 2 / curvature. That is 8 / (1 + lambda) for p much larger than n, and
    less otherwise: see ``top_eigenvalue``.
    """
    return 8 / top_eigenvalue(load, aspect)


def first_step_wall(label_noise: float | np.ndarray) -> float | np.ndarray:
    """1 / (1 - 2 eta), the signal load beyond which the first step lowers the margins of wrong labels.

    A calculation of ours, to leading order, for ReLU and any leaky ReLU. From a start so small that the step outweighs
    it, with all g_i = 1/2 and neurons active at half of the samples, the margin of a wrong label grows by a
    positive multiple of p - (1 - 2 eta) n ||mu||^2: what it gains through its own sample, minus what the others take.
    """
    return 1 / (1 - 2 * np.asarray(label_noise))


def deepest_flips_error(n: int, p: int, signal: float, label_noise: float | np.ndarray) -> float | np.ndarray:
    """The averaging classifier's clean test error when the wrong labels are the deepest points of their clusters.

    A calculation of ours. The share eta of points with the largest <y* x, mu> has, in units of ||mu||, the mean depth
    ||mu|| + phi(q)/eta, Q(q) = eta. So their flips take 2 (eta ||mu|| + phi(q)) from the mean depth ||mu||.
    """
    noise = np.asarray(label_noise, dtype=float)
    along = (1 - 2 * noise) * signal - 2 * norm.pdf(norm.isf(noise))
    return norm.sf(along * signal / np.sqrt(np.square(along) + p / n))


def any_flips_error(n: int, p: int | np.ndarray, signal: float | np.ndarray, label_noise: float) -> float | np.ndarray:
    """What no choice of a share eta of wrong labels raises the averaging classifier's clean test error above.

    A calculation of ours, to leading order. Nobody takes more from <sum_i y_i x_i, mu> than ``deepest_flips_error``
    does, and whatever the signs ||sum_i y_i z_i|| <= sqrt(n) (sqrt(p) + sqrt(n)), sqrt(n) times the largest singular
    value of the noise. With A = (1 - 2 eta) ||mu|| - 2 phi(q) the bound is
    Q(A ||mu|| / sqrt(A^2 + (p/n) (1 + sqrt(n/p))^2)): of n it depends on p/n only.
    """
    along = (1 - 2 * label_noise) * signal - 2 * norm.pdf(norm.isf(label_noise))
    across = p / n * np.square(1 + np.sqrt(n / p))
    return norm.sf(along * signal / np.sqrt(np.square(along) + across))


def fitting_margin(n: int | np.ndarray, level: float = 1.0) -> float | np.ndarray:
    """The margin at which the logistic loss is level/(2n), about log(2n / level)."""
    return -np.log(np.expm1(level / (2 * np.asarray(n))))


def tolerable_output(n: int, p: int | np.ndarray, level: float = 1.0) -> float | np.ndarray:
    """sqrt(n/p) L/2, the size of the initial outputs at which they reach the noise of what a ReLU network learns.

    A calculation of ours, see ``large_start_error``; L is the margin of ``fitting_margin``.
    """
    return np.sqrt(n / np.asarray(p)) * fitting_margin(n, level) / 2


def large_start_error(index: float, label_noise: float, ratio: float | np.ndarray) -> float | np.ndarray:
    """Q((1 - 2 eta) sqrt(S / (1 + r^2))), the clean test error of a lazily trained ReLU network.

    A calculation of ours, to leading order in nearly orthogonal samples. ``ratio`` is r = f_0 / ``tolerable_output``,
    f_0 the standard deviation of the initial outputs. The tangent kernel of ReLU is <x, x'>/2 on the diagonal and
    <x, x'>/4 off it; giving all labels the margin L adds to the output at a fresh point the mean
    (1 - 2 eta) lambda L/2 and noise of variance (L/2)^2 n/p. The initial output there is noise too, of variance f_0^2.
    """
    return norm.sf((1 - 2 * label_noise) * np.sqrt(index / (1 + np.square(ratio))))


def coverage(width: int, positive: int, negative: int) -> float:
    """The probability that each of some samples has an active ReLU neuron of the sign of its label before training.

    Eq. (13) with one neuron in the place of m/(60 beta^2), for independent fair signs, and initial pre-activations
    independent and symmetric, as they are for orthogonal samples: given K ~ Bin(m, 1/2) positive neurons, it is
    (1 - 2^-K)^positive (1 - 2^-(m - K))^negative. ``positive`` and ``negative`` are the numbers of samples by label.

    Raises:
        InputError: fewer than one neuron, a negative number of samples.
    """
    if width < 1 or min(positive, negative) < 0:
        raise InputError(
            f"width is {width}, for {positive} and {negative} samples: give at least one neuron, and no negative number"
        )
    k = np.arange(width + 1)
    every = (1 - 2.0**-k) ** positive * (1 - 2.0 ** -(width - k)) ** negative
    return float(binom.pmf(k, width, 0.5) @ every)
