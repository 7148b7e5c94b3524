"""Two Gaussian clusters on the unit sphere with polluted labels: the problem that deep, lazily trained networks share.

The inputs are x = (y* mu + z) / ||y* mu + z|| in R^d with z ~ N(0, I_d), and the separation is ||mu||, half the
distance of the two means in units of the noise's standard deviation. The Bayes error on clean labels is Q(||mu||): the
length of y* mu + z says nothing about y*.

A ReLU network is homogeneous in its weights, f_{sW} = s^L f_W. So one number says how large the start is: the standard
deviation of f_0(x), ``init_noise`` = s^L for weights from N(0, s^2) in the "ntk" parameterisation. The tangent kernel is
then s^{2(L-1)} Theta_L. Training to the loss l is, up to the shape of the loss, training to a margin q(l), and only
q / s^L matters.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from benign import seeds
from benign.data import mixtures
from benign.errors import InputError


@dataclass(frozen=True)
class Separated:
    """Mini-batch SGD on the logistic loss for n points of two clusters at distance 2 ``separation``, until it fits.

    ``step`` is the step size in units of 1 / K(x, x), the tangent kernel of the wide network at a point. Training goes
    through the sample in mini-batches of ``batch_points`` until the training loss is ``level``, asked after every
    epoch, or for ``epochs``.
    """

    n: int
    d: int
    separation: float
    label_noise: float
    seed: int
    depth: int = 3
    init_noise: float = 0.25
    step: float = 4.0
    batch_points: int = 16
    level: float = 0.05
    epochs: int = 400
    test_points: int = 1000

    batched_by: ClassVar[tuple[str, ...]] = ("n", "d", "depth", "batch_points", "level", "epochs", "test_points")

    def __post_init__(self) -> None:
        mixtures.check(self.n, self.d, self.label_noise)
        for name, least in {"depth": 2, "epochs": 1, "test_points": 1, "separation": 0}.items():
            if not least <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a finite number, at least {least}")
        for name in ("init_noise", "step", "level"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a positive number")
        if not 1 <= self.batch_points <= self.n:
            raise InputError(f"batch_points is {self.batch_points}: it must lie between 1 and the {self.n} points")

    @property
    def weight_scale(self) -> float:
        """The standard deviation s of the initial weights."""
        return self.init_noise ** (1 / self.depth)

    @property
    def kernel_scale(self) -> float:
        """The factor s^{2(L-1)} between the tangent kernel at the start and Theta_L."""
        return self.weight_scale ** (2 * (self.depth - 1))

    @property
    def step_size(self) -> float:
        """The step size of gradient descent; Theta_L(1) = L."""
        return self.step / (self.depth * self.kernel_scale)

    def sample(self) -> tuple[Tensor, Tensor, Tensor]:
        """The training inputs, shape (n, d), their labels and their clean labels."""
        sample = mixtures.sample(self.n, self.d, self.separation, self.label_noise, self.seed, frame="ambient")
        return unit(sample.x), sample.labels, sample.clean

    def fresh(self) -> tuple[Tensor, Tensor]:
        """Test inputs, shape (test_points, d), and their clean labels."""
        rng = seeds.generator(self.seed, "test points")
        x, y = mixtures.test_points(self.separation, self.d, self.test_points, rng)
        return unit(x), y


def unit(x: Tensor) -> Tensor:
    """The inputs divided by their lengths."""
    return torch.nn.functional.normalize(x, dim=-1)
