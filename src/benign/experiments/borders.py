"""Gradient descent on polluted clusters until the risk says that every label is fitted, at and beyond the borders.

Xu & Gu (2023), Theorem 3.1, eq. (9): a risk below 1/(2n) means that every training label is fitted. Runs that stop
there are compared at equal training loss, whatever their step size, width, initialisation or label noise.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor

from benign.data import mixtures
from benign.data.mixtures import Mixture
from benign.errors import InputError
from benign.experiments import polluted
from benign.experiments.polluted import ENGINES, LOSSES, Polluted
from benign.measure import errors
from benign.networks.two_layer import TwoLayer
from benign.train import history, neurons, problem

FLIPS = ("random", "deepest", "one class")


@dataclass(frozen=True)
class Border(Polluted):
    """One training that ends with the first step at which the risk is at most level/(2n), or after ``steps`` steps.

    ``flips`` says who chooses the round(label_noise * n) wrong labels:

    - ``random``: chance;
    - ``deepest``: an adversary who flips the points deepest in their own cluster, of the largest <y* x, mu>; of all
      choices this takes most from <sum_i y_i x_i, mu>;
    - ``one class``: an adversary who flips points of the class +1, and of the other only when these are used up.

    ``paired`` makes the initial network the zero function: the second half of the neurons has the weights of the first
    and the opposite signs. During the first ``watched`` steps the loss is looked at after every step.
    """

    flips: str = "random"
    level: float = 1.0
    paired: bool = False
    watched: int = 1
    test_points: int = 2_000

    batched_by: ClassVar[tuple[str, ...]] = (*Polluted.batched_by, "level", "paired", "watched")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.flips not in FLIPS:
            raise InputError(f"flips is {self.flips!r}: it must be one of {', '.join(FLIPS)}")
        if not 0 <= self.level < math.inf:
            raise InputError(f"level is {self.level}: it must be a finite number, at least 0")
        if self.paired and self.width % 2:
            raise InputError(f"width is {self.width}: neurons can be paired only if their number is even")
        if not 1 <= self.watched <= self.steps:
            raise InputError(
                f"watched is {self.watched}: it must be a number of steps from 1 to {self.steps}, the last"
            )
        if self.records:
            raise InputError(f"records is {self.records}: this experiment measures at the end, and needs none")
        if not 1 <= self.test_points < math.inf:
            raise InputError(f"test_points is {self.test_points}: it must be a finite number, at least 1")

    def sample(self) -> Mixture:
        """The sample, its wrong labels chosen as ``flips`` says, with the directions of the initial weights."""
        drawn = mixtures.sample(
            self.n, self.p, self.signal, self.label_noise, self.seed,
            directions=self.width // (1 + self.paired), frame=self.frame,
        )  # fmt: skip
        return dataclasses.replace(
            drawn,
            labels=chosen_labels(drawn, self.flips),
            directions=drawn.directions.repeat(1 + self.paired, 1),
        )

    @staticmethod
    def run(batch: Sequence["Border"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, of one row."""
        first = batch[0]
        samples = [run.sample() for run in batch]
        networks = _initial_networks(batch, samples)
        trained = ENGINES[first.engine].train(
            networks.to(device),
            torch.stack([sample.x for sample in samples]).to(device),
            torch.stack([sample.labels for sample in samples]).to(device),
            step_size=torch.tensor([run.step_size for run in batch], dtype=torch.float64, device=device),
            steps=first.steps,
            loss=LOSSES[first.loss_function],
            stop=problem.loss_at_most(first.level / (2 * first.n)),
            observe={
                "loss": history.loss,
                "margins": history.margins,
                "distance": history.distance,
                "pattern_change": neurons.flipped_share,
                "helpers": lambda s: _helpers(s, networks.signs.to(device)),
            },
            record=range(first.watched + 1),
        )
        rises = (trained.history["loss"].diff(dim=0) > 0).sum(0)
        finished = trained.network.to("cpu")
        tables = []
        for index, (run, sample) in enumerate(zip(batch, samples, strict=True)):
            margins = trained.history["margins"][:, index].cpu()
            fell = (margins[1] < margins[0])[sample.flipped]
            helpers = trained.history["helpers"][:, index].cpu()
            at_wrong = helpers[0] & sample.flipped
            fresh = errors.fresh_margins(finished.alone(index), run.signal, run.seed, run.test_points)
            wrong = int((~(fresh > 0)).sum())
            last = trained.final["margins"][index].cpu()
            row = {
                "steps_taken": int(trained.steps[index]),
                "loss": float(trained.final["loss"][index]),
                "training_error": float((~(last > 0)).double().mean()),
                "test_errors": wrong,
                "test_error": wrong / run.test_points,
                "averaging_test_error": errors.averaging_test_error(sample.x, sample.labels, run.signal),
                "wrong_labels": int(sample.flipped.sum()),
                "wrong_labels_fell": int(fell.sum()),
                "rises": int(rises[index]),
                "covered": bool(helpers[0].any(0).all()),
                "helpers_of_wrong": int(at_wrong.sum()),
                "helpers_of_wrong_died": int((at_wrong & ~helpers[1]).sum()),
                "initial_output": float(margins[0].square().mean().sqrt()),
                "distance": float(trained.final["distance"][index]) / float(networks.weights[index].norm()),
                "pattern_change": float(trained.final["pattern_change"][index]),
            }
            tables.append(pd.DataFrame([row]))
        return tables


def chosen_labels(sample: Mixture, flips: str) -> Tensor:
    """The labels of a sample, shape (n,): as many wrong ones as in ``sample.labels``, chosen as ``flips`` says."""
    if flips == "random":
        return sample.labels
    key = sample.clean * sample.x[:, 0] if flips == "deepest" else sample.clean  # the first axis is mu / ||mu||
    chosen = key.argsort(descending=True, stable=True)[: int(sample.flipped.sum())]
    labels = sample.clean.clone()
    labels[chosen] *= -1
    return labels


def _initial_networks(batch: Sequence[Border], samples: Sequence[Mixture]) -> TwoLayer:
    networks = polluted.initial_networks(batch, samples)
    if not batch[0].paired:
        return networks
    signs = networks.signs.clone()
    half = signs.shape[1] // 2
    signs[:, half:] = -signs[:, :half]
    return dataclasses.replace(networks, signs=signs)


def _helpers(snapshot: neurons.TwoLayerSnapshot, signs: Tensor) -> Tensor:
    """The pairs (neuron, sample) that are active and of the same sign, a_j = y_i, boolean (runs, m, n)."""
    return (signs[snapshot.runs].unsqueeze(2) == snapshot.labels.unsqueeze(1)) & neurons.active(snapshot)
