"""The interval of every claim: exact for shares; for all else Student's, widened as far as the values are skewed.

It draws no random numbers, so equal values have equal intervals. Its coverage is measured by simulation, in
``tests/livingpaper/say/test_intervals.py``.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

from livingpaper.errors import InputError

CONFIDENCE = 0.95


def interval(
    values: np.ndarray, statistic: Callable[..., float] = np.mean, *, crossed: bool = False
) -> tuple[float, float]:
    """The 95% confidence interval of a statistic of independent draws.

    ``values`` holds one entry a draw (first axis): a number, or all numbers that are drawn together. Where they are
    ``crossed``, the second axis holds draws too, as of images on which the networks of all seeds were tested: what the
    one and the other contribute is added in squares, which is on the safe side.

    For the mean of a list of truth values, a share, it is the exact interval (Clopper and Pearson 1934). Else it is
    made from what each draw contributes to the statistic: the jackknife's pseudo-values, for a mean the values
    themselves. Each end is the farther one of Student's interval and of Hall's (1992), which corrects for skewness.
    The statistic must be smooth in the draws: not the largest of them, for which no resampling gives an interval.

    Raises:
        InputError: fewer than two draws, or NaN among them.
    """
    values = np.asarray(values)
    draws = values.shape[: 2 if crossed else 1]
    if min(draws, default=0) < 2:
        raise InputError(f"{min(draws, default=0)} value(s): an interval over independent draws needs at least 2")
    if values.dtype == bool and values.ndim == 1 and statistic is np.mean:
        from scipy.stats import binomtest  # slow to import, and who only reads claims does not need it

        exact = binomtest(int(values.sum()), len(values)).proportion_ci(CONFIDENCE, method="exact")
        return float(exact.low), float(exact.high)
    if np.isnan(values).any():
        raise InputError("the values hold NaN: a run is missing or diverged; look at it before averaging")
    below, above = np.hypot.reduce([_lengths(_pseudo_values(values, statistic, axis)) for axis in range(len(draws))])
    estimate = float(statistic(values))
    return float(estimate - below), float(estimate + above)


def _pseudo_values(values: np.ndarray, statistic: Callable[..., float], axis: int) -> np.ndarray:
    """What each draw contributes, up to a constant: the statistic of all of n draws, plus n - 1 times what it loses."""
    count = values.shape[axis]
    if statistic is np.mean and values.ndim == 1:
        return values.astype(float)
    left_out = np.array([float(statistic(np.delete(values, draw, axis=axis))) for draw in range(count)])
    return float(statistic(values)) + (count - 1) * (left_out.mean() - left_out)


def _lengths(values: np.ndarray) -> np.ndarray:
    """How far below and above their mean the interval of independent values reaches."""
    count, apart = len(values), values - values.mean()
    student = stdtrit(count - 1, (1 + CONFIDENCE) / 2)
    error = np.sqrt(np.mean(apart**2) / (count - 1))
    if error <= 1e-12 * np.abs(values).max() or count == 2:  # equal to rounding, or too few to have a shape
        return np.full(2, error * student)
    skewness = np.mean(apart**3) / np.mean(apart**2) ** 1.5 * np.sqrt(count * (count - 1)) / (count - 2)
    lean = skewness / np.sqrt(count)
    if abs(lean) < 1e-6:  # in the limit Hall's interval is Student's
        return np.full(2, error * student)
    # a cubic of the studentised mean that is free of skewness to first order, solved for the mean
    low, high = (3 / lean * (np.cbrt(1 + lean * (end - lean / 6)) - 1) for end in (-student, student))
    return error * np.maximum(student, [high, -low])
