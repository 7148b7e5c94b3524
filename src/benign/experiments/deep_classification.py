"""Deep ReLU networks that fit polluted labels by SGD, and how lazy they were.

Training is lazy if the trained network says what its tangent model at the start says at the same weights. This is
measured at fresh inputs, beside what makes it so: short ways in weight space, a kernel that stays, neurons that do not
switch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
from torch import Tensor

from benign.experiments.deep_training import LazyTraining, fit_lazily, missed, training
from benign.experiments.infinite_width import descend
from benign.experiments.samples import DigitPair, Separated
from benign.experiments.setting import at_least
from benign.networks.deep import Deep
from benign.ntk import empirical
from benign.train import lazy


@dataclass(frozen=True, kw_only=True)
class DeepClassification(Separated, LazyTraining):
    """A ReLU network with ``depth`` layers of weights and hidden layers of one ``width``, trained until it fits.

    How lazy it was takes nearly half of the time; it can be left out.
    """

    width: int = 128
    measure_laziness: bool = True

    allows = dict(width=at_least(1))
    batched_by: ClassVar[tuple[str, ...]] = (
        *LazyTraining.batched_by, "d", "test_points", "width", "measure_laziness",
    )  # fmt: skip

    @staticmethod
    def run(batch: Sequence["DeepClassification"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run."""
        xs, labels, clean = zip(*[run.sample() for run in batch], strict=True)
        trained, finished, start = fit_lazily(batch, xs, labels, device)
        tables = []
        for index, run in enumerate(batch):
            x_test, y_test = run.fresh()
            row, margins = training(trained, index)
            row["training_error_flipped"] = missed(margins[labels[index] != clean[index]])
            before, now = (network(x_test)[0] for network in (start[index], finished[index]))
            row["initial_error"] = missed(y_test * before)
            row["test_error"] = missed(y_test * run.outputs(now, before))
            if run.measure_laziness:
                row |= laziness(
                    run, finished[index], start[index], xs[index], labels[index], x_test, y_test, now, before
                )
            tables.append(pd.DataFrame([row]))
        return tables


@dataclass(frozen=True, kw_only=True)
class DeepDigits(DigitPair, LazyTraining):
    """The same for unit-length images of two classes; sample and flips are those of ``Separation``."""

    width: int = 128

    allows = dict(width=at_least(1))
    batched_by: ClassVar[tuple[str, ...]] = (*LazyTraining.batched_by, "width", "images")

    @staticmethod
    def run(batch: Sequence["DeepDigits"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run; the test error is that on clean labels."""
        problems = DigitPair.problems(batch)
        trained, finished, start = fit_lazily(batch, [p.x for p in problems], [p.labels for p in problems], device)
        tables = []
        for index, (run, p) in enumerate(zip(batch, problems, strict=True)):
            row, margins = training(trained, index)
            row["training_error_flipped"] = missed(margins[p.labels != p.clean])
            before, now = (network(p.x_test)[0] for network in (start[index], finished[index]))
            row["test_error"] = missed(p.labels_test * run.outputs(now, before))
            row |= laziness(run, finished[index], start[index], p.x, p.labels, p.x_test, p.labels_test, now, before)
            tables.append(pd.DataFrame([row]))
        return tables


def laziness(
    run: LazyTraining, network: Deep, start: Deep, x: Tensor, labels: Tensor, x_test: Tensor, y_test: Tensor,
    said: Tensor, said_before: Tensor,
) -> dict[str, float]:  # fmt: skip
    """How far training went from the start, for one network: in weights, kernel, active neurons and outputs.

    ``distance`` and ``kernel_change`` are relative Frobenius norms, the first over all layers, the second of the kernel
    matrix of the training inputs; ``flipped`` is the share of the pairs (hidden neuron, training input) that switched,
    ``flipped_test`` that at test inputs. ``output_difference`` is the distance of the outputs at test inputs from those
    of the tangent model at the same weights, relative to what training changed there, and ``disagreement`` the share of
    other signs. ``tangent_test_error`` is the error of the tangent model when it is trained itself, by the same SGD.
    """
    moves = sum((w - w0).square().sum() for w, w0 in zip(network.weights, start.weights, strict=True))
    length = sum(w0.square().sum() for w0 in start.weights)
    now, then = empirical.kernel(network, x)[0], empirical.kernel(start, x)[0]
    outputs, before = run.outputs(said, said_before), run.outputs(said_before, said_before)
    linear = before + (lazy.linearised(network, start, x_test)[0] - said_before)
    on_sample = start(x)[0]
    coefficients, _ = descend(run, then, run.outputs(on_sample, on_sample), labels)
    trained = before + empirical.kernel(start, x_test, x)[0] @ coefficients
    return {
        "distance": float((moves / length).sqrt()),
        "kernel_change": float((now - then).norm() / then.norm()),
        "flipped": float(lazy.flipped(network, start, x).mean()),
        "flipped_test": float(lazy.flipped(network, start, x_test).mean()),
        "output_difference": float((outputs - linear).norm() / (outputs - before).norm()),
        "disagreement": float(((outputs > 0) != (linear > 0)).double().mean()),
        "tangent_test_error": missed(y_test * trained),
    }
