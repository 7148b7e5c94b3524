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
    network: TwoLayer, x: Tensor, labels: Tensor, step_size: Tensor | float | int, steps: int
) -> Float64[Tensor, " runs"]:
    """The step size of each run, once the batch is known to make sense.

    Raises:
        InputError: shapes that do not fit together, an empty sample, labels other than -1 and +1, a step size that is
            not a positive number, a negative number of steps.
    """
    (runs, m, d), n = network.weights.shape, x.shape[-2]
    if n < 1 or x.shape != (runs, n, d) or labels.shape != (runs, n) or network.signs.shape != (runs, m):
        raise InputError(
            f"the batch does not fit together: weights (runs, m, d) are {tuple(network.weights.shape)}, "
            f"signs (runs, m) {tuple(network.signs.shape)}, x (runs, n, d) {tuple(x.shape)}, "
            f"labels (runs, n) {tuple(labels.shape)}"
        )
    if (strangers := labels[labels.abs() != 1]).numel():
        raise InputError(f"labels hold {strangers[0].item()}: the logistic loss needs -1 and +1")
    if steps < 0:
        raise InputError(f"steps is {steps}: the number of gradient steps must be at least 0")
    sizes = torch.as_tensor(step_size, dtype=labels.dtype, device=labels.device)
    if sizes.shape not in ((), (runs,)):
        raise InputError(f"step_size has shape {tuple(sizes.shape)}: give one number, or one for each of {runs} runs")
    if (wrong := sizes[~((sizes > 0) & sizes.isfinite())]).numel():
        raise InputError(f"step_size is {wrong[0].item()}: it must be a positive number")
    return sizes.expand(runs)
