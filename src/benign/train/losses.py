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


# l(u) = log(1 + exp(-u)), g = 1 / (1 + exp(u)).
# PyTorch's softplus is either rounded off early or infinite far out; logsigmoid is neither.
LOGISTIC = Loss("logistic", lambda u: -torch.nn.functional.logsigmoid(u), lambda u: torch.sigmoid(-u))

# l(u) = exp(-u) = g.
EXPONENTIAL = Loss("exponential", lambda u: torch.exp(-u), lambda u: torch.exp(-u))

# l(u) = max(1 - u, 0); at the kink u = 1 the derivative is the right one, 0.
HINGE = Loss("hinge", lambda u: (1 - u).clamp(min=0), lambda u: (u < 1).to(u.dtype))

SQUARED = Squared()
