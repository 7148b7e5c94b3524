"""Margins on the mixture, and the normalised margin of Xu & Gu (2023)."""

import torch
from jaxtyping import Float64
from torch import Tensor

from benign import seeds
from benign.data import mixtures
from benign.errors import InputError
from benign.networks.two_layer import TwoLayer


def margin_moments(network: TwoLayer, signal: float | int, seed: int, points: int = 2_000) -> tuple[float, float]:
    """Mean and standard deviation of the margin y f(x) over fresh clean points, for one network (a batch of one).

    Raises:
        InputError: a batch of several networks, fewer than two points.
    """
    if len(network.weights) != 1 or points < 2:
        raise InputError(
            f"{len(network.weights)} networks and {points} points: give one network and at least two points"
        )
    x, y = mixtures.test_points(signal, network.weights.shape[-1], points, seeds.generator(seed, "margin points"))
    margins = y * network(x)
    return float(margins.mean()), float(margins.std())


def lipschitz_bound(network: TwoLayer) -> Float64[Tensor, " runs"]:
    """||W||_{2,1} / sqrt(m), a Lipschitz constant of the network (Xu & Gu 2023, Proposition 4.4), shape (runs,)."""
    return torch.linalg.vector_norm(network.weights, dim=-1).sum(-1) / network.signs.shape[-1] ** 0.5


def normalised_margin(network: TwoLayer, mean_margin: float | int) -> Float64[Tensor, " runs"]:
    """sqrt(m) E[y f] / ||W||_{2,1}: the expected margin in units of the Lipschitz bound (Proposition 4.5)."""
    return mean_margin / lipschitz_bound(network)
