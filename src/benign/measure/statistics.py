"""Intervals: exact for counts, bootstrap for quantities that vary over seeds."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from benign import seeds
from benign.errors import InputError

CONFIDENCE = 0.95  # of every interval in the book


def binomial_interval(
    errors: int | np.integer, trials: int | np.integer, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """The exact (Clopper-Pearson) confidence interval for a probability, from ``errors`` out of ``trials``.

    Raises:
        InputError: a count of errors that is not between 0 and a positive number of trials.
    """
    if not 0 <= errors <= trials or trials < 1:
        raise InputError(
            f"{errors} errors in {trials} trials: the count must lie between 0 and a positive number of trials"
        )
    interval = stats.binomtest(errors, trials).proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)


def bootstrap_interval(
    values: np.ndarray, statistic: Callable[..., float] = np.mean, confidence: float = CONFIDENCE, resamples: int = 2000
) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval (Efron 1987) of a statistic over independent seeds.

    ``values`` holds one entry a seed (first axis); the statistic maps such an array to a number. Where leaving out any
    one value does not change the statistic, the correction is undefined, and the interval is the percentile one: of
    length zero if all values are equal.

    Raises:
        InputError: fewer than two values, or NaN among them.
    """
    values = np.asarray(values)
    if len(values) < 2:
        raise InputError(f"{len(values)} value(s): a spread over seeds needs at least 2")
    if np.isnan(values).any():
        raise InputError("the values hold NaN: a run is missing or diverged; look at it before averaging")
    whole = np.arange(len(values))
    left_out = [statistic(np.delete(values, i, axis=0)) for i in whole]
    result = stats.bootstrap(
        (whole,),
        lambda chosen: statistic(values[chosen]),
        vectorized=False,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile" if np.ptp(left_out) == 0 else "BCa",
        rng=seeds.generator(0, "bootstrap"),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
