"""Xu & Gu (2023): the conditions of Theorem 3.1 and its bound, with the unnamed constant C as an argument."""

import math

from benign.errors import InputError


def signal_index(n: int, p: int, signal: float) -> float:
    """S = n ||mu||^4 / p, the exponent of eq. (10) up to its constant."""
    return n * signal**4 / p


def signal_of_index(n: int, p: int, index: float) -> float:
    """The ||mu|| at which the signal index n ||mu||^4 / p has the given value."""
    if not index >= 0:
        raise InputError(f"the signal index is {index}: it must be at least 0")
    return (index * p / n) ** 0.25


def admissible_signals(
    n: int, p: int, width: int, failure: float = 0.1, constant: float = 1.0
) -> tuple[float, float] | None:
    """The interval of ||mu|| that eq. (6c) and (7) leave for given n, p and m, or None if they leave none.

    ``failure`` is the probability delta, ``constant`` the paper's unnamed C, natural logarithms.

    Raises:
        InputError: ``failure`` outside (0, 1/2), ``constant`` not positive.
    """
    if not 0 < failure < 0.5:
        raise InputError(f"failure is {failure}: the theorem wants a probability delta in (0, 1/2)")
    if not constant > 0:
        raise InputError(f"constant is {constant}: the C of the conditions is positive")
    room = p / constant - n**2 * math.log(n / failure)  # (6c): n ||mu||^2 <= room
    if room < 0:
        return None
    low = constant * (p / n) ** 0.25 * max(math.log(width * p / (n * failure)), 0) ** 0.25  # (7)
    high = math.sqrt(room / n)
    return (low, high) if low <= high else None


def step_size(n: int, p: int, fraction: float = 0.2) -> float:
    """fraction * n / p, in the proof's own unit.

    The proof uses the step only through step * p / n being small; eq. (6e), 1/(C p^2), asks for far less.
    """
    return fraction * n / p


def initial_scale(n: int, p: int, width: int, fraction: float = 0.2) -> float:
    """The largest standard deviation of the initial weights that eq. (6f) allows: step / sqrt(m p)."""
    return step_size(n, p, fraction) / math.sqrt(width * p)


def loss_ratio_bound(beta: float = 2.0, gamma: float = 1.0) -> float:
    """C_r = 2 + 2 * 6400 beta^2 / gamma^2, the bound on max_i g_i / min_i g_i that Lemma C.1 proves.

    ``beta`` is the log-Sobolev constant, 2 for standard Gaussian noise; ``gamma`` the least slope of the
    activation on the positive half-line.
    """
    return 2 + 2 * 6400 * beta**2 / gamma**2


def label_noise_bound(beta: float = 2.0, gamma: float = 1.0) -> float:
    """The share of wrong labels that the proof's section F.1 can bear, 1 / (2880 beta^2 C_r^2).

    From 3 eta C_r <= 1 / (960 beta^2 C_r); our reading of the proof, the paper says eta <= 1/C.
    """
    return 1 / (2880 * beta**2 * loss_ratio_bound(beta, gamma) ** 2)
