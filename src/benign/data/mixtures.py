"""Two Gaussian clusters at +mu and -mu with polluted labels, in R^p or in the few coordinates that matter."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from benign import seeds
from benign.data import labels
from benign.errors import InputError


@dataclass(frozen=True)
class Mixture(labels.Labelled):
    """A polluted sample of the mixture x = y* mu + z, z ~ N(0, I_p), with spare Gaussian directions.

    Everything is written in one orthonormal frame of q coordinates whose first axis is mu/||mu||, so
    mu = (signal, 0, ..., 0). ``directions`` are m standard Gaussian vectors of R^p, independent of the
    sample: scaled, they are a network's initial weights.
    """

    x: Float64[Tensor, "n q"]
    clean: Float64[Tensor, " n"]
    labels: Float64[Tensor, " n"]
    directions: Float64[Tensor, "m q"]
    signal: float
    p: int


def sample(
    n: int,
    p: int,
    signal: float | int,
    label_noise: float | int,
    seed: int,
    *,
    directions: int = 0,
    exact_flips: bool = True,
    balanced: bool = False,
    balanced_noise: bool = True,
    frame: str = "reduced",
) -> Mixture:
    """A sample of size n of the mixture y* mu + z with ||mu|| = signal and a share of wrong labels.

    ``frame="ambient"`` draws all p coordinates. ``frame="reduced"`` draws the coordinates of the same
    vectors in an orthonormal basis of their own span, q = 1 + min(n + directions, p - 1) of them: in the
    complement of mu they are the rows of a lower triangular matrix with L_ii ~ chi_{p-i} and standard
    normal entries below (Bartlett's decomposition). Gram matrices, hence everything that gradient
    descent and test errors depend on, have the same law in both frames; the cost of the reduced one does
    not depend on p. A test point, given the sample, is y* mu plus a standard Gaussian in either frame.

    ``exact_flips`` flips round(label_noise * n) labels; otherwise each label is flipped independently. Where the labels
    are ``balanced``, as many points belong to one cluster as to the other, and with ``balanced_noise`` as many of each
    have a wrong label; without it any of them may be wrong.
    """
    check(n, p, signal, label_noise, directions)
    clean, polluted = labels.drawn(n, label_noise, seed, exact_flips, balanced, balanced_noise)
    rng = seeds.generator(seed, f"noise, {frame} frame")
    match frame:
        case "ambient":
            vectors = rng.standard_normal((n + directions, p))
        case "reduced":
            lower = bartlett(n + directions, p - 1, rng)
            vectors = np.hstack([rng.standard_normal((len(lower), 1)), lower])
        case _:
            raise InputError(f"frame is {frame!r}: it must be 'ambient' or 'reduced'")
    vectors[:n, 0] += signal * clean
    return Mixture(
        x=aligned(vectors[:n]),
        clean=aligned(clean),
        labels=aligned(polluted),
        directions=aligned(vectors[n:]),
        signal=float(signal),
        p=p,
    )


def placed(
    signal: float | int, normals: Float64[np.ndarray, "count columns"]
) -> tuple[Float64[Tensor, "count q"], Float64[Tensor, " count"]]:
    """The points of the mixture, and their clean labels, that rows of 1 + q standard normals make."""
    y = aligned(np.where(normals[:, 0] > 0, 1.0, -1.0))  # a fair sign, independent of the other columns
    x = aligned(normals[:, 1:])
    x[:, 0] += signal * y
    return x, y


def fresh_points(
    signal: float | int, q: int, seed: int, count: int
) -> tuple[Float64[Tensor, "count q"], Float64[Tensor, " count"]]:
    """The test points that belong to a seed, in a frame of q coordinates, and their clean labels."""
    return placed(signal, next(seeds.normals(seed, "test points", count, 1 + q, count)))


def aligned(array: np.ndarray) -> Float64[Tensor, "..."]:
    """A copy as a tensor of float64."""
    # In PyTorch's own memory, which is aligned: the last bits of a matrix product depend on the alignment
    # of its factors, and NumPy's differs from process to process.
    return torch.tensor(array, dtype=torch.float64)


def bartlett(count: int, p: int, rng: np.random.Generator) -> Float64[np.ndarray, "count rank"]:
    """``count`` standard Gaussian vectors of R^p in an orthonormal basis of their own, of min(count, p) axes."""
    rank = min(count, p)
    lower = np.tril(rng.standard_normal((count, rank)), k=-1)
    degrees = p - np.arange(rank)  # L_ii ~ chi_{p+1-i}, i = 1, 2, ...
    lower[np.arange(rank), np.arange(rank)] = np.sqrt(2 * rng.standard_gamma(degrees / 2))
    return lower


def check(n: int, p: int, signal: float | int, label_noise: float | int, directions: int) -> None:
    """Raise an ``InputError`` unless a sample of this size, dimension, signal and pollution exists."""
    if n < 1:
        raise InputError(f"n is {n}: a sample needs at least one point")
    if p < 1:
        raise InputError(f"p is {p}: the dimension must be at least 1")
    if not 0 <= signal < math.inf:
        raise InputError(f"signal is {signal}: ||mu|| must be a finite number, at least 0")
    if not 0 <= label_noise < 0.5:
        raise InputError(f"label_noise is {label_noise}: the share of wrong labels must lie in [0, 0.5)")
    if directions < 0:
        raise InputError(f"directions is {directions}: their number must be at least 0")
