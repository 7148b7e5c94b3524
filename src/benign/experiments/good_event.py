"""The quantities in Xu & Gu's good event, (11)-(18), of one sample and one network before training.

All of them are functions of the joint Gram matrix of the noise vectors z_i, the directions of the initial weights w_j
and the unit vector along mu. So they are measured in the reduced frame of Gaussian noise, or block by block of
coordinates under another law, by the same formulas.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64
from torch import Tensor

from benign.data import mixtures, noises, streamed
from benign.data.mixtures import Mixture
from benign.errors import InputError
from benign.experiments.other_noise import DIRECTION, NOISE
from benign.experiments.polluted import Polluted
from benign.experiments.setting import Alone
from benign.networks import activations
from benign.networks.two_layer import output_signs, read_out


@dataclass(frozen=True)
class GoodEvent(Alone, Polluted):
    """What the inequalities (11)-(18) bound, at initialisation; nothing is trained.

    ``noise`` is a law of ``data.noises``; any but the Gaussian one needs ``frame="ambient"``, and there ``direction``
    says where mu points, as in ``data.streamed.sample``. Counts are shares, eigenvalues and squared lengths of z are in
    units of p, products with mu in units of ||mu||, products of two z in units of sqrt(p), lengths of weights in
    units of omega sqrt(p). ``coherence`` is n max_{i != i'} |<x_i, x_i'>| / min_i ||x_i||^2: below 1, no point is
    in reach of the others together.
    """

    noise: str = "gaussian"
    direction: str = "spread"

    allows = dict(noise=NOISE, direction=DIRECTION)
    batched_by: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if noises.named(self.noise).name != "gaussian" and self.frame != "ambient":
            raise InputError(
                f"noise is {self.noise!r} and frame {self.frame!r}: only Gaussian noise has a reduced frame, "
                "take frame='ambient'"
            )

    def table(self, device: str) -> pd.DataFrame:
        """One row. Eigenvalues of small matrices are all there is to compute: on the processor."""
        n, m, p = self.n, self.width, self.p
        sample = mixtures.sample(n, p, 0, self.label_noise, self.seed, directions=m if self.frame == "reduced" else 0)
        gram = sum(vectors @ vectors.T for vectors in _vectors(self, sample))
        noise, weights, along = gram[:n, :n], gram[n : n + m], gram[-1, :n]
        signs, y = output_signs(m, self.seed), self.signal * sample.clean

        hidden = weights[:, :n] + torch.outer(weights[:, -1], y)  # <w_j, x_i>, in units of omega
        inputs = noise + torch.outer(along, y) + torch.outer(y, along) + torch.outer(y, y)
        correct = (signs[:, None] == sample.labels) & (hidden > 0)
        spectrum = torch.linalg.eigvalsh(noise) / p
        lengths = weights.diagonal(n).sqrt() / p**0.5
        activation = activations.named(self.activation)
        outputs = read_out(signs[None], activation(self.initial_scale * hidden)[None])

        measured = {  # counts through int(): an integer tensor over a number would be of single precision
            "least_sign_share": min(int((signs > 0).sum()), int((signs < 0).sum())) / m,
            "least_active_samples": int(correct.sum(1).min()) / n,
            "least_active_neurons": int(correct.sum(0).min()) / m,
            "least_eigenvalue": spectrum[0],
            "largest_eigenvalue": spectrum[-1],
            "largest_along_mu": along.abs().max(),
            "largest_product": _off_diagonal(noise) / p**0.5,
            "largest_weight": lengths.max(),
            "largest_output": outputs.abs().max(),
            "least_length": noise.diagonal().min() / p,
            "largest_length": noise.diagonal().max() / p,
            "coherence": n * _off_diagonal(inputs) / inputs.diagonal().min(),
        }
        return pd.DataFrame(np.array([[float(value) for value in measured.values()]]), columns=list(measured))


def _off_diagonal(gram: Float64[Tensor, "n n"]) -> Tensor:
    """The largest absolute value off the diagonal, 0 for a single point."""
    return (gram - gram.diagonal().diag()).abs().max()


def _vectors(run: GoodEvent, sample: Mixture) -> Iterator[Float64[Tensor, "rows width"]]:
    """The n + m + 1 rows z_i, w_j and mu/||mu||, in one frame or block by block of their coordinates."""
    if run.frame == "reduced":
        first = torch.zeros(1, sample.x.shape[1], dtype=torch.float64)
        first[0, 0] = 1.0
        yield torch.cat([sample.x, sample.directions, first])
        return
    law, start = noises.named(run.noise), 0
    for z, w, _ in streamed.blocks(
        sample.clean.numpy(), np.empty(0), run.p, 0, run.seed, noise=law, directions=run.width
    ):
        unit = torch.full((1, z.shape[1]), run.p**-0.5, dtype=torch.float64)
        if run.direction == "first":
            unit = (torch.arange(start, start + z.shape[1]) == 0).double()[None]
        yield torch.cat([z, w, unit])
        start += z.shape[1]
