"""Gradient descent on deep networks until polluted labels are fitted, whatever the data.

A ReLU network is homogeneous in its weights, f_{sW} = s^L f_W. So one number says how large the start is: the standard
deviation of f_0(x), ``init_noise`` = s^L for weights from N(0, s^2) in the "ntk" parameterisation and ||x|| = 1. The
tangent kernel is then s^{2(L-1)} Theta_L.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from benign import seeds
from benign.errors import InputError
from benign.experiments.setting import POSITIVE, SHARE, Setting, at_least
from benign.networks import activations
from benign.networks.deep import Deep, initialise
from benign.ntk import analytic
from benign.train import deep_span, history
from benign.train.history import Trained
from benign.train.problem import Rule


@dataclass(frozen=True, kw_only=True)
class DeepTraining(Setting):
    """Descent on the logistic loss, all ``depth`` layers trained, until a sample with polluted labels is fitted.

    ``init_noise`` is s^L for initial weights from N(0, s^2), for ReLU the standard deviation of f_0(x). ``step`` is the
    step size in units of 1 / K(x, x), the tangent kernel of the wide network at a point of length one. Training ends
    when its loss is at most ``level``.
    """

    n: int
    label_noise: float
    seed: int
    depth: int = 3
    init_noise: float = 1.0
    step: float = 4.0
    level: float = 0.05

    allows = dict(
        n=at_least(1), label_noise=SHARE, depth=at_least(2), init_noise=POSITIVE, step=POSITIVE, level=POSITIVE
    )
    activation: ClassVar[str] = "relu"
    centred: ClassVar[bool] = False

    @property
    def weight_scale(self) -> float:
        """The standard deviation s of the initial weights."""
        return self.init_noise ** (1 / self.depth)

    @property
    def weight_seed(self) -> int:
        """The seed of the initial weights."""
        return self.seed

    @property
    def kernel_scale(self) -> float:
        """The factor s^{2(L-1)} between the tangent kernel at the start and Theta_L."""
        return self.weight_scale ** (2 * (self.depth - 1))

    @property
    def step_size(self) -> float:
        """The step size of gradient descent; Theta_L(1) = L for ReLU."""
        return self.step / (self.depth * self.kernel_scale)


@dataclass(frozen=True, kw_only=True)
class LazyTraining(DeepTraining):
    """Mini-batch SGD on a ReLU network.

    Training goes through the sample in mini-batches of ``batch_points`` until every label is fitted and the training
    loss is at most ``level``, which is asked after every epoch, or for ``epochs``. Where it is ``centred``, f - f_0 is
    trained and tested, which begins at zero. To first order in what training changes it is what two mirrored copies of
    the network learn, whose outputs enter with opposite signs.
    """

    batch_points: int = 16
    epochs: int = 400
    centred: bool = False

    allows = dict(batch_points=at_least(1), epochs=at_least(1))
    batched_by: ClassVar[tuple[str, ...]] = ("n", "depth", "batch_points", "level", "epochs")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_points > self.n:
            raise InputError(f"batch_points is {self.batch_points}: it must lie between 1 and the {self.n} points")

    @property
    def stop(self) -> Rule:
        """When training is over. A loss below ln(2) / n alone would make sure of every label."""
        return Rule(self.level, fitted=True)

    def outputs(self, now: Tensor, start: Tensor) -> Tensor:
        """What counts as the outputs of a network that says ``now``, and said ``start`` before training."""
        return now - start if self.centred else now


def fit(
    batch: Sequence[DeepTraining], xs: Sequence[Tensor], labels: Sequence[Tensor], device: str, **options: object
) -> tuple[Trained, list[Deep], list[Deep]]:
    """What training recorded, and the networks after and before it, each a batch of one; options of ``train.deep``."""
    first = batch[0]
    widths = (xs[0].shape[1], *[first.width] * (first.depth - 1), 1)
    scales = torch.tensor([run.weight_scale for run in batch], dtype=torch.float64)
    start = initialise(widths, [run.weight_seed for run in batch], activations.named(first.activation), scale=scales)
    before = torch.stack([start.alone(index)(x)[0] for index, x in enumerate(xs)])
    trained, finished = deep_span.train(
        start,
        xs,
        labels,
        device=device,
        offset=before * torch.tensor([[run.centred] for run in batch]),
        step_size=torch.tensor([run.step_size for run in batch], dtype=torch.float64),
        observe={"loss": history.loss, "margins": history.margins},
        **options,
    )
    return trained, finished, [start.alone(index) for index in range(len(batch))]


def fit_lazily(
    batch: Sequence[LazyTraining], xs: Sequence[Tensor], labels: Sequence[Tensor], device: str
) -> tuple[Trained, list[Deep], list[Deep]]:
    """The same by mini-batches."""
    first = batch[0]
    return fit(
        batch, xs, labels, device,
        steps=first.epochs * -(-first.n // first.batch_points), batch_size=first.batch_points,
        seeds=[run.seed for run in batch], stop=first.stop,
    )  # fmt: skip


def wide_starts(points: Tensor, depths: Sequence[int], init_noises: Sequence[float], seed: int) -> list[Tensor]:
    """The values of f_0 of wide networks: draws of Gaussian processes with covariances s^{2L} Sigma_L, or zero.

    Raises:
        InputError: points of which the covariance is singular to rounding.
    """
    drawn = {depth for depth, init_noise in zip(depths, init_noises, strict=True) if init_noise}
    covariances = analytic.kernels(points, wanted=[(depth, "nngp") for depth in drawn])
    draw = torch.from_numpy(seeds.generator(seed, "initial function").standard_normal(len(points)))
    roots = {}
    for (depth, _), covariance in covariances.items():
        roots[depth], failed = torch.linalg.cholesky_ex(covariance)
        if failed:
            raise InputError(
                f"the covariance of f_0 at the {len(points)} points is singular to rounding at depth {depth}: some of "
                "them lie on one ray, or nearly; take a larger dimension or classes that are closer"
            )
    return [
        init_noise * (roots[depth] @ draw) if init_noise else torch.zeros(len(points), dtype=points.dtype)
        for depth, init_noise in zip(depths, init_noises, strict=True)
    ]


def training(trained: Trained, index: int) -> tuple[dict[str, float], Tensor]:
    """How well one run fits its sample, and its margins there."""
    margins = trained.final["margins"][index].cpu()
    row = {
        "steps_taken": int(trained.steps[index]),
        "loss": float(trained.final["loss"][index]),
        "training_error": missed(margins),
    }
    return row, margins


def missed(margins: Tensor) -> float:
    """The share of points that are not on the right side, NaN of none."""
    return float((~(margins > 0)).double().mean())
