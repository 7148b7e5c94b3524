"""The Lipschitz constant of deep networks, between two bounds.

The constant Lip(f) = sup ||grad f(x)|| of a network cannot be computed, but enclosed. From above: a composition is at
most as steep as the product of its parts, and the activations are 1-Lipschitz,

    Lip(f) <= prod_l s_l ||W_l||_2.

From below: every gradient that exists somewhere is a lower bound; so look for a long one, at the data, between the
data, and by ascent. The gradient of a ReLU network is constant in pieces, so its length cannot be ascended by its own
derivative. What has a useful derivative is the same product of matrices with smooth factors, of the same limits, in the
place of sigma'(u): with sigma'(-inf) = gamma and sigma'(inf) = 1,

    gamma + (1 - gamma) / (1 + exp(-u / r)),

where r shrinks on the way. What counts is the true gradient at the points that one comes by.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError
from benign.networks.deep import Deep, product

STEP = 0.3  # of an ascent, in units of a point's length
DECAYS = 0.9, 0.999  # of the means of gradients and of their squares, on an ascent
LOOK = 4  # steps between two looks at the true gradient


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


class Survey(NamedTuple):
    """Lower bounds of the Lipschitz constant that look at points and half-way between them, and where to look next."""

    at_data: Float64[Tensor, " runs"]  #: the length of the longest gradient at a given point
    between: Float64[Tensor, " runs"]  #: and of the longest half-way between two of them
    steepest: Float64[Tensor, "runs count d"]  #: the points, of both kinds, where the gradient is longest


def survey(network: Deep, x: Float64[Tensor, "*runs n d"], count: int = 1) -> Survey:
    """The gradients at n points and half-way between two of them, and the ``count`` points where they are longest.

    Raises:
        InputError: fewer than two points.
    """
    if x.shape[-2] < 2:
        raise InputError("there is nothing between fewer than 2 points")
    first, second = torch.triu_indices(x.shape[-2], x.shape[-2], 1, device=x.device)
    pieces = x, (x[..., first, :] + x[..., second, :]) / 2
    lengths = [gradients(network, piece).norm(dim=-1) for piece in pieces]
    which = torch.cat(lengths, 1).topk(min(count, x.shape[-2] + len(first))).indices.unsqueeze(-1)
    steepest = torch.cat(pieces, -2).expand(len(which), -1, -1).take_along_dim(which, 1)
    return Survey(*(length.amax(-1) for length in lengths), steepest)


def ascent(network: Deep, x: Float64[Tensor, "*runs n d"], steps: int = 40) -> Float64[Tensor, " runs"]:
    """The length of the longest gradient met on an ascent from each of these points, the same kind of lower bound.

    A point keeps its length; for ReLU that is no restriction, as all points of a ray have one gradient. The widths r
    fall from the size of a typical pre-activation to a fiftieth of it. What is met at the starts counts, so that the
    result is at least ``at``.

    Raises:
        InputError: a negative number of steps.
    """
    if steps < 0:
        raise InputError(f"steps is {steps}: an ascent takes at least 0")
    # Only what the first layer sees of a point matters: its coordinates in the span of the rows.
    basis = torch.linalg.qr(network.weights[0].mT).Q
    network = replace(network, weights=(network.weights[0] @ basis, *network.weights[1:]))
    y = x.expand(len(basis), -1, -1) @ basis
    lengths = y.norm(dim=-1, keepdim=True)
    best, y = at(network, y), (y / lengths).requires_grad_()
    mean, square, size = torch.zeros_like(y), torch.zeros_like(y), STEP / math.sqrt(y.shape[-1])
    for step in range(steps):
        value = _smoothed(network, lengths * y, 0.02 ** (step / max(steps - 1, 1))).log().sum()
        (gradient,) = torch.autograd.grad(value.neg(), y)
        with torch.no_grad():
            # Adam (Kingma & Ba 2015), to the last bit as in torch.optim, which takes three times as long to take a step
            mean.lerp_(gradient, 1 - DECAYS[0])
            square.mul_(DECAYS[1]).addcmul_(gradient, gradient, value=1 - DECAYS[1])
            seen_mean, seen_square = (1 - decay ** (step + 1) for decay in DECAYS)
            y.addcdiv_(mean, (square.sqrt() / seen_square**0.5).add_(1e-8), value=-(size / seen_mean))
            y.div_(y.norm(dim=-1, keepdim=True))
            if step % LOOK == LOOK - 1 or step == steps - 1:
                best = torch.maximum(best, at(network, lengths * y))
    return best


def _smoothed(network: Deep, x: Float64[Tensor, "runs n d"], share: float) -> Float64[Tensor, "runs n"]:
    """The length of the gradient with smooth factors, as wide as this share of a typical pre-activation."""
    family, parameters = network.activation.family, network.activation.parameters
    gamma = parameters[0] if family in ("two slopes", "smoothed two slopes") else 0.0
    h, factors = x, []
    for w, s in zip(network.weights[:-1], network.multipliers, strict=False):
        u = product(h, w.mT, s)
        r = share * u.detach().square().mean(-1, keepdim=True).sqrt()
        factors.append(gamma + (1 - gamma) * torch.sigmoid(u / r))
        h = u * factors[-1]
    signal = torch.ones_like(h[..., :1])
    for w, s, factor in zip(network.weights[:0:-1], network.multipliers[:0:-1], factors[::-1], strict=True):
        signal = product(signal, w, s) * factor
    return product(signal, network.weights[0], network.multipliers[0]).norm(dim=-1)
