"""What each neuron points at while it learns: along mu, and along the average of the samples that it is active on."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from jaxtyping import Float64
from torch import Tensor

from benign.data.mixtures import Mixture
from benign.experiments import polluted
from benign.experiments.polluted import Polluted
from benign.networks.two_layer import TwoLayer
from benign.train.history import Snapshot


@dataclass(frozen=True)
class Alignments(Polluted):
    """One row a neuron and record.

    ``to_mu`` is a_j cos(w_j, mu). ``to_own`` is the cosine between w_j and a_j v_j, where v_j is the sum of y_i x_i
    over the samples that the neuron is active on, <w_j, x_i> > 0; NaN where there is none. ``length`` is ||w_j||.
    """

    @staticmethod
    def run(batch: Sequence["Alignments"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run; records in order, then neurons."""
        samples = [run.sample() for run in batch]
        tables = [[] for _ in batch]

        def observe(s: Snapshot) -> Tensor:
            networks = s.network.to("cpu")
            for index, which in enumerate(s.runs.tolist()):
                found = alignments(networks.alone(index), samples[which])
                tables[which].append(pd.DataFrame({"at_step": s.step, **{k: v.numpy() for k, v in found.items()}}))
            return s.runs

        polluted.train(batch, samples, {"alignments": observe}, device)
        return [pd.concat(table, ignore_index=True) for table in tables]


def alignments(network: TwoLayer, sample: Mixture) -> dict[str, Float64[Tensor, " m"]]:
    """The columns of ``Alignments`` for one network (a batch of one)."""
    weights, signs = network.weights[0], network.signs[0]
    own = ((weights @ sample.x.T > 0) * sample.labels) @ sample.x
    length = weights.norm(dim=1)
    return {
        "to_mu": signs * weights[:, 0] / length,
        "to_own": signs * (weights * own).sum(1) / (length * own.norm(dim=1)),
        "length": length,
    }
