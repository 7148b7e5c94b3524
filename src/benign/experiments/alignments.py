"""What each neuron points at while it learns: along mu, and along the average of the samples that it is active on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benign.data.mixtures import Mixture
from benign.experiments.polluted import Polluted, tables_at_records
from benign.networks.two_layer import TwoLayer


@dataclass(frozen=True)
class Alignments(Polluted):
    """One row a neuron and record.

    ``to_mu`` is a_j cos(w_j, mu). ``to_own`` is the cosine between w_j and a_j v_j, where v_j is the sum of y_i x_i
    over the samples that the neuron is active on, <w_j, x_i> > 0; NaN where there is none. ``length`` is ||w_j||.
    """

    @staticmethod
    def run(batch: Sequence["Alignments"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run; records in order, then neurons."""
        return tables_at_records(batch, lambda run, sample, network: alignments(network, sample), device)


def alignments(network: TwoLayer, sample: Mixture) -> dict[str, np.ndarray]:
    """The columns of ``Alignments`` for one network (a batch of one), each of shape (m,)."""
    weights, signs = network.weights[0], network.signs[0]
    own = ((weights @ sample.x.T > 0) * sample.labels) @ sample.x
    length = weights.norm(dim=1)
    found = {
        "to_mu": signs * weights[:, 0] / length,
        "to_own": signs * (weights * own).sum(1) / (length * own.norm(dim=1)),
        "length": length,
    }
    return {name: values.numpy() for name, values in found.items()}
