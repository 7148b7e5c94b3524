"""Gradient descent on polluted clusters with a test error that is not counted but estimated, however small it is.

Beside it, what Xu & Gu (2023), Proposition 4.5, bounds it with: the margins' means, and the Lipschitz constants

    ||W||_2 <= ||W||_F,    ||W||_{2,1} / sqrt(m) <= ||W||_F.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
from annotated_types import Ge, MultipleOf

from benign.experiments import polluted
from benign.experiments.polluted import AT_END, Polluted
from benign.experiments.setting import at_least
from benign.measure import errors, tails
from benign.networks.two_layer import TwoLayer
from benign.train import history, neurons


@dataclass(frozen=True)
class TailErrors(Polluted):
    """Test error by importance sampling and by counting, margins by class, and norms, after the last step.

    ``tail_points`` are those of ``measure.tails.tail_error``, ``test_points`` plain ones.
    """

    tail_points: int = 2_000
    test_points: int = 2_000

    # The spread of the margins in each class needs 100 points.
    allows = dict(records=AT_END, tail_points=Annotated[int, Ge(20), MultipleOf(20)], test_points=at_least(100))

    @staticmethod
    def run(batch: Sequence["TailErrors"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, of one row."""
        samples = [run.sample() for run in batch]
        observe = {
            "loss": history.loss,
            "training_error": history.training_error,
            "norm_21": neurons.norm_21,
            "norm_frobenius": neurons.norm,
            "norm_spectral": neurons.spectral_norm,
        }
        trained = polluted.train(batch, samples, observe, device)
        finished = trained.network.to("cpu")
        tables = []
        for index, (run, sample) in enumerate(zip(batch, samples, strict=True)):
            network = finished.alone(index)
            row = {name: float(values[index]) for name, values in trained.final.items()}
            row |= _margins(network, run)
            row["normalised_margin"] = math.sqrt(run.width) * row["mean_margin"] / row["norm_21"]
            row |= tails.tail_error(network, run.signal, run.seed, run.tail_points).row()
            row["averaging_test_error"] = errors.averaging_test_error(sample.x, sample.labels, run.signal)
            tables.append(pd.DataFrame([row]))
        return tables


def _margins(network: TwoLayer, run: TailErrors) -> dict[str, float]:
    """Errors among plain test points, and the mean and the standard deviation of the margins in each class."""
    margins, labels = errors.fresh_margins(network, run.signal, run.seed, run.test_points)
    wrong = int((~(margins > 0)).sum())
    row = {"test_errors": wrong, "test_error": wrong / run.test_points}
    for name, of_class in {"positive": margins[labels > 0], "negative": margins[labels < 0]}.items():
        row |= {f"mean_margin_{name}": float(of_class.mean()), f"margin_sd_{name}": float(of_class.std())}
    row["mean_margin"] = (row["mean_margin_positive"] + row["mean_margin_negative"]) / 2
    return row
