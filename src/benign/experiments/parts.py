"""Where a margin comes from: the part along the signal, and the part along the noise.

For ReLU and leaky ReLU sigma(u) = sigma'(u) u, so that a margin is a sum over the neurons of inner products, and each
splits along mu and across it. With the unit vector e = mu/||mu||, <w, x> = <w, e><x, e> + <w - <w, e> e, x>:

    y f(x) = y m^(-1/2) sum_j a_j sigma'_j <w_j, e><x, e>  +  y m^(-1/2) sum_j a_j sigma'_j <w_j - <w_j, e> e, x>.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float64
from torch import Tensor

from benign.data import mixtures
from benign.experiments.polluted import HOMOGENEOUS, Polluted, tables_at_records
from benign.experiments.setting import at_least
from benign.networks.two_layer import TwoLayer


@dataclass(frozen=True)
class MarginParts(Polluted):
    """One row a point and record: the training points, clean and flipped, and fresh ones.

    ``signal_part`` and ``noise_part`` add up to the margin y f(x), where y is the training label and, for a fresh
    point, the true one. Wants a positively homogeneous activation, ``relu`` or ``leaky_relu``.
    """

    fresh_points: int = 200

    allows = dict(fresh_points=at_least(1), activation=HOMOGENEOUS)

    @staticmethod
    def run(batch: Sequence["MarginParts"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run; records in order, then points: the sample's, then the fresh ones."""
        return tables_at_records(batch, _parts, device)


def _parts(run: MarginParts, sample: mixtures.Mixture, network: TwoLayer) -> dict[str, object]:
    fresh, truth = mixtures.fresh_points(run.signal, sample.x.shape[1], run.seed, run.fresh_points)
    parts = margin_parts(network, torch.cat([sample.x, fresh]), torch.cat([sample.labels, truth]))
    kinds = ["flipped" if wrong else "clean" for wrong in sample.flipped.tolist()] + ["fresh"] * run.fresh_points
    return {"kind": kinds, "signal_part": parts[0], "noise_part": parts[1]}


def margin_parts(
    network: TwoLayer, x: Float64[Tensor, "k q"], y: Float64[Tensor, " k"]
) -> tuple[Float64[Tensor, " k"], Float64[Tensor, " k"]]:
    """The parts of the margins of one network (a batch of one) along the first axis, mu/||mu||, and across it."""
    weights = network.weights[0]
    hidden = weights @ x.T
    read_out = y * network.activation.derivative(hidden) * network.signs.T / math.sqrt(len(weights))
    along = weights[:, :1] * x[:, 0]
    return (read_out * along).sum(0), (read_out * (hidden - along)).sum(0)
