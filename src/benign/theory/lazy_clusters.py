"""The test error of an infinitely wide ReLU network, trained lazily on two polluted clusters: our closed form.

The inputs are those of ``experiments.samples.Separated``: up to noise, two points have the cosine rho if they are of
one cluster and -rho if not, with rho = s^2 / (d + s^2) for the separation s = ||mu||. For d much larger than n the
kernels are replaced by their linearisations (El Karoui 2010),

    Theta_L ~ A I + b 1 1^T + g rho y* y*^T,    b = Theta_L(0),  g = Theta_L'(0),  A = L - b - g rho,

and alike Sigma_L with b' = Sigma_L(0), g' = Sigma_L'(0), A' = 1 - b' - g' rho. All training margins are q when training
ends, and v is the variance of f_0. In units of q, the expected margin at a test point is

    M = (1 - 2 eta) n g rho / (A + n g rho),

and three things disturb it, all of them Gaussian to leading order:

    labels           (u/n) (n b / (A + n b))^2                    the labels' mean, of variance u/n: 0 if balanced
    inputs           g^2 ||sum_i c_i x_i||^2 / (d + s^2)          the noise of the test point meets that of the sample
    initialisation   (v / q^2) (A' + b' (A / (A + n b))^2 + g' rho (A / (A + n g rho))^2)     what is left of f_0

with ||sum_i c_i x_i||^2 = (1 - rho) ||c||^2 + rho (n (1 - 2 eta) / (A + n g rho))^2 and
||c||^2 = 4 n eta (1 - eta) / A^2 + n (1 - 2 eta)^2 / (A + n g rho)^2. The clean test error is Q(M / sqrt(sum)).
"""

import math
from typing import NamedTuple

from scipy.stats import norm

from benign.ntk import analytic
from benign.theory.harmonics import covariance_constants


class Parts(NamedTuple):
    """The expected margin at a test point in units of the training margin q, and the three variances about it."""

    margin: float
    labels: float
    inputs: float
    initialisation: float

    @property
    def test_error(self) -> float:
        """The clean test error Q(M / sqrt(sum of the variances))."""
        return float(norm.sf(self.margin / math.sqrt(self.labels + self.inputs + self.initialisation)))


def parts(
    n: int,
    d: int,
    separation: float,
    label_noise: float,
    depth: int,
    init_noise: float,
    train_margin: float,
    imbalance: float = 1.0,
) -> Parts:
    """The margin and the variances of the lazy limit with the ``train_margin`` q.

    ``init_noise`` is the standard deviation of f_0, 0 if it starts at zero. ``imbalance`` is u, n times the expected
    square of the labels' mean: 1 for random labels, 0 for balanced ones, 4 eta (1 - eta) for as many points of either
    cluster with wrong labels at random.
    """
    rho, pull = separation**2 / (d + separation**2), 1 - 2 * label_noise
    tangent = analytic.profile_constants(depth)
    b, g = tangent.at_zero, tangent.slope_at_zero
    a = tangent.at_one - b - g * rho
    start_b, start_g = covariance_constants(depth)
    start_a = 1 - start_b - start_g * rho
    signal = n * g * rho
    squared = 4 * n * label_noise * (1 - label_noise) / a**2 + n * pull**2 / (a + signal) ** 2
    weight = (1 - rho) * squared + rho * (n * pull / (a + signal)) ** 2
    left = start_a + start_b * (a / (a + n * b)) ** 2 + start_g * rho * (a / (a + signal)) ** 2
    return Parts(
        margin=pull * signal / (a + signal),
        labels=imbalance * (n * b / (a + n * b)) ** 2 / n,
        inputs=g**2 * weight / (d + separation**2),
        initialisation=(init_noise / train_margin) ** 2 * left,
    )
