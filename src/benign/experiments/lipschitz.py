"""Interpolating networks and how steep they are: the same sample, fitted in many ways, on two Gaussian clusters.

The inputs are v = y* mu + z with z ~ N(0, I_d), and the network sees x = v / sqrt(d), of length about one. Lipschitz
constants are those in v: the change of f per standard deviation of the noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor

from benign import seeds
from benign.data import mixtures
from benign.errors import InputError
from benign.measure import lipschitz
from benign.networks import activations
from benign.networks.deep import Deep, initialise
from benign.train import deep_span, history
from benign.train.history import Trained


@dataclass(frozen=True, kw_only=True)
class Interpolator:
    """Full-batch gradient descent on the logistic loss, all layers, until every polluted label is fitted and more.

    ``depth`` is L, the number of layers of weights. ``init_noise`` is s^L for initial weights from N(0, s^2), for ReLU
    the standard deviation of f_0(x). ``step`` is the step size in units of 1 / K(x, x), the tangent kernel at a point
    of length one of the wide network, at the start or at init_noise = 1, whichever is larger: a start near zero moves
    away from its own kernel. Training ends as soon as every label is fitted and the training loss is at most
    ``level``, or after ``steps``. ``draw`` tells apart the initial weights of networks that learn the same sample.
    ``weight_decay`` is lambda in the risk plus lambda/2 sum_l ||W_l||_F^2, towards zero; ``level`` is without it.
    """

    n: int
    label_noise: float
    seed: int
    depth: int = 3
    width: int = 64
    activation: str = "relu"
    init_noise: float = 1.0
    step: float = 2.0
    level: float = 0.05
    steps: int = 20_000
    draw: int = 0
    weight_decay: float = 0.0

    batched_by: ClassVar[tuple[str, ...]] = ("n", "depth", "width", "activation", "level", "steps")

    def __post_init__(self) -> None:
        mixtures.check(self.n, 1, self.label_noise)
        activations.named(self.activation)
        for name, least in {"n": 2, "depth": 2, "width": 1, "steps": 1, "draw": 0}.items():
            if not least <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a finite number, at least {least}")
        for name in ("init_noise", "step", "level"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a positive number")
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"weight_decay is {self.weight_decay}: it must be a finite number, at least 0")

    @property
    def weight_scale(self) -> float:
        """The standard deviation s of the initial weights."""
        return self.init_noise ** (1 / self.depth)

    @property
    def weight_seed(self) -> int:
        """The seed of the initial weights."""
        return self.seed + 10**6 * self.draw

    @property
    def step_size(self) -> float:
        """The step size of gradient descent; Theta_L(1) = L for ReLU."""
        return self.step / (self.depth * max(1.0, self.weight_scale ** (2 * (self.depth - 1))))


@dataclass(frozen=True, kw_only=True)
class ClusterInterpolator(Interpolator):
    """An interpolator of n points of two clusters in R^d whose means are 2 ``separation`` standard deviations apart."""

    d: int
    separation: float
    test_points: int = 1000

    batched_by: ClassVar[tuple[str, ...]] = (*Interpolator.batched_by, "d", "test_points")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in {"d": 1, "test_points": 2, "separation": 0}.items():
            if not least <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a finite number, at least {least}")

    @staticmethod
    def run(batch: Sequence["ClusterInterpolator"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run; test error, expected margins and their medians are those on clean labels."""
        unit = math.sqrt(batch[0].d)
        samples = [
            mixtures.sample(run.n, run.d, run.separation, run.label_noise, run.seed, frame="ambient") for run in batch
        ]
        xs = [sample.x / unit for sample in samples]
        trained, finished = fit(batch, xs, [sample.labels for sample in samples], device)
        tables = []
        for index, (run, network) in enumerate(zip(batch, finished, strict=True)):
            rng = seeds.generator(run.seed, "test points")
            v, y = mixtures.test_points(run.separation, run.d, run.test_points, rng)
            margins = y * network(v / unit)[0]
            row = training(trained, index) | steepness(network, xs[index], 1 / unit)
            row["test_error"] = float((~(margins > 0)).double().mean())
            for name, own in {"positive": margins[y > 0], "negative": margins[y < 0]}.items():
                row |= {f"margin_{name}": float(own.mean()), f"median_{name}": float(own.median())}
            tables.append(pd.DataFrame([row]))
        return tables


def fit(
    batch: Sequence[Interpolator], xs: Sequence[Tensor], labels: Sequence[Tensor], device: str = "cpu"
) -> tuple[Trained, list[Deep]]:
    """What training recorded, and the trained networks, each a batch of one."""
    first = batch[0]
    widths = (xs[0].shape[1], *[first.width] * (first.depth - 1), 1)
    scales = torch.tensor([run.weight_scale for run in batch], dtype=torch.float64)
    start = initialise(widths, [run.weight_seed for run in batch], activations.named(first.activation), scale=scales)
    return deep_span.train(
        start,
        xs,
        labels,
        device=device,
        step_size=torch.tensor([run.step_size for run in batch], dtype=torch.float64, device=device),
        weight_decay=torch.tensor([run.weight_decay for run in batch], dtype=torch.float64, device=device),
        steps=first.steps,
        stop=lambda margins, losses: (margins > 0).all(-1) & (losses.mean(-1) <= first.level),
        observe={"loss": history.loss, "margins": history.margins},
    )


def training(trained: Trained, index: int) -> dict[str, float]:
    """How well one run fits its polluted sample."""
    margins = trained.final["margins"][index].cpu()
    return {
        "steps_taken": int(trained.steps[index]),
        "loss": float(trained.final["loss"][index]),
        "training_error": float((~(margins > 0)).double().mean()),
        "mean_margin": float(margins.mean()),
        "least_margin": float(margins.min()),
    }


def steepness(network: Deep, x: Tensor, unit: float) -> dict[str, float]:
    """The Lipschitz constant of one network from above and below, in units in which inputs have the length 1 / unit.

    The chords of the ascent have the half-length 1/4, a quarter of that of a typical input.
    """
    found = {
        "upper": lipschitz.upper(network),
        "at_data": lipschitz.at(network, x),
        "between_data": lipschitz.between(network, x),
        "by_ascent": lipschitz.ascent(network, x, radius=0.25),
    }
    row = {name: float(value) * unit for name, value in found.items()}
    return row | {"lower": max(row["at_data"], row["between_data"], row["by_ascent"])}
