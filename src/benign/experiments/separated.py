"""Two Gaussian clusters on the unit sphere with polluted labels, well separated or not.

The inputs are x = (y* mu + z) / ||y* mu + z|| in R^d with z ~ N(0, I_d), and the separation is ||mu||: half the
distance of the two means in units of the noise's standard deviation. The length of y* mu + z says nothing about y*, so
the Bayes error on clean labels is Q(||mu||).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from benign import seeds
from benign.data import mixtures
from benign.errors import InputError
from benign.experiments.lazy_training import LazyTraining


@dataclass(frozen=True, kw_only=True)
class Separated(LazyTraining):
    """Training on n points of two clusters in R^d whose means are 2 ``separation`` apart, tested on fresh points."""

    d: int
    separation: float
    test_points: int = 1000

    batched_by: ClassVar[tuple[str, ...]] = (*LazyTraining.batched_by, "d", "test_points")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in {"d": 1, "test_points": 1, "separation": 0}.items():
            if not least <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a finite number, at least {least}")

    def sample(self) -> tuple[Tensor, Tensor, Tensor]:
        """The training inputs, shape (n, d), their labels and their clean labels."""
        sample = mixtures.sample(self.n, self.d, self.separation, self.label_noise, self.seed, frame="ambient")
        return _unit(sample.x), sample.labels, sample.clean

    def fresh(self) -> tuple[Tensor, Tensor]:
        """Test inputs, shape (test_points, d), and their clean labels."""
        rng = seeds.generator(self.seed, "test points")
        x, y = mixtures.test_points(self.separation, self.d, self.test_points, rng)
        return _unit(x), y


def _unit(x: Tensor) -> Tensor:
    return torch.nn.functional.normalize(x, dim=-1)
