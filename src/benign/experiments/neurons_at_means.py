"""Where each neuron of a network on several clusters points while it learns, and how linear the network still is."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from benign.data.clusters import Sample
from benign.experiments.polluted import tables_at_records
from benign.experiments.setting import one_of
from benign.experiments.several_means import SeveralMeans
from benign.measure import errors
from benign.networks.two_layer import TwoLayer


@dataclass(frozen=True)
class NeuronsAtMeans(SeveralMeans):
    """One row a neuron and record.

    ``sign`` is a_j; ``to_first`` and ``to_last`` are <w_j, mu_k> / ||w_j|| for the means of the first and of the last
    cluster: how many standard deviations of its noise a neuron is lifted there. ``odd_share`` is the share of f's mean
    square at fresh points x that its odd part (f(x) - f(-x)) / 2 has: one for a linear network.
    """

    allows = dict(stop=one_of("never"))

    @staticmethod
    def run(batch: Sequence["NeuronsAtMeans"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run; records in order, then neurons."""
        return tables_at_records(batch, _columns, device)


def _columns(run: NeuronsAtMeans, sample: Sample, network: TwoLayer) -> dict[str, object]:
    weights, means = network.weights[0], torch.from_numpy(sample.law.means[[0, -1]])
    depths = weights[:, : means.shape[1]] @ means.T / weights.norm(dim=1, keepdim=True)
    drawn = weights.shape[1], run.seed, run.test_points, errors.CHUNK
    there, _ = errors.margins_of(network, sample.law.fresh_points(*drawn))
    back, _ = errors.margins_of(network, ((-x, y) for x, y in sample.law.fresh_points(*drawn)))
    odd, even = (there - back).square().sum(), (there + back).square().sum()
    signs = network.signs[0].numpy()
    return {
        "sign": signs, "to_first": depths[:, 0].numpy(), "to_last": depths[:, 1].numpy(),
        "odd_share": float(odd / (odd + even)),
    }  # fmt: skip
