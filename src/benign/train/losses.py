"""Losses: functions of the margin y f(x) for labels y = +-1, and the squared loss for any target.

Every loss has ``at`` and ``force``, the form in which ``train.deep`` takes both kinds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A non-increasing function l of the margin and g = -l', both entrywise."""

    name: str
    value: Callable[[Tensor], Tensor]
    negative_derivative: Callable[[Tensor], Tensor]

    def at(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The loss l(y f) of the outputs f and the labels y, entrywise."""
        return self.value(labels * outputs)

    def force(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Minus its derivative in the output, y g(y f), entrywise."""
        return labels * self.negative_derivative(labels * outputs)


@dataclass(frozen=True)
class Squared:
    """The function (f - y)^2 / 2 of an output f and a real target y."""

    name: str = "squared"

    def at(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss, entrywise."""
        return (outputs - targets).square() / 2

    def force(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Minus its derivative in the output, y - f, entrywise."""
        return targets - outputs


# l(u) = log(1 + exp(-u)). PyTorch's softplus is either rounded off early or infinite far out; logsigmoid is neither.
LOGISTIC = Loss("logistic", lambda u: -torch.nn.functional.logsigmoid(u), lambda u: torch.sigmoid(-u))

SQUARED = Squared()
