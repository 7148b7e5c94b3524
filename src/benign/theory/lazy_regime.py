"""Where training is lazy on polluted clusters: leading terms for nearly orthogonal inputs, derived here.

All inputs have nearly the squared length p and nearly right angles, and p/n is large against ||mu||^2. The network has
leaky ReLU activations of the given ``slope``, 0 for the ReLU; q is the margin of every sample when training ends, and
``norm`` stands for ||W(0)||_F = omega_init sqrt(m p).
"""

import math

import numpy as np
from scipy.stats import norm as normal


def margin_at(level: float) -> float:
    """The margin q at which the logistic loss log(1 + exp(-q)) has the value ``level``."""
    return -math.log(math.expm1(level))


def first_step_distance(
    n: int, p: int, signal: float, label_noise: float, slope: float = 0.0, init_scale: float = 1.0
) -> float:
    """||W(1) - W(0)||_F / ||W(0)||_F, for an ``init_scale`` in units of step size / sqrt(m p).

    All g_i are 1/2 and a neuron is active at half of the samples, independently. So the step of each has the squared
    length (step_size / 2)^2 / m times

        (1 + slope^2)/2 (p + ||mu||^2)/n + (1 + slope)^2/4 ||mu||^2 ((1 - 2 eta)^2 - 1/n):

    the n samples by themselves, and the pairs, which have the signal in common. The step size cancels.
    """
    alone = (1 + slope**2) / 2 * (p + signal**2) / n
    together = (1 + slope) ** 2 / 4 * signal**2 * ((1 - 2 * label_noise) ** 2 - 1 / n)
    return math.sqrt(alone + together) / (2 * init_scale)


def travelled(n: int, p: int, level: float, slope: float = 0.0) -> float:
    """||W - W(0)||_F when the loss has the value ``level``: q sqrt(2 n / ((1 + slope^2) p)), in the lazy regime.

    It is the norm of sum_i y_i psi grad f(x_i), where the gradients are orthogonal with the squared length
    (1 + slope^2) p / 2, and psi is such that all margins are q. If ||W(0)||_F is as large as this, training moves the
    preactivation of a test point by as much as it was at the start.
    """
    return margin_at(level) * math.sqrt(2 * n / ((1 + slope**2) * p))


def fitting_norm(level: float, slope: float = 0.0) -> float:
    """The norm 2 q / (1 + slope^2) at which training moves a training point's preactivations by as much as they were.

    The start has omega_init sqrt(p) = ||W(0)||_F / sqrt(m), and ``travelled`` along x_i moves it by 2 q / sqrt(m) /
    (1 + slope^2). No n and no p: laziness on the training sample does not depend on the dimension.
    """
    return 2 * margin_at(level) / (1 + slope**2)


def random_start_error(
    n: int, p: int, signal: float, label_noise: float, width: int, norm: float | np.ndarray, level: float,
    slope: float = 0.0,
) -> float | np.ndarray:  # fmt: skip
    """The clean test error of lazy training from an independent random start of norm ||W(0)||_F = ``norm``.

    At a test point the initial function stays, with the variance (1 + slope^2) norm^2 / (2 m). What training
    adds is k sum_i y_i <x_i, x>, k = (1 + slope)^2 / 4 psi with the psi = 2 q / ((1 + slope^2) p) of ``travelled``. So
    ``averaging.test_error`` gets a third variance,

        Q((1 - 2 eta) ||mu||^2 / sqrt((1 - 2 eta)^2 ||mu||^2 + p/n + (1 + slope^2) norm^2 / (2 m k^2 n^2))).

    It holds as long as the initial function is small against q.
    """
    weight = (1 + slope) ** 2 / 4 * 2 * margin_at(level) / ((1 + slope**2) * p)
    start = (1 + slope**2) * np.square(norm) / (2 * width)
    pull = (1 - 2 * label_noise) * signal
    return normal.sf(pull * signal / np.sqrt(pull**2 + p / n + start / (weight * n) ** 2))


def index_for_error(error: float, label_noise: float) -> float:
    """The signal index at which averaging has the given test error in the limit of large p/n."""
    return (normal.isf(error) / (1 - 2 * label_noise)) ** 2
