"""Networks on several clusters with a test error that is estimated, however small it is, and not only counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
from annotated_types import Ge, MultipleOf

from benign.data.clusters import Sample
from benign.experiments.polluted import tables_at_records
from benign.experiments.setting import one_of
from benign.experiments.several_means import SeveralMeans
from benign.measure import tails
from benign.networks.two_layer import TwoLayer


@dataclass(frozen=True)
class ClusterTails(SeveralMeans):
    """One row a record: the clean test error by importance sampling and by counting.

    ``tail_points`` are those of ``measure.tails.cluster_tail_error`` in each cluster, ``test_points`` plain ones.
    """

    tail_points: int = 1_000

    allows = dict(
        noise=one_of("gaussian", "orthogonal"), stop=one_of("never"), tail_points=Annotated[int, Ge(10), MultipleOf(10)]
    )

    @staticmethod
    def run(batch: Sequence["ClusterTails"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, one row a record."""
        return tables_at_records(batch, _look, device)


def _look(run: ClusterTails, sample: Sample, network: TwoLayer) -> dict[str, list[object]]:
    margins = sample.labels * network(sample.x)[0]
    row = {"training_error": float((~(margins > 0)).double().mean()), "test_error": run.test_error(sample, network)}
    row |= tails.cluster_tail_error(network, sample.law, run.seed, run.tail_points * len(run.classes)).row()
    return {name: [value] for name, value in row.items()}
