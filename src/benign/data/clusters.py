"""Several clusters: x = mu_k + scale * z with any means and any labels, in R^p or in the few coordinates that matter.

``mixtures`` is the case of two means +mu and -mu under standard noise. Here the means are known by their Gram matrix,
and the noise may leave their span alone, as in George et al. (2023), Karhadkar et al. (2024) and Cao et al. (2022).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from scipy.special import gammaincinv, ndtr
from torch import Tensor

from benign import seeds
from benign.data import labels as label_noises
from benign.data.mixtures import aligned, bartlett
from benign.errors import InputError

#: The laws of z: standard normal; standard normal in the orthogonal complement of the means, and zero in their span;
#: and that law divided by its length, a uniform direction of the complement.
NOISES = ("gaussian", "orthogonal", "unit")
ROUNDING = 1e-9  # of eigenvalues that are zero, in units of the largest


@dataclass(frozen=True)
class Clusters:
    """The law of (x, y): the cluster k is uniform, x = mu_k + scale * z, and y = labels_k.

    ``means`` has the coordinates of the K means in an orthonormal basis of their span, of r <= p vectors.
    """

    p: int
    means: Float64[np.ndarray, "K r"]
    labels: Int64[np.ndarray, " K"]
    noise: str = "gaussian"
    scale: float = 1.0

    @classmethod
    def of(
        cls,
        p: int,
        gram: Sequence[Sequence[float | int]],
        classes: Sequence[int],
        noise: str = "gaussian",
        scale: float | int = 1.0,
        signal: float | int = 1.0,
    ) -> "Clusters":
        """The law whose means are ``signal`` times vectors with the Gram matrix ``gram``, of the labels ``classes``.

        Raises:
            InputError: no matrix of inner products, means of more dimensions than p, a cluster without a label +-1 of
                its own, an unknown noise, noise orthogonal to means that leave it no room, a scale that is not
                positive.
        """
        means = _coordinates(gram, p)
        if len(classes) != len(means) or set(classes) - {-1, 1}:
            raise InputError(
                f"classes is {classes}: it must have one of -1 and +1 for each of the {len(means)} clusters"
            )
        if noise not in NOISES:
            raise InputError(f"noise is {noise!r}: it must be one of {', '.join(NOISES)}")
        if noise != "gaussian" and means.shape[1] == p:
            raise InputError(f"noise is {noise!r}: it needs a dimension orthogonal to the means, which span all {p}")
        if not 0 < scale < math.inf:
            raise InputError(f"scale is {scale}: the noise needs a positive, finite one")
        return cls(p, signal * means, np.array(classes), noise, float(scale))

    def sample(
        self,
        n: int,
        label_noise: float | int,
        seed: int,
        *,
        directions: int = 0,
        exact_flips: bool = True,
        balanced: bool = False,
        frame: str = "reduced",
    ) -> "Sample":
        """A sample of size n with a share of wrong labels, and spare standard normal directions.

        ``frame="ambient"`` draws all p coordinates; ``"reduced"`` has q = r + min(n + directions, p - r) of them, the
        first r of which span the means (Bartlett's decomposition in their complement, see ``mixtures.sample``). The
        Gram matrices have the same law in both. Where it is ``balanced`` each cluster has n/K points.

        Raises:
            InputError: a size below one, a share outside [0, 0.5), sizes that cannot be balanced, an unknown frame.
        """
        count, rank = len(self.means), self.means.shape[1]
        if n < 1 or directions < 0:
            raise InputError(f"n is {n} and directions {directions}: they must be at least 1 and 0")
        if balanced:
            label_noises.check_balanced(n, count)
        which = seeds.generator(seed, "clusters")
        cluster = which.permutation(np.arange(n) % count) if balanced else which.integers(count, size=n)
        clean = self.labels[cluster]
        polluted = label_noises.flip(clean, label_noise, seeds.generator(seed, "label flips"), exact_flips)
        rng = seeds.generator(seed, f"noise of clusters, {frame} frame")
        match frame:
            case "ambient":
                vectors = rng.standard_normal((n + directions, self.p))
            case "reduced":
                within = rng.standard_normal((n + directions, rank))
                vectors = np.hstack([within, bartlett(n + directions, self.p - rank, rng)])
            case _:
                raise InputError(f"frame is {frame!r}: it must be 'ambient' or 'reduced'")
        x = self._placed(cluster, vectors[:n], 0.0)
        tensors = map(aligned, (x, clean, polluted, vectors[n:]))
        return Sample(*tensors, cluster=torch.from_numpy(cluster), law=self)

    def fresh_points(
        self, q: int, seed: int, count: int, at_a_time: int
    ) -> Iterator[tuple[Float64[Tensor, "some q"], Float64[Tensor, " some"]]]:
        """The test points that belong to a seed, some at a time, and their clean labels."""
        return map(self.placed, seeds.normals(seed, "test points of clusters", count, 2 + q, at_a_time))

    def placed(
        self, normals: Float64[np.ndarray, "count columns"]
    ) -> tuple[Float64[Tensor, "count q"], Float64[Tensor, " count"]]:
        """The points, and their clean labels, that rows of 2 + q standard normals make."""
        count, beyond = len(normals), self.p + 2 - normals.shape[1]
        uniform = np.minimum(ndtr(normals[:, 0]) * len(self.means), len(self.means) - 1).astype(int)
        outside = np.zeros(count)  # what a frame leaves out of a point is orthogonal to all that was trained
        if beyond and self.noise == "unit":  # others need not know how long it is
            # chi-square of many degrees is a gamma variable; its quantile keeps the draw one number a point
            outside = gammaincinv(beyond / 2, ndtr(normals[:, 1])) * 2
        x = self._placed(uniform, normals[:, 2:], outside)
        return aligned(x), aligned(self.labels[uniform])

    def _placed(self, cluster: np.ndarray, z: np.ndarray, outside: np.ndarray | float) -> np.ndarray:
        """mu_k + scale * z, where z is made from standard normals; ``outside`` is what |z|^2 has beyond the frame."""
        rank = self.means.shape[1]
        z = z.copy()
        if self.noise != "gaussian":
            z[:, :rank] = 0
        if self.noise == "unit":
            z /= np.sqrt((z**2).sum(axis=1) + outside)[:, None]
        z *= self.scale
        z[:, :rank] += self.means[cluster]
        return z


@dataclass(frozen=True)
class Sample(label_noises.Labelled):
    """A polluted sample of ``law`` in one orthonormal frame, with standard Gaussian directions independent of it."""

    x: Float64[Tensor, "n q"]
    clean: Float64[Tensor, " n"]
    labels: Float64[Tensor, " n"]
    directions: Float64[Tensor, "m q"]
    cluster: Int64[Tensor, " n"]
    law: Clusters


def _coordinates(gram: Sequence[Sequence[float | int]], p: int) -> np.ndarray:
    """Vectors with these inner products, in a basis of their own span; the first axis is that of the first of them."""
    if {len(row) for row in gram} != {len(gram)} or not np.isfinite(rest := np.array(gram, dtype=float)).all():
        raise InputError(f"gram is {gram}: the inner products of K means must be a finite K x K matrix, K at least 1")
    if (rest != rest.T).any():
        raise InputError(f"gram is {gram}: inner products must be symmetric")
    largest = rest.diagonal().max()
    if (least := float(np.linalg.eigvalsh(rest)[0])) < -ROUNDING * abs(largest):
        raise InputError(
            f"gram is {gram}: a matrix of inner products must have no eigenvalue below 0, and has {least:.3g}"
        )
    columns = []
    for k in range(len(gram)):  # Cholesky's decomposition, without the axes that a mean does not need
        if rest[k, k] > ROUNDING * largest:
            columns.append(rest[:, k] / math.sqrt(rest[k, k]))
            rest -= np.outer(columns[-1], columns[-1])
    if len(columns) > p:
        raise InputError(f"p is {p}: it must be at least {len(columns)}, the dimensions that the means span")
    return np.stack(columns, axis=1) if columns else np.zeros((len(gram), 0))
