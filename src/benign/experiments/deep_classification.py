"""Deep ReLU networks that fit polluted labels by SGD, all layers trained, and how lazy they were.

The gradient in W_1 lies in the span of the n training inputs. So training takes place in n coordinates, those of an
orthonormal basis Q of this span, whatever the dimension d: W_1 Q is trained on the inputs X Q, and W_1 moves by as much
as W_1 Q does, times Q^T. This is the same trajectory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor

from benign.errors import InputError
from benign.experiments.separated import Separated
from benign.networks import activations
from benign.networks.deep import Deep, initialise
from benign.ntk import empirical
from benign.train import deep, history, lazy
from benign.train.history import Trained
from benign.train.problem import loss_at_most


@dataclass(frozen=True)
class DeepClassification(Separated):
    """A ReLU network with ``depth`` layers of weights and hidden layers of one ``width``, trained until it fits."""

    width: int = 128

    batched_by: ClassVar[tuple[str, ...]] = (*Separated.batched_by, "width")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 1:
            raise InputError(f"width is {self.width}: a hidden layer has at least one neuron")

    @staticmethod
    def run(batch: Sequence["DeepClassification"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run."""
        samples = [run.sample() for run in batch]
        trained, finished, start = fit(batch, [x for x, _, _ in samples], [y for _, y, _ in samples], device)
        tables = []
        for index, (run, (x, labels, clean)) in enumerate(zip(batch, samples, strict=True)):
            x_test, y_test = run.fresh()
            row = training(trained, index, labels != clean) | testing(finished[index], x_test, y_test)
            row["initial_error"] = wrong(start[index](x_test)[0], y_test)
            row |= laziness(finished[index], start[index], x, x_test)
            tables.append(pd.DataFrame([row]))
        return tables


def fit(
    batch: Sequence[DeepClassification], xs: Sequence[Tensor], labels: Sequence[Tensor], device: str = "cpu"
) -> tuple[Trained, list[Deep], list[Deep]]:
    """What training recorded, and the networks after and before it, each a batch of one."""
    first = batch[0]
    widths = (xs[0].shape[1], *[first.width] * (first.depth - 1), 1)
    scales = torch.tensor([run.weight_scale for run in batch], dtype=torch.float64)
    start = initialise(widths, [run.seed for run in batch], activations.relu(), scale=scales)
    bases = [torch.linalg.qr(x.mT.contiguous()).Q for x in xs]
    visible = torch.stack([w @ basis for w, basis in zip(start.weights[0], bases, strict=True)])
    trained = deep.train(
        Deep((visible, *start.weights[1:]), start.activation).to(device),
        torch.stack([x @ basis for x, basis in zip(xs, bases, strict=True)]).to(device),
        torch.stack(list(labels)).to(device),
        step_size=torch.tensor([run.step_size for run in batch], dtype=torch.float64),
        steps=first.epochs * -(-first.n // first.batch_points),
        batch_size=first.batch_points,
        seeds=[run.seed for run in batch],
        stop=loss_at_most(first.level),
        observe={"loss": history.loss, "margins": history.margins},
    )
    after, before = trained.network.to("cpu"), [start.alone(index) for index in range(len(batch))]
    finished = []
    for index, (network, basis) in enumerate(zip(before, bases, strict=True)):
        moved = network.weights[0] + (after.weights[0][index] - visible[index]) @ basis.mT
        finished.append(Deep((moved, *[w[[index]] for w in after.weights[1:]]), network.activation))
    return trained, finished, before


def training(trained: Trained, index: int, flipped: Tensor) -> dict[str, float]:
    """How well one run fits its sample, wrong labels apart; NaN where none is wrong."""
    missed = ~(trained.final["margins"][index].cpu() > 0)
    return {
        "steps_taken": int(trained.steps[index]),
        "loss": float(trained.final["loss"][index]),
        "training_error": float(missed.double().mean()),
        "training_error_flipped": float(missed[flipped].double().mean()),
    }


def testing(network: Deep, x: Tensor, y: Tensor) -> dict[str, float]:
    """The test error on clean labels, and the means and the spread of the margins y f(x)."""
    margins = y * network(x)[0]
    return {
        "test_error": wrong(margins, torch.ones_like(y)),
        "test_margin": float(margins.mean()),
        "test_spread": float(margins.std()),
    }


def laziness(network: Deep, start: Deep, x: Tensor, x_test: Tensor) -> dict[str, float]:
    """How far training went from the start, in weights, kernel, active neurons and outputs at fresh points.

    ``distance`` and ``kernel_change`` are relative Frobenius norms, over all layers and on the training inputs;
    ``flipped`` is the share of pairs (neuron, training input) that switched, over all hidden layers, ``flipped_test``
    that at test inputs. The output is compared with that of the tangent model at the trained weights: ``output_difference`` is
    relative to what training changed, ``disagreement`` the share of test inputs with another sign.
    """
    moves = sum((w - w0).square().sum() for w, w0 in zip(network.weights, start.weights, strict=True))
    length = sum(w0.square().sum() for w0 in start.weights)
    now, then = empirical.kernel(network, x)[0], empirical.kernel(start, x)[0]
    outputs, linear = network(x_test)[0], lazy.linearised(network, start, x_test)[0]
    return {
        "distance": float((moves / length).sqrt()),
        "kernel_change": float((now - then).norm() / then.norm()),
        "flipped": float(lazy.flipped(network, start, x).mean()),
        "flipped_test": float(lazy.flipped(network, start, x_test).mean()),
        "output_difference": float((outputs - linear).norm() / (outputs - start(x_test)[0]).norm()),
        "disagreement": float(((outputs > 0) != (linear > 0)).double().mean()),
    }


def wrong(outputs: Tensor, labels: Tensor) -> float:
    """The share of points that are not on the right side."""
    return float((~(labels * outputs > 0)).double().mean())
