"""How fast gradient flow with the tangent kernel fits label noise and a linear target, for n points of the sphere.

Under the flow of ``ntk.regression`` the residual of a part y of the labels is exp(-tau K) y, tau = t/n. With the
linearised kernel (``theory.ntk_spectrum``) K is b I + a X X^T, b = K(1) - K(0) - K'(0) and a = K'(0), up to one
direction, and the eigenvalues of X X^T follow the law F of Marchenko and Pastur with the ratio gamma = n/d. Noise meets
every direction alike and a linear target y = X theta meets it in proportion to the eigenvalue, so that

    E ||exp(-tau K) noise||^2 / E ||noise||^2     = int exp(-2 tau (b + a x)) dF(x),
    E ||exp(-tau K) X theta||^2 / E ||X theta||^2 = int x exp(-2 tau (b + a x)) dF(x),

as E ||X theta||^2 is proportional to int x dF(x) = 1.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from benign.errors import InputError
from benign.ntk import analytic
from benign.theory import ntk_spectrum

NODES = 2000


class Left(NamedTuple):
    """The shares of the squared norm that are not yet fitted, each of shape (times,)."""

    noise: Float64[np.ndarray, " times"]
    linear: Float64[np.ndarray, " times"]


def left(n: int, d: int, depth: int, tau: Float64[np.ndarray, " times"], slope: float | int = 0) -> Left:
    """The two integrals above at the times ``tau`` = t/n.

    Raises:
        InputError: no input, a dimension or a depth below 1.
    """
    x, mass = marchenko_pastur(n / d)
    rate = ntk_spectrum.floor(depth, slope) + analytic.profile_constants(depth, slope).slope_at_zero * x
    decay = np.exp(-2 * np.multiply.outer(tau, rate))
    return Left(decay @ mass, decay @ (mass * x))


def marchenko_pastur(
    gamma: float | int,
) -> tuple[Float64[np.ndarray, " nodes"], Float64[np.ndarray, " nodes"]]:
    """Points and masses that stand for the limiting eigenvalues of X X^T, X of shape (n, d), n/d = gamma, variance 1/d.

    The density is sqrt((b - x) (x - a)) / (2 pi gamma x) between a, b = (1 -+ sqrt(gamma))^2, with the mass
    1 - 1/gamma at 0 besides if gamma > 1 (Marchenko & Pastur 1967). In x = 1 + gamma + 2 sqrt(gamma) cos(phi) it is
    2 sin^2(phi) / (pi x) dphi, for which equidistant phi are a Gauss rule but for the factor 1/x.

    Raises:
        InputError: a ratio that is not positive.
    """
    if not 0 < gamma < math.inf:
        raise InputError(f"gamma is {gamma}: the ratio n/d is a positive number")
    phi = math.pi * np.arange(1, NODES + 1) / (NODES + 1)
    x = 1 + gamma + 2 * math.sqrt(gamma) * np.cos(phi)
    mass = 2 * np.sin(phi) ** 2 / ((NODES + 1) * x)
    return np.append(x, 0.0), np.append(mass, max(0.0, 1 - mass.sum()))
