"""SGD on deep ReLU networks in the lazy regime, whatever the data.

A ReLU network is homogeneous in its weights, f_{sW} = s^L f_W. So one number says how large the start is: the standard
deviation of f_0(x), ``init_noise`` = s^L for weights from N(0, s^2) in the "ntk" parameterisation and ||x|| = 1. The
tangent kernel is then s^{2(L-1)} Theta_L.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from benign.data import mixtures
from benign.errors import InputError
from benign.networks import activations
from benign.networks.deep import Deep, initialise
from benign.train import deep_span, history
from benign.train.history import Trained
from benign.train.problem import loss_at_most


@dataclass(frozen=True, kw_only=True)
class LazyTraining:
    """Mini-batch SGD on the logistic loss, all layers trained, until a sample with polluted labels is fitted.

    ``depth`` is L, the number of layers of weights. ``step`` is the step size in units of 1 / K(x, x), the tangent
    kernel of the wide network at a point. Training goes through the sample in mini-batches of ``batch_points`` until
    the training loss is at most ``level``, which is asked after every epoch, or for ``epochs``.
    """

    n: int
    label_noise: float
    seed: int
    depth: int = 3
    init_noise: float = 1.0
    step: float = 4.0
    batch_points: int = 16
    level: float = 0.05
    epochs: int = 400

    batched_by: ClassVar[tuple[str, ...]] = ("n", "depth", "batch_points", "level", "epochs")

    def __post_init__(self) -> None:
        mixtures.check(self.n, 1, self.label_noise)
        for name, least in {"depth": 2, "epochs": 1}.items():
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


def check_width(width: int) -> None:
    """Raise an ``InputError`` unless hidden layers of this width exist."""
    if width < 1:
        raise InputError(f"width is {width}: a hidden layer has at least one neuron")


def fit(
    batch: Sequence[LazyTraining], width: int, xs: Sequence[Tensor], labels: Sequence[Tensor], device: str = "cpu"
) -> tuple[Trained, list[Deep], list[Deep]]:
    """What training recorded, and the networks after and before it, each a batch of one."""
    first = batch[0]
    widths = (xs[0].shape[1], *[width] * (first.depth - 1), 1)
    scales = torch.tensor([run.weight_scale for run in batch], dtype=torch.float64)
    start = initialise(widths, [run.seed for run in batch], activations.relu(), scale=scales)
    trained, finished = deep_span.train(
        start,
        xs,
        labels,
        device=device,
        step_size=torch.tensor([run.step_size for run in batch], dtype=torch.float64, device=device),
        steps=first.epochs * -(-first.n // first.batch_points),
        batch_size=first.batch_points,
        seeds=[run.seed for run in batch],
        stop=loss_at_most(first.level),
        observe={"loss": history.loss, "margins": history.margins},
    )
    return trained, finished, [start.alone(index) for index in range(len(batch))]


def training(trained: Trained, index: int, flipped: Tensor) -> dict[str, float]:
    """How well one run fits its sample; at wrong labels alone too, NaN where none is wrong."""
    missed = ~(trained.final["margins"][index].cpu() > 0)
    return {
        "steps_taken": int(trained.steps[index]),
        "loss": float(trained.final["loss"][index]),
        "training_error": float(missed.double().mean()),
        "training_error_flipped": float(missed[flipped].double().mean()),
    }


def wrong(outputs: Tensor, labels: Tensor) -> float:
    """The share of points that are not on the right side."""
    return float((~(labels * outputs > 0)).double().mean())
