"""Deep ReLU networks of finite width that fit polluted labels of two digits: the check on the infinitely wide ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from benign.data import images
from benign.experiments.deep_classification import laziness
from benign.experiments.lazy_training import LazyTraining, check_width, fit, training, wrong


@dataclass(frozen=True, kw_only=True)
class DeepDigits(LazyTraining):
    """A ReLU network trained on n unit-length images of two classes; sample and flips are those of ``Separation``."""

    negative: int
    positive: int
    width: int = 128
    images: str = "mnist-sample"

    batched_by: ClassVar[tuple[str, ...]] = (*LazyTraining.batched_by, "width", "images")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_width(self.width)

    @staticmethod
    def run(batch: Sequence["DeepDigits"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run; the test error is that on clean labels."""
        source = images.load(batch[0].images)
        problems = [
            images.problem(source, (run.negative, run.positive), run.n, label_noise=run.label_noise, seed=run.seed)
            for run in batch
        ]
        xs, labels = [p.x for p in problems], [p.labels for p in problems]
        trained, finished, start = fit(batch, batch[0].width, xs, labels, device)
        tables = []
        for index, p in enumerate(problems):
            row = training(trained, index, p.labels != p.clean)
            row["test_error"] = wrong(finished[index](p.x_test)[0], p.labels_test)
            row |= laziness(finished[index], start[index], p.x, p.x_test)
            tables.append(pd.DataFrame([row]))
        return tables
