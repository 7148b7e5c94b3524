"""Networks that interpolate polluted labels of two digits, and how steep they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from benign.data import images
from benign.experiments.lipschitz import Interpolator, fit, steepness, training


@dataclass(frozen=True, kw_only=True)
class DigitInterpolator(Interpolator):
    """An interpolator of n images of two classes, scaled to length one, which is the unit of Lipschitz constants."""

    negative: int
    positive: int
    images: str = "mnist-sample"

    batched_by: ClassVar[tuple[str, ...]] = (*Interpolator.batched_by, "images")

    @staticmethod
    def run(batch: Sequence["DigitInterpolator"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run; the test error is that on clean labels."""
        source = images.load(batch[0].images)
        problems = [
            images.problem(source, (run.negative, run.positive), run.n, label_noise=run.label_noise, seed=run.seed)
            for run in batch
        ]
        trained, finished = fit(batch, [p.x for p in problems], [p.labels for p in problems], device)
        tables = []
        for index, (p, network) in enumerate(zip(problems, finished, strict=True)):
            row = training(trained, index) | steepness(network, p.x, 1.0)
            row["test_error"] = float((~(p.labels_test * network(p.x_test)[0] > 0)).double().mean())
            tables.append(pd.DataFrame([row]))
        return tables
