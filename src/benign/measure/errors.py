"""Test errors of networks on the Gaussian mixture and on given points."""

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from benign import seeds
from benign.data import mixtures
from benign.networks.two_layer import TwoLayer

CHUNK = 5_000  # test points at a time: bounds the memory, whatever their number


def error_count(network: TwoLayer, x: Float64[Tensor, "*runs n d"], labels: Float64[Tensor, "*runs n"]) -> Tensor:
    """The number of points with y f(x) <= 0, shape (runs,)."""
    return (labels * network(x) <= 0).sum(-1)


def clean_test_errors(network: TwoLayer, signal: float, seed: int, points: int) -> int:
    """How many of ``points`` fresh points of the mixture, with clean labels, one network (a batch of one) gets wrong.

    The estimand is Xu & Gu (2023), eq. (5). The points depend on the seed only, so that the errors of one
    run at several steps are compared on the same points.
    """
    rng = seeds.generator(seed, "test points")
    wrong = 0
    for first in range(0, points, CHUNK):
        x, y = mixtures.test_points(signal, network.weights.shape[-1], min(CHUNK, points - first), rng)
        wrong += int(error_count(network, x, y).sum())
    return wrong


def noisy_error(clean_error: float | np.ndarray, label_noise: float) -> float | np.ndarray:
    """The probability of missing a label that is itself wrong with probability ``label_noise``, independently."""
    return clean_error * (1 - label_noise) + (1 - clean_error) * label_noise


def averaging_test_errors(x: Tensor, labels: Tensor, signal: float, seed: int, points: int) -> int:
    """As ``clean_test_errors``, for the linear classifier with the weight vector sum_i y_i x_i."""
    weight = labels @ x
    rng = seeds.generator(seed, "test points")
    wrong = 0
    for first in range(0, points, CHUNK):
        fresh, y = mixtures.test_points(signal, x.shape[-1], min(CHUNK, points - first), rng)
        wrong += int((y * (fresh @ weight) <= 0).sum())
    return wrong
