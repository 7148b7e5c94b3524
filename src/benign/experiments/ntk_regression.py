"""The exact split of the error of kernel regression with the tangent kernel, on the sphere, with smooth targets.

The inputs are uniform on the unit sphere of R^d; the targets are polynomials g_k(<u, x>) of degree k, orthogonal for
different degrees and of unit variance. The split is that of ``ntk.regression.Factored.split``, averaged over fresh
points and several u: exact in label noise and initialisation, a mean over seeds in the inputs.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from annotated_types import Ge, Lt
from jaxtyping import Float64
from torch import Tensor

from benign.experiments.samples import sphere
from benign.experiments.setting import Alone, Setting, at_least, one_of
from benign.ntk import analytic
from benign.theory.harmonics import harmonic

#: Degrees of the targets; a mixture is the sum of them in equal parts.
DEGREES = (1, 2, 3)
TARGETS = (*map(str, DEGREES), "mixture")
#: Directions u that the bias is averaged over: an unlearned target of degree 3 has heavy tails.
DIRECTIONS = 16


@dataclass(frozen=True)
class KernelSplit(Alone, Setting):
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
    batched_by: ClassVar[tuple[str, ...]] = ()

    def table(self, device: str) -> pd.DataFrame:
        """One row a target."""
        x = sphere(self.n, self.d, self.seed, "inputs on the sphere").to(device)
        z = sphere(self.test_points, self.d, self.seed, "test points on the sphere").to(device)
        # a(z) = K^{-1} k(z). Only the end of training is asked for, and eigenvalues would cost ten times as much.
        a = torch.cholesky_solve(self.kernel(x, z), torch.linalg.cholesky(self.kernel(x))).mT
        covariance, cross = (self.kernel(*points, kind="nngp") for points in ((x,), (z, x)))
        start = self.kernel(z, kind="nngp").diagonal() + (a * (a @ covariance - 2 * cross)).sum(1)
        biases = [(a @ targets(x, name) - targets(z, name)).square().mean() for name in TARGETS]
        return pd.DataFrame(
            {
                "target": TARGETS,
                "bias": [float(bias) for bias in biases],
                "label_noise": float(a.square().sum(1).mean()),
                "initialisation": float(start.mean()),
            }
        )

    def kernel(self, x: Tensor, z: Tensor | None = None, kind: Literal["ntk", "nngp"] = "ntk") -> Tensor:
        """The chosen part of the kernel, between x and z or of x with itself."""
        shape = dict(depth=self.depth, slope=self.slope, kind=kind)
        whole = analytic.kernel(x, z, **shape)
        if self.parity == "both":
            return whole
        return (whole + analytic.kernel(x, -(x if z is None else z), **shape)) / 2


def targets(x: Float64[Tensor, "n d"], name: str) -> Float64[Tensor, "n directions"]:
    """The target of a name from ``TARGETS`` at the points x, in the directions u of the first axes; unit variance."""
    d, degrees = x.shape[1], DEGREES if name == "mixture" else (int(name),)
    t = x[:, :DIRECTIONS].cpu().numpy()
    values = sum(harmonic(t, k, d) for k in degrees) / np.sqrt(len(degrees))
    return torch.from_numpy(values).to(x.device)
