"""Gradient descent on polluted Gaussian clusters, with the test error that it leads to."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from benign.experiments import polluted
from benign.experiments.polluted import Polluted
from benign.experiments.setting import at_least
from benign.measure import errors
from benign.networks.two_layer import TwoLayer
from benign.train import history, neurons


@dataclass(frozen=True)
class PollutedClusters(Polluted):
    """Errors and margins in training and in testing, after the steps ``records`` and, last, after ``steps`` steps."""

    test_points: int = 10_000

    allows = dict(test_points=at_least(1))

    @staticmethod
    def run(batch: Sequence["PollutedClusters"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, one row a record."""
        samples = [run.sample() for run in batch]
        observe = {
            **history.in_training(torch.stack([sample.flipped for sample in samples]).to(device)),
            "norm_21": neurons.norm_21,
            "testing": lambda s: polluted.of_each(s, lambda which, network: _testing(batch[which], network)),
        }
        trained = polluted.train(batch, samples, observe, device)
        tables = []
        for index, (run, sample) in enumerate(zip(batch, samples, strict=True)):
            columns = {name: values[:, index].tolist() for name, values in trained.history.items() if name != "testing"}
            test_errors, normalised = trained.history["testing"][:, index].T.tolist()
            tables.append(
                pd.DataFrame(
                    {
                        "at_step": trained.recorded.tolist(),
                        **columns,
                        "test_errors": [int(count) for count in test_errors],
                        "test_error": [count / run.test_points for count in test_errors],
                        "normalised_margin": normalised,
                        "averaging_test_error": errors.averaging_test_error(sample.x, sample.labels, run.signal),
                    }
                )
            )
        return tables


def _testing(run: PollutedClusters, network: TwoLayer) -> tuple[float, float]:
    """The number of wrong test points and the normalised margin."""
    margins, _ = errors.fresh_margins(network, run.signal, run.seed, run.test_points)
    return float((~(margins > 0)).sum()), float(errors.normalised_margin(network, float(margins.mean())))
