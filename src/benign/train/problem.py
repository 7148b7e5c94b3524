"""What both engines share: when a run is over, and what a training problem must satisfy before it starts."""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError
from benign.networks.two_layer import TwoLayer

#: When a run is over: a boolean mask (runs,), given the margins and the losses, both (runs, n).
Stop = Callable[[Tensor, Tensor], Tensor]


def never(margins: Tensor, losses: Tensor) -> Tensor:
    """Every run takes all its steps."""
    return torch.zeros(margins.shape[0], dtype=torch.bool, device=margins.device)


def loss_at_most(level: float) -> Stop:
    """A run is over when its empirical risk is at most ``level``."""
    return lambda margins, losses: losses.mean(-1) <= level


def interpolates(margins: Tensor, losses: Tensor) -> Tensor:
    """A run is over when every training point, wrong labels included, has a positive margin."""
    return (margins > 0).all(-1)


def check(
    network: TwoLayer, labels: Tensor, n: int, runs: int, step_size: Tensor | float, steps: int
) -> Float64[Tensor, " runs"]:
    """The step size of each run, once shapes and signs are known to make sense."""
    if network.weights.shape[0] != runs or labels.shape != (runs, n):
        raise InputError(
            f"the batch does not fit together: {network.weights.shape[0]} networks, "
            f"labels of shape {tuple(labels.shape)}, data of {runs} runs with {n} points each"
        )
    if steps < 0:
        raise InputError(f"steps is {steps}: the number of gradient steps must be at least 0")
    sizes = torch.as_tensor(step_size, dtype=labels.dtype, device=labels.device).expand(runs)
    if not (sizes > 0).all():
        raise InputError(f"step_size is {sizes.min().item()}: it must be positive")
    return sizes
