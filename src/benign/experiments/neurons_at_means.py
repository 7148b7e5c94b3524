"""Where each neuron of a network on several clusters points while it learns, and how linear the network still is."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from benign import seeds
from benign.data.clusters import Sample
from benign.experiments.polluted import ENGINES, LOSSES
from benign.experiments.several_means import STOPS, SeveralMeans
from benign.measure import errors
from benign.networks import activations
from benign.networks.two_layer import TwoLayer
from benign.train.history import Snapshot


@dataclass(frozen=True)
class NeuronsAtMeans(SeveralMeans):
    """One row a neuron and record.

    ``sign`` is a_j; ``to_first`` and ``to_last`` are <w_j, mu_k> / ||w_j|| for the means of the first and of the last
    cluster: how many standard deviations of its noise a neuron is lifted there. ``odd_share`` is the share of f's mean
    square at fresh points x that its odd part (f(x) - f(-x)) / 2 has: one for a linear network.
    """

    @staticmethod
    def run(batch: Sequence["NeuronsAtMeans"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run; records in order, then neurons."""
        samples, first, tables = [run.sample() for run in batch], batch[0], [[] for _ in batch]

        def observe(s: Snapshot) -> torch.Tensor:
            networks = s.network.to("cpu")
            for index, which in enumerate(s.runs.tolist()):
                columns = _columns(batch[which], samples[which], networks.alone(index))
                tables[which].append(pd.DataFrame({"at_step": s.step, **columns}))
            return s.runs

        network = TwoLayer(
            torch.stack([run.init_scale * sample.directions for run, sample in zip(batch, samples, strict=True)]),
            torch.stack([run.output_signs() for run in batch]),
            activations.per_run([activations.named(run.activation) for run in batch]),
        )
        ENGINES[first.engine].train(
            network.to(device),
            torch.stack([sample.x for sample in samples]).to(device),
            torch.stack([sample.labels for sample in samples]).to(device),
            step_size=torch.tensor([run.step_size for run in batch], dtype=torch.float64, device=device),
            steps=first.steps,
            loss=LOSSES[first.loss_function],
            stop=STOPS[first.stop],
            observe={"tables": observe},
            record=(*first.records, first.steps),
        )
        return [pd.concat(table, ignore_index=True) for table in tables]


def _columns(run: NeuronsAtMeans, sample: Sample, network: TwoLayer) -> dict[str, object]:
    weights, means = network.weights[0], torch.from_numpy(sample.law.means[[0, -1]])
    depths = weights[:, : means.shape[1]] @ means.T / weights.norm(dim=1, keepdim=True)
    draw = functools.partial(sample.law.test_points, rng=seeds.generator(run.seed, "test points of clusters"))
    there, _ = errors.margins_of(network, draw, run.test_points)
    draw = functools.partial(sample.law.test_points, rng=seeds.generator(run.seed, "test points of clusters"))
    back, _ = errors.margins_of(
        network, lambda q, count: (-(drawn := draw(q, count=count))[0], drawn[1]), run.test_points
    )
    odd, even = (there - back).square().sum(), (there + back).square().sum()
    signs = network.signs[0].numpy()
    return {
        "sign": signs, "to_first": depths[:, 0].numpy(), "to_last": depths[:, 1].numpy(),
        "odd_share": float(odd / (odd + even)),
    }  # fmt: skip
