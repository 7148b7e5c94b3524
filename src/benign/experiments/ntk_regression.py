"""The exact split of the error of kernel regression with the tangent kernel, on the sphere, with smooth targets.

The inputs are uniform on the unit sphere of R^d; the targets are polynomials g_k(<u, x>) of degree k, orthogonal for
different degrees and of unit variance. The split is that of ``ntk.regression.Factored.split``, averaged over fresh
points and several u: exact in label noise and initialisation, a mean over seeds in the inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from annotated_types import Ge, Lt
from jaxtyping import Float64
from torch import Tensor

from benign.experiments.samples import sphere
from benign.experiments.setting import Setting, Together, at_least, one_of
from benign.ntk import analytic
from benign.theory.harmonics import harmonic

#: Degrees of the targets; a mixture is the sum of them in equal parts.
DEGREES = (1, 2, 3)
TARGETS = (*map(str, DEGREES), "mixture")
#: Directions u that the bias is averaged over: an unlearned target of degree 3 has heavy tails.
DIRECTIONS = 16
#: Bytes for the matrices of samples that are computed together.
ROOM = 2**30


@dataclass(frozen=True)
class KernelSplit(Together, Setting):
    """One row a target: its ``bias``, and the parts that are the same for all targets.

    ``label_noise`` is over the variance of the label noise. ``slope`` is that of the leaky ReLU, 0 for the ReLU.
    ``parity`` is ``"both"``, or ``"even"``: only that part of the kernel, (K(x, z) + K(x, -z)) / 2, to which -x is x.
    """

    n: int
    d: int
    depth: int
    seed: int
    slope: float = 0.0
    test_points: int = 300
    parity: str = "both"

    # With fewer than two layers, or a slope of 1, a network is linear and cannot interpolate.
    allows = dict(
        n=at_least(1), d=at_least(2), depth=at_least(2), slope=Annotated[float, Ge(0), Lt(1)], test_points=at_least(1),
        parity=one_of("both", "even"),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = ("n", "d", "seed", "slope", "test_points", "parity")

    @staticmethod
    def tables(runs: Sequence["KernelSplit"], device: str) -> list[pd.DataFrame]:
        """One row a target; the runs have the same points, and kernels of different depths."""
        first, depths = runs[0], [run.depth for run in runs]
        if len(runs) > 1 and 16 * first.n**2 * len(runs) > ROOM:
            return [table for run in runs for table in KernelSplit.tables([run], device)]
        x = sphere(first.n, first.d, first.seed, "inputs on the sphere").to(device)
        z = sphere(first.test_points, first.d, first.seed, "test points on the sphere").to(device)
        among = first.kernels(x, None, [(depth, kind) for depth in depths for kind in ("ntk", "nngp")])
        between = first.kernels(x, z, [(depth, "ntk") for depth in depths])
        starts = first.kernels(z, x, [(depth, "nngp") for depth in depths])
        own = first.kernels(z, None, [(depth, "nngp") for depth in depths])
        goals = {name: (targets(x, name), targets(z, name)) for name in TARGETS}
        tables = []
        for depth in depths:
            # a(z) = K^{-1} k(z). Only the end of training is asked for, and eigenvalues would cost ten times as much.
            a = torch.cholesky_solve(between[depth, "ntk"], torch.linalg.cholesky(among[depth, "ntk"])).mT
            covariance, cross = among[depth, "nngp"], starts[depth, "nngp"]
            start = own[depth, "nngp"].diagonal() + (a * (a @ covariance - 2 * cross)).sum(1)
            biases = [(a @ on_sample - at_points).square().mean() for on_sample, at_points in goals.values()]
            tables.append(
                pd.DataFrame(
                    {
                        "target": TARGETS,
                        "bias": [float(bias) for bias in biases],
                        "label_noise": float(a.square().sum(1).mean()),
                        "initialisation": float(start.mean()),
                    }
                )
            )
        return tables

    def kernels(
        self, x: Tensor, z: Tensor | None, wanted: list[tuple[int, Literal["ntk", "nngp"]]]
    ) -> dict[tuple[int, str], Tensor]:
        """The chosen part of kernels of some depths and kinds, between x and z or of x with itself."""
        whole = analytic.kernels(x, z, wanted=wanted, slope=self.slope)
        if self.parity == "both":
            return whole
        other = analytic.kernels(x, -(x if z is None else z), wanted=wanted, slope=self.slope)
        return {which: (matrix + other[which]) / 2 for which, matrix in whole.items()}


def targets(x: Float64[Tensor, "n d"], name: str) -> Float64[Tensor, "n directions"]:
    """The target of a name from ``TARGETS`` at the points x, in the directions u of the first axes; unit variance."""
    d, degrees = x.shape[1], DEGREES if name == "mixture" else (int(name),)
    t = x[:, :DIRECTIONS].cpu().numpy()
    values = sum(harmonic(t, k, d) for k in degrees) / np.sqrt(len(degrees))
    return torch.from_numpy(values).to(x.device)
