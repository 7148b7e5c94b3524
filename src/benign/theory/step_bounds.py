"""What the proofs say that steps of training do: Xu & Gu (2023), section 4 and appendix C, and Frei et al. (2022).

``beta`` is the log-Sobolev constant of the noise, 2 for standard Gaussian noise; ``gamma`` the least slope of the
activation on the positive half-line, 1 for ReLU and leaky ReLU.
"""

import math

import numpy as np
from scipy.stats import norm

from benign.theory.inequalities import active_share


def growth_bounds(beta: float = 2.0, gamma: float = 1.0) -> tuple[float, float]:
    """gamma^2 / (240 beta^2) and 3: Lemma 4.4's bounds on the growth of a margin in units of step size * p g_i / n.

    The lower one is a quarter of gamma^2 times eq. (13)'s share of the neurons.
    """
    return gamma**2 * active_share(beta) / 4, 3.0


def fall_bounds(beta: float = 2.0, gamma: float = 1.0) -> tuple[float, float]:
    """gamma^2 / (480 beta^2) and 3, bounds on the fall of a sample's loss in units of step size * p g_i^2 / n.

    Lemma 4.5, eq. (20), with constants of our derivation. Let d be a step's growth of the margin u. The loss is convex
    and its slope g(u + d) >= e^(-d) g(u), so it falls by at least d e^(-d) g(u) and at most d g(u). Lemma 4.4 bounds d,
    and d <= log 2 as 3 * step size * p / n <= log 2.
    """
    least, largest = growth_bounds(beta, gamma)
    return least / 2, largest


def inverse_time_bound(fall: float) -> float:
    """16 / c, a bound on l_i(t) * step size * p t / n if each step lowers l_i by c * step size * p g_i^2 / n or more.

    For l <= 4 g on margins from -1 on, so that l(t+1) <= l(t) - psi l(t)^2 with psi = c / 16 * step size * p / n,
    and hence l(t) <= 1 / (psi t), Proposition 4.3, if psi l(0) <= 1.
    """
    return 16 / fall


def clocked_loss_bound(beta: float = 2.0, gamma: float = 1.0) -> float:
    """7680 beta^2 / gamma^2, a bound on l_i(t) * step size * p t / n for every sample i and step t.

    Our derivation, for the article leaves the constant of Lemma 4.6 unnamed: Proposition 4.3 with the lower of the
    constants ``fall_bounds``.
    """
    return inverse_time_bound(fall_bounds(beta, gamma)[0])


def frei_slope_bound(
    clock: float | np.ndarray, step_to_signal: float, gamma: float, initial_loss: float = math.log(2)
) -> float | np.ndarray:
    """(32 L(0) / (gamma^2 step_size ||mu||^2 t))^(1/2), the bound on the mean slope after t - 1 steps.

    Frei et al. (2022), Lemma 14.

    ``clock`` is step_size * p * t / n and ``step_to_signal`` the ratio n ||mu||^2 / p, so that their product is
    step_size * ||mu||^2 * t. Here ``gamma`` is the least slope of the activation on the whole line.
    """
    return np.sqrt(32 * initial_loss / (gamma**2 * step_to_signal * np.asarray(clock)))


def first_step_bound(signal: float, gamma: float, constant: float = 1.0) -> float:
    """gamma ||mu|| / C, the bound on ||W(1) - W(0)||_F / ||W(0)||_F from below. Frei et al. (2022), Proposition 2.

    ``gamma`` is the activation's least slope anywhere: a ReLU has 0, for which the proposition says nothing.
    ``constant`` is the paper's unnamed C.
    """
    return gamma * signal / constant


def local_control_probability(n: int, index: float) -> float:
    """(2 Phi((S/n)^(1/2)) - 1)^n, the probability over a test point that ||mu||^2 > max_i |<z_i, z>|.

    What Lemma 4.7 of Xu & Gu would need to control each step by itself. Our derivation, for Gaussian noise and p large:
    there the products <z_i, z> are independent and of variance p, and ||mu||^2 = (S p / n)^(1/2).
    """
    return float((2 * norm.cdf(math.sqrt(index / n)) - 1) ** n)


def settled_loss(label_noise: float) -> float:
    """2 (1 + eta), the limit of L(t) * step size * p t / n for ReLU, as m and p grow and the signal index is large.

    Our own heuristic. From the second step on a clean sample has all of its right neurons, half of all, and a flipped
    one those of them that were active at the start, a quarter. Each gives its growth, so that margins follow
    du/dtau = c g(u) with c = 1/2 or 1/4 in the clock tau, and l(tau) tau tends to 1/c.
    """
    return 2 * (1 - label_noise) + 4 * label_noise


def neuron_alignment(n: int, p: int | np.ndarray, signal: float | np.ndarray, label_noise: float) -> float | np.ndarray:
    """a_j cos(w_j, mu) of a ReLU neuron that is the plain average of the samples it learns from, as n and m grow.

    Our own heuristic. It learns from all clean samples of its sign, k = (1 - eta) n / 2 of them, and from the flipped
    ones that it was active on at the start, l = eta n / 4. Each has a noise of length p^(1/2), and mu with its true
    sign; so the cosine is
    (k - l) ||mu|| / ((k - l)^2 ||mu||^2 + (k + l) p)^(1/2).
    """
    clean, flipped = (1 - label_noise) * n / 2, label_noise * n / 4
    along = (clean - flipped) * np.asarray(signal)
    return along / np.sqrt(along**2 + (clean + flipped) * np.asarray(p))
