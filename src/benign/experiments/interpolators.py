"""Interpolating networks and how steep they are: the same sample, fitted in many ways, on clusters and on digits.

The clusters' points are v = y* mu + z with z ~ N(0, I_d), and the network sees x = v / sqrt(d), of length about one.
Lipschitz constants are those in v: the change of f per standard deviation of the noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor

from benign.errors import InputError
from benign.experiments import outcomes
from benign.experiments.deep_training import DeepTraining, fit, missed, training
from benign.experiments.samples import DigitPair, Separated
from benign.experiments.setting import ACTIVATION, AMOUNT, at_least
from benign.measure import certified_lipschitz, lipschitz, two_layer_lipschitz
from benign.networks.deep import Deep, difference
from benign.train.history import Trained
from benign.train.problem import Rule


@dataclass(frozen=True, kw_only=True)
class Interpolator(DeepTraining):
    """Full-batch gradient descent until every polluted label is fitted and more.

    ``step`` is in units of the tangent kernel at the start or at init_noise = 1, whichever is larger: a start near zero
    moves away from its own kernel. Training ends as soon as every label is fitted and the training loss is at most
    ``level``, or after ``steps``. ``draw`` tells apart the initial weights of networks that learn the same sample.
    ``weight_decay`` is lambda in the risk plus lambda/2 sum_l ||W_l||_F^2, towards zero; ``level`` is without it. Where
    it is ``centred``, the function is f - f_0, which begins at zero. Its steepness is looked for from so many
    ``ascents`` of so many steps each; where one is to ``certify``, it gets a sharp upper bound too, which takes
    longer than all the rest.
    """

    width: int = 64
    activation: str = "relu"
    step: float = 2.0
    steps: int = 20_000
    draw: int = 0
    weight_decay: float = 0.0
    centred: bool = False
    ascents: int = 16
    ascent_steps: int = 40
    certify: bool = False

    allows = dict(
        n=at_least(2), width=at_least(1), activation=ACTIVATION, steps=at_least(1), draw=at_least(0),
        weight_decay=AMOUNT, ascents=at_least(1), ascent_steps=at_least(0),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = ("n", "depth", "width", "activation", "level", "steps")

    @property
    def weight_seed(self) -> int:
        return self.seed + 10**6 * self.draw

    @property
    def step_size(self) -> float:
        return self.step / (self.depth * max(1.0, self.kernel_scale))


@dataclass(frozen=True, kw_only=True)
class ClusterInterpolator(Separated, Interpolator):
    """An interpolator of n points of two clusters in R^d whose means are 2 ``separation`` standard deviations apart."""

    allows = dict(test_points=at_least(2))
    batched_by: ClassVar[tuple[str, ...]] = (*Interpolator.batched_by, "d", "test_points")

    def scaled(self, x: Tensor) -> Tensor:
        return x / math.sqrt(self.d)

    @staticmethod
    def run(batch: Sequence["ClusterInterpolator"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run; test error, expected margins and their medians are those on clean labels."""
        xs, labels, _ = zip(*[run.sample() for run in batch], strict=True)
        trained, finished = interpolate(batch, xs, labels, device)
        tables = []
        for index, (run, network) in enumerate(zip(batch, finished, strict=True)):
            x_test, y = run.fresh()
            margins = y * network(x_test)[0]
            row = how_it_fits(trained, index) | steepness(run, network, xs[index], 1 / math.sqrt(run.d))
            row["test_error"] = missed(margins)
            for name, own in {"positive": margins[y > 0], "negative": margins[y < 0]}.items():
                row |= {f"margin_{name}": float(own.mean()), f"median_{name}": float(own.median())}
            tables.append(pd.DataFrame([row]))
        return tables


@dataclass(frozen=True, kw_only=True)
class DigitInterpolator(DigitPair, Interpolator):
    """An interpolator of n images of two classes, scaled to length one, which is the unit of Lipschitz constants."""

    batched_by: ClassVar[tuple[str, ...]] = (*Interpolator.batched_by, "images")

    @staticmethod
    def run(batch: Sequence["DigitInterpolator"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run; the test error is that on clean labels, the outcome 1 an image that is lost."""
        problems = DigitPair.problems(batch)
        trained, finished = interpolate(batch, [p.x for p in problems], [p.labels for p in problems], device)
        tables = []
        for index, (run, p, network) in enumerate(zip(batch, problems, finished, strict=True)):
            row = how_it_fits(trained, index) | steepness(run, network, p.x, 1.0)
            margins = p.labels_test * network(p.x_test)[0]
            row |= {"test_error": missed(margins)} | outcomes.written((~(margins > 0)).long(), p.labels_test)
            tables.append(pd.DataFrame([row]))
        return tables


def interpolate(
    batch: Sequence[Interpolator], xs: Sequence[Tensor], labels: Sequence[Tensor], device: str = "cpu"
) -> tuple[Trained, list[Deep]]:
    """What training recorded, and the trained functions, each a batch of one.

    Raises:
        InputError: a run that diverged: nothing can be said of how steep it is.
    """
    trained, finished, start = fit(
        batch, xs, labels, device,
        weight_decay=torch.tensor([run.weight_decay for run in batch], dtype=torch.float64),
        steps=batch[0].steps, stop=Rule(batch[0].level, fitted=True),
    )  # fmt: skip
    for run, after in zip(batch, finished, strict=True):
        if not all(torch.isfinite(weight).all() for weight in after.weights):
            raise InputError(
                f"the run of seed {run.seed} diverged: step is {run.step}, weight_decay {run.weight_decay} and "
                f"init_noise {run.init_noise}; make one of them smaller"
            )
    both = zip(batch, finished, start, strict=True)
    return trained, [difference(after, before) if run.centred else after for run, after, before in both]


def how_it_fits(trained: Trained, index: int) -> dict[str, float]:
    """How well one run fits its polluted sample."""
    row, margins = training(trained, index)
    return row | {"mean_margin": float(margins.mean()), "least_margin": float(margins.min())}


def steepness(run: Interpolator, network: Deep, x: Tensor, unit: float) -> dict[str, float]:
    """The Lipschitz constant of one network from above and below, in units in which inputs have the length 1 / unit.

    Of two layers and no more neurons than dimensions, ``certified`` and ``lower`` are those of all activation patterns.
    """
    at_data, between, steepest = lipschitz.survey(network, x, run.ascents)
    found = {
        "upper": lipschitz.upper(network),
        "at_data": at_data,
        "between_data": between,
        "by_ascent": lipschitz.ascent(network, steepest, run.ascent_steps),
    }
    found["lower"] = torch.maximum(found["between_data"], found["by_ascent"])
    if run.certify:
        d, *hidden, _ = network.widths
        if len(hidden) == 1 and hidden[0] <= d and network.activation.family == "two slopes":
            patterns, found["certified"] = two_layer_lipschitz.enclosed(network)
            found["lower"] = torch.maximum(found["lower"], patterns)
        else:
            found["certified"] = certified_lipschitz.certified(network)
    return {name: float(value) * unit for name, value in found.items()}
