"""Gradient descent on pairs of digits with polluted labels, beside classifiers that everybody knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from jaxtyping import Bool
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import Tensor

from benign import seeds
from benign.data import images
from benign.experiments import outcomes
from benign.experiments.samples import DigitPair
from benign.experiments.setting import ACTIVATION, POSITIVE, at_least
from benign.networks import activations
from benign.networks.two_layer import TwoLayer, output_signs
from benign.train import history, problem, span


@dataclass(frozen=True, kw_only=True)
class PollutedDigits(DigitPair):
    """A two-layer network trained on n images of two classes, a share of whose labels is wrong, until it fits them all.

    ``negative`` and ``positive`` are the classes. ``init_scale`` is the standard deviation of the initial
    weights in units of d^(-1/2). ``step`` is the step size in units of n / lambda_max(X X^T): while no ReLU switches,
    the risk's curvature is at most lambda_max / (4 n), so that a step below 8 descends. Training ends with the first
    step at which every label is fitted, or after ``steps``. Test labels are clean.
    """

    n: int
    label_noise: float
    seed: int
    scaling: str = "standardised"
    activation: str = "relu"
    width: int = 128
    step: float = 4.0
    init_scale: float = 1.0
    steps: int = 10_000

    # What the images allow is known when they have been read. The last of the rivals asks 15 neighbours.
    allows = dict(
        n=at_least(15), activation=ACTIVATION, width=at_least(1), step=POSITIVE, init_scale=POSITIVE, steps=at_least(0),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = ("images", "n", "activation", "width", "steps")

    @staticmethod
    def run(batch: Sequence["PollutedDigits"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, of one row a classifier: the network and its rivals, their errors and ``outcomes``.

        The outcome of a test image is 1 for who is wrong about it. What tells of the network's training is in every
        row.
        """
        first = batch[0]
        problems = DigitPair.problems(batch)
        x = torch.stack([p.x for p in problems])
        sizes = [run.step * run.n / _top_eigenvalue(p.x) for run, p in zip(batch, problems, strict=True)]
        directions = [
            torch.from_numpy(seeds.generator(run.seed, "initial weights").standard_normal((run.width, x.shape[-1])))
            for run in batch
        ]
        network = TwoLayer(
            torch.stack([run.init_scale * x.shape[-1] ** -0.5 * w for run, w in zip(batch, directions, strict=True)]),
            torch.stack([output_signs(run.width, run.seed) for run in batch]),
            activations.named(first.activation),
        )
        trained = span.train(
            network.to(device),
            x.to(device),
            torch.stack([p.labels for p in problems]).to(device),
            step_size=torch.tensor(sizes, dtype=torch.float64),
            steps=first.steps,
            stop=problem.interpolates,
            observe={"loss": history.loss, "training_error": history.training_error},
        )
        finished = trained.network.to("cpu")
        tables = []
        for index, p in enumerate(problems):
            missed = ~(p.labels_test * finished.alone(index)(p.x_test)[0] > 0)
            training_error = float(trained.final["training_error"][index])
            rows = [_row("network", p, missed, training_error), *_rivals(p)]
            training = dict(steps_taken=int(trained.steps[index]), loss=float(trained.final["loss"][index]))
            tables.append(pd.DataFrame(rows).assign(**training))
        return tables


def _row(classifier: str, p: images.Problem, missed: Bool[Tensor, " images"], training_error: float) -> dict:
    errors = dict(training_error=training_error, test_error=float(missed.double().mean()))
    return dict(classifier=classifier) | errors | outcomes.written(missed.long(), p.labels_test)


def _rivals(p: images.Problem) -> list[dict]:
    """The rows of the linear max-margin classifier and of nearest neighbours."""
    rivals = {
        # C = 1e6: hard margin in all but name; the training error tells whether the data were separable
        # The random state changes nothing here; without it, fitting draws from NumPy's global generator.
        "max_margin": SVC(kernel="linear", C=1e6, random_state=0),
        "nearest_1": KNeighborsClassifier(1),
        "nearest_15": KNeighborsClassifier(15),
    }
    rows = []
    for name, rival in rivals.items():
        rival.fit(p.x.numpy(), p.labels.numpy())
        missed = torch.from_numpy(rival.predict(p.x_test.numpy())) != p.labels_test
        rows.append(_row(name, p, missed, 1 - rival.score(p.x.numpy(), p.labels.numpy())))
    return rows


def _top_eigenvalue(x: torch.Tensor) -> float:
    """The largest eigenvalue of X X^T."""
    return float(torch.linalg.eigvalsh(x @ x.mT)[-1])
