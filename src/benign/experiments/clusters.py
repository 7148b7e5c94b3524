"""Gradient descent on polluted Gaussian clusters, with the test error that it leads to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor

from benign.data import mixtures
from benign.errors import InputError
from benign.measure import errors
from benign.measure.margins import normalised_margin
from benign.networks import activations
from benign.networks.two_layer import TwoLayer, output_signs
from benign.theory import xu2023
from benign.train import history, span
from benign.train.history import Snapshot


@dataclass(frozen=True)
class PollutedClusters:
    """A two-layer network trained on n points of the mixture y* mu + N(0, I_p), a share of whose labels is wrong.

    ``signal_index`` is n ||mu||^4 / p. ``step`` is the step size in units of n/p and ``init_scale`` the
    standard deviation of the initial weights in units of step size / sqrt(m p), both as in Xu & Gu (2023).
    Everything is measured after the steps ``records`` and, last, after ``steps`` steps.
    """

    n: int
    p: int
    signal_index: float
    label_noise: float
    seed: int
    activation: str = "relu"
    width: int = 128
    step: float = 0.2
    init_scale: float = 1.0
    steps: int = 300
    records: tuple[int, ...] = ()
    test_points: int = 10_000

    batched_by: ClassVar[tuple[str, ...]] = ("n", "p", "activation", "width", "steps", "records")

    def __post_init__(self) -> None:
        # All that can be said before a sweep starts: not after hours, at the one wrong setting.
        mixtures.check(self.n, self.p, self.label_noise)
        activations.named(self.activation)
        for name, least in {"signal_index": 0, "init_scale": 0, "width": 1, "steps": 0, "test_points": 1}.items():
            if not least <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a finite number, at least {least}")
        if not 0 < self.step < math.inf:
            raise InputError(f"step is {self.step}: it must be a positive number")
        if not isinstance(self.records, tuple) or any(not 0 <= record <= self.steps for record in self.records):
            raise InputError(f"records is {self.records}: it must be a tuple of steps from 0 to {self.steps}, the last")

    @property
    def signal(self) -> float:
        """||mu||."""
        return xu2023.signal_of_index(self.n, self.p, self.signal_index)

    @staticmethod
    def run(batch: Sequence["PollutedClusters"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, one row a record: losses and errors in training, errors and margins in testing."""
        first = batch[0]
        samples = [
            mixtures.sample(run.n, run.p, run.signal, run.label_noise, run.seed, directions=run.width) for run in batch
        ]
        sizes = [xu2023.step_size(run.n, run.p, run.step) for run in batch]
        scales = [run.init_scale * xu2023.initial_scale(run.n, run.p, run.width, run.step) for run in batch]
        network = TwoLayer(
            torch.stack([scale * sample.directions for scale, sample in zip(scales, samples, strict=True)]),
            torch.stack([output_signs(run.width, run.seed) for run in batch]),
            activations.named(first.activation),
        ).to(device)
        flipped = torch.stack([sample.flipped for sample in samples]).to(device)
        trained = span.train(
            network,
            torch.stack([sample.x for sample in samples]).to(device),
            torch.stack([sample.labels for sample in samples]).to(device),
            step_size=torch.tensor(sizes, dtype=torch.float64, device=device),
            steps=first.steps,
            observe={
                "loss": history.loss,
                "training_error": history.training_error,
                "training_error_clean": lambda s: _share(~(history.margins(s) > 0), ~flipped[s.runs]),
                "training_error_flipped": lambda s: _share(~(history.margins(s) > 0), flipped[s.runs]),
                "norm_21": history.norm_21,
                "testing": lambda s: _testing(s, batch),
            },
            record=(*first.records, first.steps),
        )
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


def _share(wrong: Tensor, among: Tensor) -> Tensor:
    """The share of wrong samples among the marked ones, NaN where none is marked; shape (runs,)."""
    return (wrong & among).sum(-1).double() / among.sum(-1)


def _testing(snapshot: Snapshot, batch: Sequence[PollutedClusters]) -> Tensor:
    """The number of wrong test points and the normalised margin, shape (runs, 2)."""
    networks = snapshot.network.to("cpu")
    rows = []
    for index, which in enumerate(snapshot.runs.tolist()):
        run, alone = batch[which], networks.alone(index)
        margins = errors.fresh_margins(alone, run.signal, run.seed, run.test_points)
        normalised = normalised_margin(alone, float(margins.mean()))
        rows.append([float((~(margins > 0)).sum()), float(normalised)])
    return torch.tensor(rows, dtype=torch.float64, device=snapshot.outputs.device)
