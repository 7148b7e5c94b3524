"""The averaging classifier x -> sign <sum_i y_i x_i, x> on the polluted mixture: the yardstick with a closed form."""

import numpy as np
from scipy.stats import norm


def test_error(n: int, p: int, signal: float | np.ndarray, label_noise: float) -> float | np.ndarray:
    """Its clean test error Q((1-2 eta) ||mu||^2 / sqrt((1-2 eta)^2 ||mu||^2 + p/n)), up to O(n^(-1/2)).

    Given the sample, the margin of a fresh point is Gaussian; its mean and variance are replaced by their
    leading terms. Q is the upper tail of the standard normal law.
    """
    squared = np.square(signal)
    pull = 1 - 2 * label_noise
    return norm.sf(pull * squared / np.sqrt(pull**2 * squared + p / n))


def limit_error(index: float | np.ndarray, label_noise: float) -> float | np.ndarray:
    """The limit Q((1-2 eta) sqrt(S)) of the test error for p/n much larger than ||mu||^2, S = n ||mu||^4 / p."""
    return norm.sf((1 - 2 * label_noise) * np.sqrt(index))
