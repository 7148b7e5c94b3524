"""The training problem that experiments on polluted Gaussian clusters share: what is drawn, and how it is trained."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from benign.data import mixtures
from benign.data.mixtures import Mixture
from benign.errors import InputError
from benign.networks import activations
from benign.networks.two_layer import TwoLayer, output_signs
from benign.theory import xu2023
from benign.train import dense, losses, span
from benign.train.history import Observable, Trained
from benign.train.problem import Stop, never

ENGINES = {"span": span, "dense": dense}
LOSSES = {loss.name: loss for loss in (losses.LOGISTIC, losses.EXPONENTIAL, losses.HINGE)}


@dataclass(frozen=True)
class Polluted:
    """A two-layer network trained on n points of the mixture y* mu + N(0, I_p), a share of whose labels is wrong.

    ``signal_index`` is n ||mu||^4 / p. ``step`` is the step size in units of n/p and ``init_scale`` the
    standard deviation of the initial weights in units of step size / sqrt(m p), both as in Xu & Gu (2023).
    Training takes ``steps`` steps; ``records`` are steps at which an experiment measures. ``frame`` is that of
    ``data.mixtures.sample``, ``engine`` the trainer: ``span``, or its slow twin ``dense``.
    """

    n: int
    p: int
    signal_index: float
    label_noise: float
    seed: int
    activation: str = "relu"
    width: int = 128
    step: float = 0.2
    init_scale: float = 1.0
    loss_function: str = "logistic"
    steps: int = 300
    records: tuple[int, ...] = ()
    frame: str = "reduced"
    engine: str = "span"

    batched_by: ClassVar[tuple[str, ...]] = ("n", "p", "width", "loss_function", "steps", "records", "frame", "engine")

    def __post_init__(self) -> None:
        # All that can be said before a sweep starts: not after hours, at the one wrong setting.
        mixtures.check(self.n, self.p, self.label_noise)
        activations.named(self.activation)
        for name, least in {"signal_index": 0, "init_scale": 0, "width": 1, "steps": 0}.items():
            if not least <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a finite number, at least {least}")
        if not 0 < self.step < math.inf:
            raise InputError(f"step is {self.step}: it must be a positive number")
        if not isinstance(self.records, tuple) or any(not 0 <= record <= self.steps for record in self.records):
            raise InputError(f"records is {self.records}: it must be a tuple of steps from 0 to {self.steps}, the last")
        choices = {"loss_function": LOSSES, "frame": ("reduced", "ambient"), "engine": ENGINES}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} is {getattr(self, name)!r}: it must be one of {', '.join(allowed)}")

    @property
    def signal(self) -> float:
        """||mu||."""
        return xu2023.signal_of_index(self.n, self.p, self.signal_index)

    @property
    def step_size(self) -> float:
        """The step size of gradient descent."""
        return xu2023.step_size(self.n, self.p, self.step)

    @property
    def initial_scale(self) -> float:
        """The standard deviation of the initial weights."""
        return self.init_scale * xu2023.initial_scale(self.n, self.p, self.width, self.step)

    def sample(self) -> Mixture:
        """The polluted sample, with the directions of the initial weights."""
        return mixtures.sample(
            self.n, self.p, self.signal, self.label_noise, self.seed, directions=self.width, frame=self.frame
        )


def initial_networks(batch: Sequence[Polluted], samples: Sequence[Mixture]) -> TwoLayer:
    """The networks before training."""
    return TwoLayer(
        torch.stack([run.initial_scale * sample.directions for run, sample in zip(batch, samples, strict=True)]),
        torch.stack([output_signs(run.width, run.seed) for run in batch]),
        activations.per_run([activations.named(run.activation) for run in batch]),
    )


def train(
    batch: Sequence[Polluted],
    samples: Sequence[Mixture],
    observe: Mapping[str, Observable],
    device: str = "cpu",
    stop: Stop = never,
) -> Trained:
    """The trained batch, observed at its records and after the last step."""
    first = batch[0]
    return ENGINES[first.engine].train(
        initial_networks(batch, samples).to(device),
        torch.stack([sample.x for sample in samples]).to(device),
        torch.stack([sample.labels for sample in samples]).to(device),
        step_size=torch.tensor([run.step_size for run in batch], dtype=torch.float64, device=device),
        steps=first.steps,
        loss=LOSSES[first.loss_function],
        stop=stop,
        observe=observe,
        record=(*first.records, first.steps),
    )
