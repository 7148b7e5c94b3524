"""A quantile of independent draws that is smooth in the draws, as an interval from the jackknife asks."""

import numpy as np
from jaxtyping import Float64
from scipy import stats

from benign.errors import InputError


def smooth_quantile(values: Float64[np.ndarray, "draws ..."], probability: float) -> Float64[np.ndarray, "..."]:
    """The quantile over the first axis, estimated by a weighted mean of all order statistics.

    The i-th smallest of k draws has the weight I(i/k) - I((i-1)/k), where I is the distribution function of
    Beta((k + 1) q, (k + 1)(1 - q)) and q the probability (Harrell & Davis 1982). A single order statistic jumps when a
    draw is left out, so the jackknife gives no interval of it.

    Raises:
        InputError: a probability outside (0, 1).
    """
    if not 0 < probability < 1:
        raise InputError(f"probability is {probability}: it must lie in (0, 1)")
    count = len(values)
    ends = np.arange(count + 1) / count
    below = stats.beta.cdf(ends, (count + 1) * probability, (count + 1) * (1 - probability))
    return np.tensordot(np.diff(below), np.sort(values, axis=0), 1)
