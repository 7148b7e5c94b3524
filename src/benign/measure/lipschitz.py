"""The Lipschitz constant of deep networks, between two bounds.

The constant Lip(f) = sup ||grad f(x)|| of a network cannot be computed, but enclosed. From above: a composition is at
most as steep as the product of its parts, and the activations are 1-Lipschitz,

    Lip(f) <= prod_l s_l ||W_l||_2.

From below: every gradient that exists somewhere is a lower bound; so look for a long one, at the data, between the
data, and by ascent. The gradient of a ReLU network is constant in pieces, so it cannot be ascended by its own
derivative. What has a useful derivative is the slope of a chord,

    S(c, u) = (f(c + r u) - f(c - r u)) / (2 r),    ||u|| = 1,

never larger than the longest gradient on the chord. Write g+ and g- for the gradients at its ends. Then
dS/du is parallel to g+ + g- and dS/dc to g+ - g-.
"""

import itertools
import math

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn.functional import normalize

from benign.errors import InputError
from benign.networks.deep import Deep, product


def upper(network: Deep) -> Float64[Tensor, " runs"]:
    """The product of the layers' spectral norms, a Lipschitz constant where the activation is 1-Lipschitz."""
    norms = [s * torch.linalg.matrix_norm(w, 2) for s, w in zip(network.multipliers, network.weights, strict=True)]
    return torch.stack(norms).prod(0)


def gradients(network: Deep, x: Float64[Tensor, "*runs n d"]) -> Float64[Tensor, "runs n d"]:
    """The gradients of f in its input at n points for each run, or at the same n points for all."""
    (signal, *_) = network.factors(x)[1]
    return product(signal, network.weights[0], network.multipliers[0])  # grad f = s_1 W_1^T b_1


def at(network: Deep, x: Float64[Tensor, "*runs n d"]) -> Float64[Tensor, " runs"]:
    """The length of the longest gradient at the given points, a lower bound of the Lipschitz constant."""
    return gradients(network, x).norm(dim=-1).amax(-1)


def between(network: Deep, x: Float64[Tensor, "*runs n d"]) -> Float64[Tensor, " runs"]:
    """The length of the longest gradient half-way between two of the given points, the same kind of lower bound.

    Raises:
        InputError: fewer than two points.
    """
    if x.shape[-2] < 2:
        raise InputError("there is nothing between fewer than 2 points")
    first, second = torch.tensor(list(itertools.combinations(range(x.shape[-2]), 2)), device=x.device).T
    return at(network, (x[..., first, :] + x[..., second, :]) / 2)


def ascent(
    network: Deep, x: Float64[Tensor, "*runs n d"], radius: float | int, steps: int = 30
) -> Float64[Tensor, " runs"]:
    """The length of the longest gradient met on the ascent of chords' slopes, the same kind of lower bound.

    A chord of half-length ``radius`` starts at each point. A step turns it into the direction that is best at the
    present gradients, and moves its centre by half its half-length to where its slope grows. What is met at the starts
    counts, so that the result is at least ``at``.

    Raises:
        InputError: a radius that is not a positive number, a negative number of steps.
    """
    if not 0 < radius < math.inf or steps < 0:
        raise InputError(f"radius is {radius} and steps {steps}: give a positive radius and at least 0 steps")
    centre = x.expand(len(network.weights[0]), -1, -1)
    gradient = gradients(network, centre)
    best, direction = gradient.norm(dim=-1).amax(-1), normalize(gradient, dim=-1)
    for _ in range(steps):
        ahead, behind = (gradients(network, centre + sign * radius * direction) for sign in (1, -1))
        best = torch.stack([best, ahead.norm(dim=-1).amax(-1), behind.norm(dim=-1).amax(-1)]).amax(0)
        direction = normalize(ahead + behind, dim=-1)
        centre = centre + radius / 2 * normalize(ahead - behind, dim=-1)
    return best
