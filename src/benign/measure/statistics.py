"""Exact intervals for probabilities, from counts."""

import numpy as np
from scipy import stats

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
