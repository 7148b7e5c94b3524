"""The smallest eigenvalue of the tangent kernel's matrix at infinite width, for inputs of several laws.

Whatever the inputs, the Rayleigh quotient of (e_i - e_j) / sqrt(2) bounds it by half the squared distance of the
closest pair in the kernel's feature space, min_{i != j} (K_ii + K_jj - 2 K_ij) / 2.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from jaxtyping import Float64
from torch import Tensor

from benign import seeds
from benign.data import images
from benign.errors import InputError
from benign.ntk import analytic

INPUTS = ("sphere", "gaussian", "mnist", "mnist-gaussian")
#: The dimension of an image of 28 x 28 pixels.
PIXELS = 784


@dataclass(frozen=True)
class Spectrum:
    """The kernel matrix of a ReLU network of ``depth`` layers at n random inputs in R^d.

    ``inputs`` is ``"sphere"``, uniform on the unit sphere; ``"gaussian"``, N(0, I/d); ``"mnist"``, images of all digits
    of the bundled sample divided by their norms, without repetition; or ``"mnist-gaussian"``, Gaussian vectors with
    the mean and the covariance of these images, divided by their norms.
    """

    n: int
    d: int
    depth: int
    seed: int
    inputs: str = "sphere"

    batched_by: ClassVar[tuple[str, ...]] = ("n", "d", "depth", "inputs")

    def __post_init__(self) -> None:
        if self.n < 2 or self.d < 2 or self.depth < 1:
            raise InputError(
                f"n is {self.n}, d is {self.d} and depth is {self.depth}: there must be two inputs, two dimensions and "
                "one layer, or more"
            )
        if self.inputs not in INPUTS:
            raise InputError(f"inputs is {self.inputs!r}: it must be one of {', '.join(INPUTS)}")
        if self.inputs.startswith("mnist") and (self.d != PIXELS or self.n > len(_digits())):
            raise InputError(
                f"n is {self.n} and d is {self.d}: of images with d = {PIXELS} pixels the sample has {len(_digits())}"
            )

    def draw(self) -> Float64[Tensor, "n d"]:
        """The inputs; with the same seed, those of ``"sphere"`` are the directions of those of ``"gaussian"``."""
        rng = seeds.generator(self.seed, "inputs of a kernel")
        if self.inputs == "mnist":
            return _digits()[torch.from_numpy(rng.choice(len(_digits()), self.n, replace=False))]
        x = torch.from_numpy(rng.standard_normal((self.n, self.d)))
        if self.inputs == "gaussian":
            return x / math.sqrt(self.d)
        if self.inputs == "mnist-gaussian":
            mean, root = _moments()
            x = mean + x @ root
        return torch.nn.functional.normalize(x, dim=1)

    @staticmethod
    def run(batch: Sequence["Spectrum"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run; always on the CPU.

        ``smallest`` is the smallest eigenvalue, ``pair`` the bound by the closest pair, ``closest`` the largest cosine
        between two inputs, ``shortest`` the smallest squared length, ``seen`` the mean squared length with
        the squares of the bottom eigenvector as weights, and ``directions`` the smallest eigenvalue once the inputs are
        divided by their lengths.
        """
        tables = []
        for run in batch:
            x = run.draw()
            lengths = x.square().sum(1)
            kernel = analytic.kernel(x, depth=run.depth)
            row = {"smallest": _smallest(kernel), "pair": pair_bound(kernel)}
            cosines = (x @ x.mT / (lengths.unsqueeze(1) * lengths).sqrt()).fill_diagonal_(-1)
            row |= {"closest": float(cosines.max()), "shortest": float(lengths.min())}
            if run.inputs == "gaussian":
                bottom = torch.linalg.eigh(kernel).eigenvectors[:, 0]
                scaled = kernel / (lengths.unsqueeze(1) * lengths).sqrt()
                row |= {"seen": float(bottom.square() @ lengths), "directions": _smallest(scaled)}
            else:
                row |= {"seen": 1.0, "directions": row["smallest"]}
            tables.append(pd.DataFrame([row]))
        return tables


def pair_bound(kernel: Float64[Tensor, "n n"]) -> float:
    """Half the squared distance of the closest pair, min over i != j of (K_ii + K_jj - 2 K_ij) / 2."""
    own = kernel.diagonal()
    distances = (own.unsqueeze(1) + own) / 2 - kernel
    return float(distances.fill_diagonal_(math.inf).min())


def _smallest(kernel: Tensor) -> float:
    return float(torch.linalg.eigvalsh(kernel)[0])


@functools.lru_cache(maxsize=1)
def _digits() -> Tensor:
    """The training images of the bundled sample as unit vectors, (4000, 784)."""
    pixels = torch.tensor(images.load("mnist-sample").train_images).flatten(1)
    return torch.nn.functional.normalize(pixels.double(), dim=1)


@functools.lru_cache(maxsize=1)
def _moments() -> tuple[Tensor, Tensor]:
    """The mean of these images, and a matrix R with R^T R their covariance."""
    mean = _digits().mean(0)
    _, sizes, axes = torch.linalg.svd(_digits() - mean, full_matrices=False)
    return mean, sizes.unsqueeze(1) / math.sqrt(len(_digits())) * axes
