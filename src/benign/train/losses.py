"""Losses as functions of the margin y f(x)."""

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


# l(u) = log(1 + exp(-u)). PyTorch's softplus is either rounded off early or infinite far out; logsigmoid is neither.
LOGISTIC = Loss("logistic", lambda u: -torch.nn.functional.logsigmoid(u), lambda u: torch.sigmoid(-u))
