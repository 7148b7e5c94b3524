"""Gram coordinates: networks W = W_0 + C X known by C, and what of the samples and of W_0 is known beside it."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from benign.data.grams import Grams
from benign.networks.activations import Activation
from benign.networks.spanned import Spanned
from benign.networks.two_layer import TwoLayer
from benign.train.neurons import TwoLayerSnapshot


def _chosen(tensor: Tensor, rows: Tensor) -> Tensor:
    """Some runs of a batch: a copy, which takes time in high dimension, unless one run begins where a copy would.

    The last bits of a product depend on where its factors begin in memory, up to multiples of 64 bytes.
    """
    if len(rows) == 1 and tensor.is_cpu:
        alone = tensor[rows.item()].unsqueeze(0)
        if alone.is_contiguous() and alone.data_ptr() % 64 == 0:
            return alone
    return tensor[rows]


@dataclass(frozen=True)
class Vectors:
    """Samples and initial weights known by their vectors, of the runs ``rows`` of a batch."""

    x: Float[Tensor, "_ n d"]
    weights: Float[Tensor, "_ m d"]
    rows: Tensor

    def select(self, rows: Tensor) -> "Vectors":
        return replace(self, rows=self.rows[rows])

    def matrices(self) -> tuple[Tensor, Tensor]:
        """A_0 and G, or X in its place where products with it and its transpose are cheaper: d < n/2."""
        x = _chosen(self.x, self.rows)
        n, d = x.shape[1:]
        return _chosen(self.weights, self.rows) @ x.mT, x if 2 * d < n else x @ x.mT

    def network(self, coefficients: Tensor, signs: Tensor, activation: Activation) -> TwoLayer:
        # Run by run, on copies: the last bits of a product depend on where its factors begin in memory.
        runs = zip(self.rows.split(1), coefficients, strict=True)
        weights = [_chosen(self.weights, row).baddbmm(c.clone().unsqueeze(0), _chosen(self.x, row)) for row, c in runs]
        return TwoLayer(torch.cat(weights), signs, activation)

    def squared_norms(self) -> Tensor:
        return _chosen(self.weights, self.rows).square().sum(-1)

    def gram(self) -> Tensor:
        w = _chosen(self.weights, self.rows)
        return w @ w.mT


@dataclass(frozen=True)
class Products:
    """Samples and initial weights known by their inner products only."""

    grams: Grams
    rows: Tensor

    def select(self, rows: Tensor) -> "Products":
        return replace(self, rows=self.rows[rows])

    def matrices(self) -> tuple[Tensor, Tensor]:
        """A_0 and G."""
        return self.grams.cross[self.rows], self.grams.inputs[self.rows]

    def network(self, coefficients: Tensor, signs: Tensor, activation: Activation) -> Spanned:
        return Spanned(coefficients, signs, activation)

    def squared_norms(self) -> Tensor:
        return self.gram().diagonal(dim1=1, dim2=2)

    def gram(self) -> Tensor:
        return self.grams.weights[self.rows]


@dataclass(frozen=True)
class SpanSnapshot(TwoLayerSnapshot):
    """A state in Gram coordinates.

    Squared lengths are exact to the rounding of their terms: a length far below that of its terms, of a neuron whose
    coefficients cancel, has an absolute error up to about 1e-8 of theirs.
    """

    coefficients: Tensor  #: C_t, shape (runs, m, n)
    activation: Activation
    start: Vectors | Products

    @property
    def network(self) -> TwoLayer | Spanned:
        """The networks: functions of vectors, or of ``Points`` after training on Grams. Weights are formed only now."""
        return self.start.network(self.coefficients, self.signs, self.activation)

    def squared_norms(self) -> Tensor:
        cross = (self.coefficients * self.initial_preactivations).sum(-1)  # <w_j - w_j(0), w_j(0)>
        return (self.start.squared_norms() + 2 * cross + self.squared_moves()).clamp_(min=0)

    def squared_moves(self) -> Tensor:
        moved = self.preactivations - self.initial_preactivations  # C_t G
        return (self.coefficients * moved).sum(-1).clamp_(min=0)

    def spectral_norms(self) -> Tensor:
        c, before, now = self.coefficients, self.initial_preactivations, self.preactivations
        gram = self.start.gram().baddbmm(c, before.mT).baddbmm_(now, c.mT)  # W_t W_t^T
        return torch.linalg.eigvalsh(gram)[:, -1].clamp(min=0).sqrt()
