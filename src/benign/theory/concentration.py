"""What a Lipschitz constant says about the test error, and what the product of spectral norms is before training."""

import math

import numpy as np
from scipy.stats import norm

from benign.theory.exponents import lipschitz_error_bound

Size = np.ndarray | float | int


def error_bound(margins: np.ndarray, lipschitz: np.ndarray | float | int) -> np.ndarray | np.floating:
    """What the clean test error of a function is at most on Gaussian clusters, as margin over Lipschitz constant says.

    The noise is N(0, I), the classes are equally frequent; ``margins`` holds the expected margins E[y f(x) | y] of the
    classes on its last axis. For a Lipschitz function phi of the noise, P(phi <= E phi - t) <= exp(-t^2 / (2 Lip^2)),
    so a class of expected margin M > 0 is missed with a probability of at most exp(-M^2 / (2 Lip^2)), and one of
    M <= 0 with one of at most 1. The result is the mean over the classes.
    """
    return lipschitz_error_bound(margins, np.expand_dims(lipschitz, -1)).mean(-1)


def isoperimetric_bound(medians: np.ndarray, lipschitz: np.ndarray | float | int) -> np.ndarray | np.floating:
    """The same with the medians of y f(x) in the classes: Q(median / Lip) for a positive median, and 1 otherwise.

    Where f is above its median is at least half of the space, and Gaussian isoperimetry (Borell; Sudakov and
    Tsirelson) says how much lies within the distance median / Lip of it. Linear functions attain the bound.
    """
    return np.where(medians > 0, norm.sf(medians / np.expand_dims(lipschitz, -1)), 1.0).mean(-1)


def averaging_margin(n: Size, separation: Size, d: Size, label_noise: float) -> np.ndarray | np.floating:
    """The normalised margin of the average of n points times labels, on clusters of this separation in R^d, nearly.

    The average is (1 - 2 eta) mu and noise of the squared length d / n. Its expected margin over its length, which is
    the Lipschitz constant, is s / sqrt(1 + d / ((1 - 2 eta)^2 n s^2)).
    """
    index = (1 - 2 * label_noise) ** 2 * n * np.square(separation) / d
    return separation / np.sqrt(1 + 1 / index)


def upper_at_start(d: int, width: int, depth: int) -> float:
    """The limit of ``measure.lipschitz.upper`` for ReLU and unit Gaussian weights in the "ntk" parameterisation.

    ||W_l||_2 is near sqrt(m_l) + sqrt(m_{l-1}) for large Gaussian matrices, so that the product is
    (sqrt(d) + sqrt(m)) (2 sqrt(2))^(L-2) sqrt(2), in the units of inputs of length one. A typical gradient has the
    length sqrt(d) at any width and depth. The quotient is the looseness of the product,
    (1 + sqrt(m/d)) (2 sqrt(2))^(L-2) sqrt(2).
    """
    return (math.sqrt(d) + math.sqrt(width)) * (2 * math.sqrt(2)) ** (depth - 2) * math.sqrt(2)
