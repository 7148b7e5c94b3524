"""Test errors and margins of networks on the Gaussian mixture and on given points."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float64
from scipy.stats import norm
from torch import Tensor

from benign import seeds
from benign.data import mixtures
from benign.errors import InputError
from benign.networks.two_layer import TwoLayer

CHUNK = 500  # test points at a time, so that they and their hidden layers stay in the cache


def fresh_margins(
    network: TwoLayer, signal: float | int, seed: int, points: int
) -> tuple[Float64[Tensor, " points"], Float64[Tensor, " points"]]:
    """The margins y f(x) of one network (a batch of one) on fresh points of the mixture, and their clean labels y.

    The share of those that are not positive estimates Xu & Gu (2023), eq. (5). The points depend on the seed
    only, so that one run is measured at several steps on the same points; fewer points are the first of more.

    Raises:
        InputError: a batch of several networks, fewer than one point.
    """
    if len(network.weights) != 1 or points < 1:
        raise InputError(
            f"{len(network.weights)} networks and {points} points: give one network and at least one point"
        )
    rows = seeds.normals(seed, "test points", points, 1 + network.weights.shape[-1], CHUNK)
    return margins_of(network, (mixtures.placed(signal, normals) for normals in rows))


def margins_of(
    network: TwoLayer, pieces: Iterable[tuple[Tensor, Tensor]]
) -> tuple[Float64[Tensor, " points"], Float64[Tensor, " points"]]:
    """The same on points of any law, which come with their labels, some at a time."""
    if len(network.weights) != 1:
        raise InputError(f"{len(network.weights)} networks: give one, as network.alone(run) does")
    parts = [(y * network(x)[0], y) for x, y in pieces]
    margins, labels = (torch.cat(part) for part in zip(*parts, strict=True))
    return margins, labels


def normalised_margin(network: TwoLayer, mean_margin: float | int) -> Float64[Tensor, " runs"]:
    """sqrt(m) E[y f] / ||W||_{2,1}: the expected margin in units of a Lipschitz constant (Xu & Gu 2023).

    ||W||_{2,1} / sqrt(m) is a Lipschitz constant of the network (Proposition 4.4, used in 4.5).
    """
    return mean_margin / (torch.linalg.vector_norm(network.weights, dim=-1).sum(-1) / network.signs.shape[-1] ** 0.5)


def noisy_error(clean_error: float | int | np.ndarray, label_noise: float | int) -> float | int | np.ndarray:
    """The probability of missing a label that is itself wrong with probability ``label_noise``, independently."""
    return clean_error * (1 - label_noise) + (1 - clean_error) * label_noise


def averaging_test_error(x: Float64[Tensor, "n q"], labels: Float64[Tensor, " n"], signal: float | int) -> float:
    """The clean test error of the linear classifier with the weight vector w = sum_i y_i x_i, given the sample.

    A closed form: the margin of a fresh point is N(<w, mu>, ||w||^2). The first axis is mu/||mu||, as in ``Mixture``.
    """
    weight = (labels.unsqueeze(-1) * x).sum(0)
    return float(norm.sf(signal * weight[0] / weight.norm()))
