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

from benign import seeds
from benign.data import mixtures
from benign.errors import InputError
from benign.experiments import polluted
from benign.experiments.polluted import Polluted
from benign.networks.two_layer import TwoLayer
from benign.train.history import Snapshot


@dataclass(frozen=True)
class MarginParts(Polluted):
    """One row a point and record: the training points, clean and flipped, and fresh ones.

    ``signal_part`` and ``noise_part`` add up to the margin y f(x), where y is the training label and, for a fresh
    point, the true one. Wants a positively homogeneous activation, ``relu`` or ``leaky_relu``.
    """

    fresh_points: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.fresh_points < math.inf:
            raise InputError(f"fresh_points is {self.fresh_points}: it must be a finite number, at least 1")
        if self.activation.partition("(")[0].strip() not in ("relu", "leaky_relu"):
            raise InputError(
                f"activation is {self.activation!r}: only for relu and leaky_relu is a margin a sum of inner products"
            )

    @staticmethod
    def run(batch: Sequence["MarginParts"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run; records in order, then points: the sample's, then the fresh ones."""
        samples = [run.sample() for run in batch]
        tables = [[] for _ in batch]

        def observe(s: Snapshot) -> Tensor:
            networks = s.network.to("cpu")
            for index, which in enumerate(s.runs.tolist()):
                tables[which].append(_parts(batch[which], samples[which], networks.alone(index), s.step))
            return s.runs

        polluted.train(batch, samples, {"parts": observe}, device)
        return [pd.concat(table, ignore_index=True) for table in tables]


def _parts(run: MarginParts, sample: mixtures.Mixture, network: TwoLayer, step: int) -> pd.DataFrame:
    rng = seeds.generator(run.seed, "test points")
    fresh, truth = mixtures.test_points(run.signal, sample.x.shape[1], run.fresh_points, rng)
    parts = margin_parts(network, torch.cat([sample.x, fresh]), torch.cat([sample.labels, truth]))
    kinds = ["flipped" if wrong else "clean" for wrong in sample.flipped.tolist()] + ["fresh"] * run.fresh_points
    return pd.DataFrame({"at_step": step, "kind": kinds, "signal_part": parts[0], "noise_part": parts[1]})


def margin_parts(
    network: TwoLayer, x: Float64[Tensor, "k q"], y: Float64[Tensor, " k"]
) -> tuple[Float64[Tensor, " k"], Float64[Tensor, " k"]]:
    """The parts of the margins of one network (a batch of one) along the first axis, mu/||mu||, and across it."""
    weights = network.weights[0]
    hidden = weights @ x.T
    read_out = y * network.activation.derivative(hidden) * network.signs.T / math.sqrt(len(weights))
    along = weights[:, :1] * x[:, 0]
    return (read_out * along).sum(0), (read_out * (hidden - along)).sum(0)
