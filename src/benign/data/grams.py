"""Vectors known only through their inner products, which are all that gradient descent in the span of the data needs.

With X X^T, W_0 X^T and W_0 W_0^T one can train (``train.span``) and measure lengths; with X x' and W_0 x' one can
evaluate the trained network at the point x'. Scaling W_0 scales them, so one sample serves every initialisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from benign.errors import InputError


@dataclass(frozen=True)
class _Products:
    """A few tensors of inner products, with the same leading axes of runs, or with none."""

    def to(self, *args, **kwargs) -> "_Products":
        """The same on another device or of another type: the arguments are those of ``torch.Tensor.to``."""
        return type(self)(*(tensor.to(*args, **kwargs) for tensor in vars(self).values()))


@dataclass(frozen=True)
class Points(_Products):
    """Points of R^p known only through their inner products with a training sample and with m directions."""

    inputs: Float[Tensor, "*runs n k"]  #: <x_i, x'_k>, x_i the training inputs
    weights: Float[Tensor, "*runs m k"]  #: <w_j(0), x'_k>

    @classmethod
    def of(
        cls, points: Float[Tensor, "*runs k d"], x: Float[Tensor, "*runs n d"], weights: Float[Tensor, "*runs m d"]
    ) -> "Points":
        """The inner products of k points of R^d with the sample ``x`` and the directions ``weights``."""
        return cls(x @ points.mT, weights @ points.mT)

    def scaled(self, scale: float | int) -> "Points":
        """The same points seen from the weights ``scale * W_0``."""
        return Points(self.inputs, self.weights * scale)


@dataclass(frozen=True)
class Grams(_Products):
    """A training sample and initial weights known only through their inner products."""

    inputs: Float[Tensor, "*runs n n"]  #: X X^T
    cross: Float[Tensor, "*runs m n"]  #: W_0 X^T
    weights: Float[Tensor, "*runs m m"]  #: W_0 W_0^T

    @classmethod
    def of(cls, x: Float[Tensor, "*runs n d"], weights: Float[Tensor, "*runs m d"]) -> "Grams":
        """The inner products of the sample ``x`` and the directions ``weights``, all of them vectors of R^d."""
        return cls(x @ x.mT, weights @ x.mT, weights @ weights.mT)

    def scaled(self, scale: float | int) -> "Grams":
        """The same with the weights ``scale * W_0``."""
        return Grams(self.inputs, self.cross * scale, self.weights * scale**2)


Products = TypeVar("Products", bound=_Products)


def stack(runs: Sequence[Products]) -> Products:
    """One batch of several runs: Grams, or Points, of equal shapes with a new leading axis.

    Raises:
        InputError: no run, runs of different sizes, or Grams among Points.
    """
    shapes = [(type(run).__name__, *(tuple(tensor.shape) for tensor in vars(run).values())) for run in runs]
    if len(set(shapes)) != 1:
        found = ", ".join(map(str, sorted(set(shapes)))) or "none"
        raise InputError(f"a batch is made of runs of one kind and size, and there are {found}: stack like with like")
    return type(runs[0])(*map(torch.stack, zip(*(vars(run).values() for run in runs), strict=True)))
