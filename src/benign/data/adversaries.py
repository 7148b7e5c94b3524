"""Adversaries who see the whole sample, its noise too, before they choose the wrong labels."""

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError


def greedy_flips(x: Float64[Tensor, "n q"], clean: Float64[Tensor, " n"], count: int) -> Float64[Tensor, " n"]:
    """The labels of which ``count`` are wrong, flipped one after the other, each where it does most harm at once.

    The harm is the exact clean test error Q(<w, mu> / ||w||) of the least-norm interpolator w = X^T K y of the labels y
    after the flip, K = (X X^T)^-1. The first axis is mu/||mu||, so <w, mu> is ||mu|| u^T K y, where u holds the first
    coordinates of the points, and ||w||^2 = y^T K y. Flipping y_i takes 2 y_i (K u)_i from the one, and adds
    4 (K_ii - y_i (K y)_i) to the other: a flip costs O(n) to try and O(n^2) to make.

    Raises:
        InputError: points that are linearly dependent, so that not all labels can be interpolated; more flips than
            points.
    """
    n, q = x.shape
    if not 0 <= count <= n <= q:
        raise InputError(
            f"{count} flips of {n} points in {q} coordinates: there must be flips <= points <= coordinates"
        )
    inverse = torch.linalg.inv(x @ x.mT)
    along = inverse @ x[:, 0]
    labels = clean.clone()
    for _ in range(count):
        pull = along @ labels - 2 * labels * along
        squared = labels @ inverse @ labels + 4 * (inverse.diagonal() - labels * (inverse @ labels))
        margin = pull / squared.sqrt()
        margin[labels != clean] = torch.inf  # no label is flipped twice
        labels[margin.argmin()] *= -1
    return labels
