"""What all engines share: when a run is over, and what a training problem must satisfy before it starts."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError
from benign.networks.two_layer import TwoLayer
from benign.train.losses import Loss

LOOK = 64  # steps between two looks which runs are over, where the host would have to wait for a device
#: When a run is over: a boolean mask (runs,), given the margins and the losses, both (runs, n).
Stop = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Rule:
    """A run is over when its empirical risk is at most ``level`` and, if ``fitted``, every margin is positive."""

    level: float = math.inf
    fitted: bool = False

    def __call__(self, margins: Tensor, losses: Tensor) -> Tensor:
        over = losses.mean(-1) <= self.level
        return over & (margins > 0).all(-1) if self.fitted else over


#: Every run takes all its steps.
never = Rule(-math.inf)
#: A run is over when every training point, wrong labels included, has a positive margin.
interpolates = Rule(fitted=True)


def loss_at_most(level: float | int) -> Rule:
    """A run is over when its empirical risk is at most ``level``."""
    return Rule(float(level))


def pool(values: Tensor, patches: int) -> Tensor:
    """The sums over the patches of each sample, which stand one after the other along the last axis."""
    return values if patches == 1 else values.unflatten(-1, (-1, patches)).sum(-1)


def spread(values: Tensor, patches: int) -> Tensor:
    """What belongs to a sample, at each of its patches."""
    return values if patches == 1 else values.repeat_interleave(patches, -1)


def check_patches(patches: int) -> None:
    """Raise an ``InputError`` unless it is a number of patches."""
    if patches < 1:
        raise InputError(f"patches is {patches}: a sample has at least one")


def check_shapes(network: TwoLayer, x: Tensor, labels: Tensor, patches: int = 1) -> None:
    """Raise an ``InputError`` unless networks, inputs and labels are those of one batch of non-empty samples."""
    check_patches(patches)
    (runs, m, d), points = network.weights.shape, x.shape[-2]
    n = points // patches
    fits = x.shape == (runs, n * patches, d) and labels.shape == (runs, n) and network.signs.shape == (runs, m)
    if n < 1 or not fits:
        raise InputError(
            f"the batch does not fit together: weights (runs, m, d) are {tuple(network.weights.shape)}, "
            f"signs (runs, m) {tuple(network.signs.shape)}, x (runs, n, d) {tuple(x.shape)}, "
            f"labels (runs, n) {tuple(labels.shape)}" + (f", with {patches} rows of x a sample" if patches > 1 else "")
        )


def check_labels(labels: Tensor, loss: Loss) -> None:
    """Raise an ``InputError`` unless every label is -1 or +1."""
    if (strangers := labels[labels.abs() != 1]).numel():
        raise InputError(f"labels hold {strangers[0].item()}: the {loss.name} loss needs -1 and +1")


def check_steps(steps: int) -> None:
    """Raise an ``InputError`` unless it is a number of steps."""
    if steps < 0:
        raise InputError(f"steps is {steps}: the number of gradient steps must be at least 0")


def look(device: torch.device) -> int:
    """How many steps runs take together between two looks which of them are over."""
    return 1 if device.type == "cpu" else LOOK


def one_a_run(name: str, value: Tensor | float | int, runs: int) -> Float64[Tensor, " runs"]:
    """The step size of each run, or the weight decay: on the CPU, for not every device has float64.

    Raises:
        InputError: neither one number nor one a run, a number that is infinite or negative, a step size of 0.
    """
    values = torch.as_tensor(value, dtype=torch.float64, device="cpu")
    if values.shape not in ((), (runs,)):
        raise InputError(f"{name} has shape {tuple(values.shape)}: give one number, or one for each of {runs} runs")
    positive = name == "step_size"
    if (wrong := values[~((values > 0 if positive else values >= 0) & values.isfinite())]).numel():
        allowed = "a positive number" if positive else "a finite number, at least 0"
        raise InputError(f"{name} is {wrong[0].item()}: it must be {allowed}")
    return values.expand(runs)
