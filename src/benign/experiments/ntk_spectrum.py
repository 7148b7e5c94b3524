"""The smallest eigenvalue of the tangent kernel's matrix, for inputs of several laws and networks of any width.

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
from benign.experiments.samples import sphere
from benign.experiments.setting import Alone, Setting, Together, at_least, one_of
from benign.networks import activations, deep
from benign.ntk import analytic, empirical

#: The dimensions of an image: of 28 x 28 pixels, or of the means of its squares of 2 x 2 or 4 x 4 pixels.
PIXELS, COARSER = 784, (196, 49)


@dataclass(frozen=True)
class Spectrum(Together, Setting):
    """The kernel matrix of a ReLU network of ``depth`` layers at n random inputs in R^d.

    ``inputs`` is ``"sphere"``, uniform on the unit sphere; ``"gaussian"``, N(0, I/d); ``"mnist"``, images of all digits
    of the bundled sample divided by their norms, without repetition; or ``"mnist-gaussian"``, Gaussian vectors with
    the mean and the covariance of these images, divided by their norms. Images of d = 196 or 49 are the same digits,
    coarser: the means of squares of pixels. All is done on the CPU.
    """

    n: int
    d: int
    depth: int
    seed: int
    inputs: str = "sphere"

    allows = dict(
        n=at_least(2), d=at_least(2), depth=at_least(1), inputs=one_of("sphere", "gaussian", "mnist", "mnist-gaussian")
    )
    batched_by: ClassVar[tuple[str, ...]] = ("n", "d", "inputs", "seed")  # what the inputs depend on

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = (PIXELS, *COARSER)
        if self.inputs.startswith("mnist") and (self.d not in allowed or self.n > len(_digits(self.d))):
            raise InputError(
                f"n is {self.n} and d is {self.d}: the sample has {len(_digits(PIXELS))} images, of one of the "
                f"dimensions {', '.join(map(str, allowed))}"
            )

    def draw(self) -> Float64[Tensor, "n d"]:
        """The inputs; with the same seed, those of ``"sphere"`` are the directions of those of ``"gaussian"``."""
        if self.inputs == "sphere":
            return sphere(self.n, self.d, self.seed)
        rng = seeds.generator(self.seed, "inputs of a kernel")
        if self.inputs == "mnist":
            return _digits(self.d)[torch.from_numpy(rng.choice(len(_digits(self.d)), self.n, replace=False))]
        x = torch.from_numpy(rng.standard_normal((self.n, self.d)))
        if self.inputs == "gaussian":
            return x / math.sqrt(self.d)
        mean, root = _moments(self.d)
        return torch.nn.functional.normalize(mean + x @ root, dim=1)

    @staticmethod
    def tables(runs: Sequence["Spectrum"], device: str) -> list[pd.DataFrame]:
        """One row each.

        ``smallest`` is the smallest eigenvalue, ``pair`` the bound by the closest pair, ``closest`` the largest cosine
        between two inputs, ``shortest`` the smallest squared length, ``seen`` the mean squared length with
        the squares of the bottom eigenvector as weights, and ``directions`` the smallest eigenvalue once the inputs are
        divided by their lengths.
        """
        x = runs[0].draw()
        lengths = x.square().sum(1)
        scales = (lengths.unsqueeze(1) * lengths).sqrt()
        cosines = (x @ x.mT / scales).fill_diagonal_(-1)
        inputs = {"closest": float(cosines.max()), "shortest": float(lengths.min())}
        found = []
        kernels = analytic.kernels(x, wanted=[(run.depth, "ntk") for run in runs])
        for run in runs:
            kernel = kernels[run.depth, "ntk"]
            row = {"smallest": _smallest(kernel), "pair": pair_bound(kernel)} | inputs
            if run.inputs == "gaussian":
                bottom = torch.linalg.eigh(kernel).eigenvectors[:, 0]
                row |= {"seen": float(bottom.square() @ lengths), "directions": _smallest(kernel / scales)}
            else:
                row |= {"seen": 1.0, "directions": row["smallest"]}
            found.append(pd.DataFrame([row]))
        return found


@dataclass(frozen=True)
class FiniteWidth(Alone, Setting):
    """A ReLU network of ``depth`` layers, all hidden ones ``width`` wide, at n inputs uniform on the sphere in R^d.

    Networks of the same seed have the same inputs, whatever their width and depth. All is done on the CPU, in float64.
    """

    n: int
    d: int
    depth: int
    width: int
    seed: int

    allows = dict(n=at_least(2), d=at_least(2), depth=at_least(2), width=at_least(1))
    batched_by: ClassVar[tuple[str, ...]] = ("n", "d", "depth", "width")

    def table(self, device: str) -> pd.DataFrame:
        """One row.

        ``smallest`` and ``limit`` are the smallest eigenvalues of the network's kernel at the start and of the
        infinitely wide one's, ``difference`` is the Frobenius norm of the difference of the two matrices over that of
        the latter, and ``scale`` the ratio of their traces.
        """
        x, widths = sphere(self.n, self.d, self.seed), (self.d, *[self.width] * (self.depth - 1), 1)
        found = empirical.kernel(deep.initialise(widths, [self.seed], activations.relu()), x)[0]
        limit = analytic.kernel(x, depth=self.depth)
        row = {
            "smallest": _smallest(found),
            "limit": _smallest(limit),
            "difference": float((found - limit).norm() / limit.norm()),
            "scale": float(found.trace() / limit.trace()),
        }
        return pd.DataFrame([row])


def pair_bound(kernel: Float64[Tensor, "n n"]) -> float:
    """Half the squared distance of the closest pair, min over i != j of (K_ii + K_jj - 2 K_ij) / 2."""
    own = kernel.diagonal()
    distances = (own.unsqueeze(1) + own) / 2 - kernel
    return float(distances.fill_diagonal_(math.inf).min())


def _smallest(kernel: Tensor) -> float:
    return float(torch.linalg.eigvalsh(kernel)[0])


@functools.lru_cache(maxsize=3)
def _digits(d: int) -> Tensor:
    """The training images of the bundled sample as unit vectors of d pixels, (4000, d)."""
    pixels = torch.tensor(images.load("mnist-sample").train_images).double().unsqueeze(1)
    coarse = torch.nn.functional.avg_pool2d(pixels, math.isqrt(PIXELS // d))
    return torch.nn.functional.normalize(coarse.flatten(1), dim=1)


@functools.lru_cache(maxsize=3)
def _moments(d: int) -> tuple[Tensor, Tensor]:
    """The mean of these images, and a matrix R with R^T R their covariance."""
    mean = _digits(d).mean(0)
    _, sizes, axes = torch.linalg.svd(_digits(d) - mean, full_matrices=False)
    return mean, sizes.unsqueeze(1) / math.sqrt(len(_digits(d))) * axes
