"""What the memory of wrong labels costs a linear classifier, by how far it fits them: a calculation of ours."""

import numpy as np
from scipy.stats import norm


def linear_error(
    load: float | np.ndarray, label_noise: float, ratio: float | np.ndarray, wrong: float | None = 1.0
) -> float | np.ndarray:
    """The clean test error of a linear classifier that has margin 1 on right labels and ``wrong`` on wrong ones.

    The noise vectors are orthogonal to each other and to mu, of equal length; ``load`` is lambda = n ||mu||^2 / p and
    ``ratio`` p/n. With ``wrong=None`` points with wrong labels have no weight. For w = sum_i c_i y_i x_i the margins
    are p c_i + M on right labels and p c_i - M on wrong ones, M = <w, mu>, from which

        M = lambda / (1 + lambda) (1 - eta - eta q),    error = Q(M sqrt(p / (n V))),

    V = (1 - eta) (1 - M)^2 + eta (q + M)^2, q = ``wrong``. No weight is q = -M. ``exponents.equal_margin_error`` is
    q = 1 with noise along mu too.
    """
    if wrong is None:
        mean = load * (1 - label_noise) / (1 + load * (1 - label_noise))
        wrong = -mean
    else:
        mean = load / (1 + load) * (1 - label_noise - label_noise * wrong)
    variance = (1 - label_noise) * (1 - mean) ** 2 + label_noise * (wrong + mean) ** 2
    return norm.sf(mean * np.sqrt(ratio / variance))
