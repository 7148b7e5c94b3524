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


# softplus is exact far out on both sides; log(1 + exp(-u)) is not.
LOGISTIC = Loss("logistic", lambda u: torch.nn.functional.softplus(-u, threshold=1e3), lambda u: torch.sigmoid(-u))
