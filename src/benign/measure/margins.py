"""The normalised margin of Xu & Gu (2023): the expected margin in units of a Lipschitz constant."""

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.networks.two_layer import TwoLayer


def lipschitz_bound(network: TwoLayer) -> Float64[Tensor, " runs"]:
    """||W||_{2,1} / sqrt(m), a Lipschitz constant of the network (Xu & Gu 2023, Proposition 4.4), shape (runs,)."""
    return torch.linalg.vector_norm(network.weights, dim=-1).sum(-1) / network.signs.shape[-1] ** 0.5


def normalised_margin(network: TwoLayer, mean_margin: float | int) -> Float64[Tensor, " runs"]:
    """sqrt(m) E[y f] / ||W||_{2,1}: the expected margin in units of the Lipschitz bound (Proposition 4.5)."""
    return mean_margin / lipschitz_bound(network)
