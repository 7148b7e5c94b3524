"""What can be seen of a two-layer network in training beside its outputs: slopes of the loss, activity, lengths."""

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from benign.train.history import Snapshot


@dataclass(frozen=True)
class TwoLayerSnapshot(Snapshot, ABC):
    """A state of two-layer networks; a neuron is a row of W."""

    preactivations: Tensor  #: A = W X^T, shape (runs, m, n)
    initial_preactivations: Tensor  #: W(0) X^T
    signs: Tensor  #: the frozen a_j, shape (runs, m)

    @functools.cached_property
    def g(self) -> Tensor:
        """-l'(y_i f(x_i)), shape (runs, n)."""
        return self.criterion.negative_derivative(self.labels * self.outputs)

    @abstractmethod
    def squared_norms(self) -> Tensor:
        """||w_j||^2, shape (runs, m)."""

    @abstractmethod
    def squared_moves(self) -> Tensor:
        """||w_j - w_j(0)||^2, shape (runs, m)."""

    @abstractmethod
    def spectral_norms(self) -> Tensor:
        """||W||_2, the largest singular value, shape (runs,)."""


def active(s: TwoLayerSnapshot) -> Tensor:
    """The activation pattern, which neurons are active at which samples, <w_j, x_i> > 0, boolean (runs, m, n)."""
    return s.preactivations > 0


def flipped_share(s: TwoLayerSnapshot) -> Tensor:
    """The share of the pairs (neuron, sample) that are active and were not at the start, or the reverse, (runs,)."""
    return (active(s) != (s.initial_preactivations > 0)).to(s.outputs.dtype).mean((1, 2))


def spectral_norm(s: TwoLayerSnapshot) -> Tensor:
    """The spectral norm ||W||_2, shape (runs,)."""
    return s.spectral_norms()


def norm(s: TwoLayerSnapshot) -> Tensor:
    """The Frobenius norm ||W||_F, shape (runs,)."""
    return s.squared_norms().sum(-1).sqrt()


def norm_21(s: TwoLayerSnapshot) -> Tensor:
    """The sum of the neurons' lengths, ||W||_{2,1}, shape (runs,)."""
    return s.squared_norms().sqrt().sum(-1)


def distance(s: TwoLayerSnapshot) -> Tensor:
    """The distance travelled, ||W - W(0)||_F, shape (runs,)."""
    return s.squared_moves().sum(-1).sqrt()
