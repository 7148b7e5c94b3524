"""The exact split of the error of kernel regression with the tangent kernel, on the sphere, with smooth targets.

The inputs are uniform on the unit sphere of R^d; the targets are polynomials g_k(<u, x>) of degree k, orthogonal for
different degrees and of unit variance. The split is that of ``ntk.regression.Factored.split``, averaged over fresh
points and several u: exact in label noise and initialisation, a mean over seeds in the inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64
from torch import Tensor

from benign import seeds
from benign.errors import InputError
from benign.ntk import analytic
from benign.theory.harmonics import harmonic

#: Degrees of the targets; a mixture is the sum of them in equal parts.
DEGREES = (1, 2, 3)
TARGETS = (*map(str, DEGREES), "mixture")
#: Directions u that the bias is averaged over: an unlearned target of degree 3 has heavy tails.
DIRECTIONS = 16


@dataclass(frozen=True)
class KernelSplit:
    """One row a target: its ``bias``, and the parts that are the same for all targets.

    ``label_noise`` is over the variance of the label noise. ``slope`` is that of the leaky ReLU, 0 for the ReLU.
    """

    n: int
    d: int
    depth: int
    seed: int
    slope: float = 0.0
    test_points: int = 300

    batched_by: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if self.d < 2 or self.depth < 2:
            raise InputError(
                f"d is {self.d} and depth is {self.depth}: the sphere needs two dimensions or more, and a network with "
                "fewer than two layers is linear and cannot interpolate"
            )
        if min(self.n, self.test_points) < 1 or not 0 <= self.slope < 1:
            raise InputError(
                f"n is {self.n}, test_points is {self.test_points}, slope is {self.slope}: there must be a training "
                "and a test point, and a slope in [0, 1)"
            )

    @staticmethod
    def run(batch: Sequence["KernelSplit"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, with one row a target."""
        return [_table(run, device) for run in batch]


def sphere(points: int, d: int, seed: int, purpose: str) -> Float64[Tensor, "points d"]:
    """Independent points, uniform on the unit sphere of R^d."""
    x = torch.from_numpy(seeds.generator(seed, purpose).standard_normal((points, d)))
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)


def targets(x: Float64[Tensor, "n d"], name: str) -> Float64[Tensor, "n directions"]:
    """The target of a name from ``TARGETS`` at the points x, in the directions u of the first axes; unit variance."""
    d, degrees = x.shape[1], DEGREES if name == "mixture" else (int(name),)
    t = x[:, :DIRECTIONS].cpu().numpy()
    values = sum(harmonic(t, k, d) for k in degrees) / np.sqrt(len(degrees))
    return torch.from_numpy(values).to(x.device)


def _table(run: KernelSplit, device: str) -> pd.DataFrame:
    x = sphere(run.n, run.d, run.seed, "inputs on the sphere").to(device)
    z = sphere(run.test_points, run.d, run.seed, "test points on the sphere").to(device)
    shape = dict(depth=run.depth, slope=run.slope)
    # a(z) = K^{-1} k(z). Only the end of training is asked for, and eigenvalues would cost ten times as much.
    a = torch.cholesky_solve(analytic.kernel(x, z, **shape), torch.linalg.cholesky(analytic.kernel(x, **shape))).mT
    covariance, cross = (analytic.kernel(*points, **shape, kind="nngp") for points in ((x,), (z, x)))
    start = analytic.diagonal(z, depth=run.depth, kind="nngp") + (a * (a @ covariance - 2 * cross)).sum(1)
    biases = [(a @ targets(x, name) - targets(z, name)).square().mean() for name in TARGETS]
    return pd.DataFrame(
        {
            "target": TARGETS,
            "bias": [float(bias) for bias in biases],
            "label_noise": float(a.square().sum(1).mean()),
            "initialisation": float(start.mean()),
        }
    )
