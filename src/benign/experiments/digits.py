"""Gradient descent on pairs of digits with polluted labels, beside classifiers that everybody knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from benign import seeds
from benign.data import images
from benign.experiments.samples import DigitPair
from benign.experiments.setting import ACTIVATION, AMOUNT, POSITIVE, at_least
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

    # What the images allow is known when they have been read.
    allows = dict(activation=ACTIVATION, width=at_least(1), step=POSITIVE, init_scale=AMOUNT, steps=at_least(0))
    batched_by: ClassVar[tuple[str, ...]] = ("images", "n", "activation", "width", "steps")

    @staticmethod
    def run(batch: Sequence["PollutedDigits"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, of one row a test image, in the order of the image set: who is wrong about it.

        All runs on two classes are tested on the same images. ``network`` and the names of its rivals are truth values;
        what holds for the training as a whole is in every row.
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
            step_size=torch.tensor(sizes, dtype=torch.float64, device=device),
            steps=first.steps,
            stop=problem.interpolates,
            observe={"loss": history.loss, "training_error": history.training_error},
        )
        finished = trained.network.to("cpu")
        tables = []
        for index, p in enumerate(problems):
            outputs = finished.alone(index)(p.x_test)[0]
            row = {
                "image": range(len(p.labels_test)),
                "steps_taken": int(trained.steps[index]),
                "loss": float(trained.final["loss"][index]),
                "training_error": float(trained.final["training_error"][index]),
                "test_images": len(p.labels_test),
                "network": (~(p.labels_test * outputs > 0)).numpy(),
            }
            tables.append(pd.DataFrame(row | _rivals(p)))
        return tables


def _rivals(p: images.Problem) -> dict[str, object]:
    """Which test images the linear max-margin classifier and nearest neighbours miss, and their training errors."""
    rivals = {
        # C = 1e6: hard margin in all but name; the training error tells whether the data were separable
        # The random state changes nothing here; without it, fitting draws from NumPy's global generator.
        "max_margin": SVC(kernel="linear", C=1e6, random_state=0),
        "nearest_1": KNeighborsClassifier(1),
        "nearest_15": KNeighborsClassifier(15),
    }
    scores = {}
    for name, rival in rivals.items():
        rival.fit(p.x.numpy(), p.labels.numpy())
        scores[name] = rival.predict(p.x_test.numpy()) != p.labels_test.numpy()
        scores[f"{name}_training_error"] = 1 - rival.score(p.x.numpy(), p.labels.numpy())
    return scores


def _top_eigenvalue(x: torch.Tensor) -> float:
    """The largest eigenvalue of X X^T."""
    return float(torch.linalg.eigvalsh(x @ x.mT)[-1])
