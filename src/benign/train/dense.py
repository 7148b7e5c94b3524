"""Full-batch gradient descent in R^p, plain and obvious: the reference that the fast engine is held against."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.networks.activations import Activation
from benign.networks.two_layer import TwoLayer
from benign.train.history import Observable, Recorder, Snapshot, Trained
from benign.train.losses import LOGISTIC, Loss
from benign.train.problem import Stop, check, never


@dataclass(frozen=True)
class DenseSnapshot(Snapshot):
    """A state that holds the weights themselves."""

    weights: Tensor
    initial: Tensor
    signs: Tensor
    activation: Activation

    @property
    def network(self) -> TwoLayer:
        return TwoLayer(self.weights, self.signs, self.activation)

    def squared_norms(self) -> Tensor:
        return self.weights.square().sum(-1)

    def squared_moves(self) -> Tensor:
        return (self.weights - self.initial).square().sum(-1)


def train(
    network: TwoLayer,
    x: Float64[Tensor, "runs n d"],
    labels: Float64[Tensor, "runs n"],
    *,
    step_size: Float64[Tensor, "*runs"] | float | int,
    steps: int,
    loss: Loss = LOGISTIC,
    stop: Stop = never,
    observe: Mapping[str, Observable] = {},
    record: Sequence[int] = (),
) -> Trained:
    """Gradient descent W <- W - step_size grad L(W) on the empirical risk, for a batch of runs.

    The gradient is Xu & Gu (2023), eq. (23). A run ends after ``steps`` steps, or as soon as
    ``stop`` says so. ``observe`` names functions of a ``Snapshot``, evaluated at the steps ``record``.

    Raises:
        InputError: a batch that does not make sense (``problem.check``), a record outside 0..steps.
    """
    runs, n, _ = x.shape
    step_size = check(network, x, labels, step_size, steps)
    recorder = Recorder(observe, record, runs, steps)
    initial, signs, activation = network.weights, network.signs, network.activation
    final, taken = initial.clone(), torch.zeros(runs, dtype=torch.long, device=x.device)
    active = torch.arange(runs, device=x.device)
    weights = initial.clone()
    for step in range(steps + 1):
        a, y, inputs = signs[active], labels[active], x[active]
        hidden = weights @ inputs.transpose(1, 2)  # (runs, m, n)
        outputs = (a.unsqueeze(1) @ activation(hidden)).squeeze(1) / math.sqrt(a.shape[1])
        margins = y * outputs
        losses = loss.value(margins)
        stopping = stop(margins, losses) | (step == steps)
        recorder(DenseSnapshot(step, active, outputs, y, losses, weights, initial[active], a, activation), stopping)
        final[active[stopping]] = weights[stopping]
        taken[active[stopping]] = step
        if stopping.all():
            break
        g = loss.negative_derivative(margins)
        push = a.unsqueeze(2) * activation.derivative(hidden) * (y * g).unsqueeze(1)
        descent = push @ inputs / (n * math.sqrt(a.shape[1]))  # minus the gradient
        weights = (weights + step_size[active].view(-1, 1, 1) * descent)[~stopping]
        active = active[~stopping]
    return recorder.trained(TwoLayer(final, signs, activation), taken)
