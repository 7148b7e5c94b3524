"""The good event of Xu & Gu (2023), Lemma 4.1: what its inequalities (11)-(18) ask, and what chance alone grants.

With delta the probability of failure and beta the log-Sobolev constant of the noise, 2 for the Gaussian law, they are

    (11)  min(|J_+|, |J_-|) >= m/3,                          J_+- the neurons with a_j = +-1
    (12)  |{i : y_i = a_j, <w_j, x_i> > 0}| >= n/(60 beta^2)      for every neuron j
    (13)  |{j : y_i = a_j, <w_j, x_i> > 0}| >= m/(60 beta^2)      for every sample i
    (14)  3/4 <= eigenvalues of Z Z^T / p <= 5/4
    (15)  |<mu, z_i>| <= 16 beta ||mu|| sqrt(log(n/delta))
    (16)  |<z_i, z_i'>| <= 16 beta sqrt(p log(n/delta)),     i != i'
    (17)  ||w_j|| <= 2 omega sqrt(p)
    (18)  |f(x_i)| <= 1

at initialisation. Thresholds are the paper's. The probabilities below are our derivations for Gaussian noise.
"""

import math

import numpy as np
import pandas as pd
from scipy import optimize, stats

from benign.errors import InputError
from benign.theory.xu2023 import admissible_signals

SIGN_SHARE = 1 / 3
EIGENVALUES = (3 / 4, 5 / 4)
WEIGHT_LENGTH = 2.0
OUTPUT = 1.0
LEAST_RATIO = (math.sqrt(EIGENVALUES[1]) - 1) ** -2  # p/n where the Marchenko-Pastur law's upper edge reaches 5/4

# The quantile 0.9 of the Tracy-Widom law of order 1 (Johnstone 2001, table 1, gives 0.45).
TRACY_WIDOM_90 = 0.4501


def active_share(beta: float = 2.0) -> float:
    """1 / (60 beta^2), the least share of samples in eq. (12), and of neurons in (13)."""
    return 1 / (60 * beta**2)


def product_bound(n: int | pd.Series, failure: float = 0.1, beta: float = 2.0) -> float | pd.Series:
    """16 beta sqrt(log(n/delta)), the bound of eq. (15) in units of ||mu||, and of (16) in units of sqrt(p)."""
    return 16 * beta * np.sqrt(np.log(n / failure))


def holds(measured: pd.DataFrame, failure: float = 0.1, beta: float = 2.0) -> pd.DataFrame:
    """Which of the inequalities (11)-(18) hold, a boolean column each, for the rows of a table of ``GoodEvent`` runs.

    The table has the column ``n`` and the measured columns of ``experiments.good_event``.
    """
    product = product_bound(measured.n, failure, beta)
    least, largest = EIGENVALUES
    return pd.DataFrame(
        {
            "(11)": measured.least_sign_share >= SIGN_SHARE,
            "(12)": measured.least_active_samples >= active_share(beta),
            "(13)": measured.least_active_neurons >= active_share(beta),
            "(14)": (measured.least_eigenvalue >= least) & (measured.largest_eigenvalue <= largest),
            "(15)": measured.largest_along_mu <= product,
            "(16)": measured.largest_product <= product,
            "(17)": measured.largest_weight <= WEIGHT_LENGTH,
            "(18)": measured.largest_output <= OUTPUT,
        }
    )


def sign_probability(width: int) -> float:
    """The probability of eq. (11): both signs occur at least m/3 times among m fair ones."""
    least = math.ceil(width / 3)
    return float(max(stats.binom.cdf(width - least, width, 0.5) - stats.binom.cdf(least - 1, width, 0.5), 0.0))


def activity_probability(n: int, width: int, beta: float = 2.0) -> float:
    """The limit, as p -> infinity at fixed n and m, of the probability of eq. (12); with n and m exchanged, of (13).

    The signs of <w_j, x_i> become independent and fair, ||mu||^2 being small against p. Of k positive labels a neuron
    with a_j = 1 then sees Bin(k, 1/2), and so, with n - k, one with a_j = -1. The neurons are independent given k:

        sum_k P(Bin(n, 1/2) = k) [(P(Bin(k, 1/2) >= l) + P(Bin(n - k, 1/2) >= l)) / 2]^m,    l = ceil(n / (60 beta^2)).
    """
    if n < 1 or width < 1:
        raise InputError(f"n is {n} and the width {width}: both must be at least 1")
    least = math.ceil(n * active_share(beta))
    positive = np.arange(n + 1)
    enough = stats.binom.sf(least - 1, positive, 0.5)
    return float(stats.binom.pmf(positive, n, 0.5) @ ((enough + enough[::-1]) / 2) ** width)


def spectrum_edges(ratio: float | np.ndarray) -> tuple[float | np.ndarray, float | np.ndarray]:
    """(1 -+ sqrt(n/p))^2, between which the Marchenko-Pastur law puts the eigenvalues of Z Z^T / p; ``ratio`` = p/n."""
    return (1 - np.sqrt(1 / np.asarray(ratio))) ** 2, (1 + np.sqrt(1 / np.asarray(ratio))) ** 2


def least_dimension(n: int) -> float:
    """The p from which on eq. (14) holds with probability 0.9 for Gaussian noise, in the Tracy-Widom approximation.

    The upper bound is the one that binds: the largest eigenvalue of Z Z^T is about
    (r + s)^2 + t (r + s) (1/r + 1/s)^(1/3) with r = sqrt(p - 1), s = sqrt(n) and t of the Tracy-Widom law
    (Johnstone 2001, Theorem 1.1). As n grows, p/n tends to ``LEAST_RATIO``.
    """
    if n < 1:
        raise InputError(f"n is {n}: a sample needs at least one point")
    s = math.sqrt(n)

    def excess(p: float) -> float:
        r = math.sqrt(p - 1)
        return ((r + s) ** 2 + TRACY_WIDOM_90 * (r + s) * (1 / r + 1 / s) ** (1 / 3)) / p - EIGENVALUES[1]

    return float(optimize.brentq(excess, 2, 1e4 * n))


def heavy_tail_dimension(n: int, probability: float = 0.9) -> float:
    """The p from which on no single coordinate breaks eq. (14), for noise of Student's law with 3 degrees of freedom.

    With variance 1 the law has P(|z_ik| > u) ~ 4 / (3 pi u^3). A coordinate with z_ik^2 > p/4 makes ||z_i||^2 too
    large by itself, so (14) needs exp(-n p 32 / (3 pi p^(3/2))) >= probability: p of the order n^2, not n.
    """
    if not 0 < probability < 1:
        raise InputError(f"probability is {probability}: it must lie in (0, 1)")
    return (32 * n / (3 * math.pi * -math.log(probability))) ** 2


def corner_size(constant: float, failure: float = 0.1) -> int:
    """The least n = m that eq. (6a) and (6b) allow, n >= C log(n/delta), both at once."""
    n = 1
    while n < constant * math.log(n / failure):
        n += 1
    return n


def opening_dimension(n: int, width: int, failure: float = 0.1, constant: float = 1.0) -> int:
    """The least p at which eq. (6c) and (7) leave any ||mu||; see ``xu2023.admissible_signals``.

    From there on the window stays open: its upper end grows as sqrt(p), its lower one as p^(1/4) up to a logarithm.
    """

    def is_open(p: int) -> bool:
        return admissible_signals(n, p, width, failure, constant) is not None

    # Below low there is no room in (6c); above it the window opens once.
    low = max(math.floor(constant * n**2 * math.log(n / failure)) - 1, 0)
    high = low + 1
    while not is_open(high):
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_open(middle) else (middle, high)
    return high
