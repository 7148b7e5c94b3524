"""The tangent kernel of networks of finite width at the start, beside that of the infinitely wide one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch

from benign import seeds
from benign.errors import InputError
from benign.networks import activations, deep
from benign.ntk import analytic, empirical


@dataclass(frozen=True)
class FiniteWidth:
    """A ReLU network of ``depth`` layers, all hidden ones ``width`` wide, at n inputs uniform on the sphere in R^d.

    Networks of the same seed have the same inputs, whatever their width and depth.
    """

    n: int
    d: int
    depth: int
    width: int
    seed: int

    batched_by: ClassVar[tuple[str, ...]] = ("n", "d", "depth", "width")

    def __post_init__(self) -> None:
        if self.n < 2 or self.d < 2 or self.depth < 2 or self.width < 1:
            raise InputError(
                f"n is {self.n}, d is {self.d}, depth is {self.depth} and width is {self.width}: there must be two "
                "inputs, two dimensions, two layers and one neuron, or more"
            )

    @staticmethod
    def run(batch: Sequence["FiniteWidth"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run; always on the CPU, in float64.

        ``smallest`` and ``limit`` are the smallest eigenvalues of the network's kernel and of the infinitely wide
        one's, ``difference`` is the Frobenius norm of the difference of the two matrices over that of the latter, and
        ``scale`` the ratio of their traces.
        """
        tables = []
        for run in batch:
            rng = seeds.generator(run.seed, "inputs of a kernel")
            x = torch.nn.functional.normalize(torch.from_numpy(rng.standard_normal((run.n, run.d))), dim=1)
            widths = (run.d, *[run.width] * (run.depth - 1), 1)
            found = empirical.kernel(deep.initialise(widths, [run.seed], activations.relu()), x)[0]
            limit = analytic.kernel(x, depth=run.depth)
            row = {
                "smallest": float(torch.linalg.eigvalsh(found)[0]),
                "limit": float(torch.linalg.eigvalsh(limit)[0]),
                "difference": float((found - limit).norm() / limit.norm()),
                "scale": float(found.trace() / limit.trace()),
            }
            tables.append(pd.DataFrame([row]))
        return tables
