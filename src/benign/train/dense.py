"""Full-batch gradient descent in R^p, plain and obvious: the reference that the fast engine is held against."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from benign.networks.two_layer import TwoLayer
from benign.train.history import Observable, Recorder, Trained
from benign.train.losses import LOGISTIC, Loss
from benign.train.neurons import TwoLayerSnapshot
from benign.train.problem import Stop, check_labels, check_shapes, check_steps, never, one_a_run, pool, spread


@dataclass(frozen=True)
class DenseSnapshot(TwoLayerSnapshot):
    """A state that holds the weights themselves."""

    network: TwoLayer
    initial: TwoLayer

    def squared_norms(self) -> Tensor:
        return self.network.weights.square().sum(-1)

    def squared_moves(self) -> Tensor:
        return (self.network.weights - self.initial.weights).square().sum(-1)

    def spectral_norms(self) -> Tensor:
        return torch.linalg.matrix_norm(self.network.weights, 2)


def train(
    network: TwoLayer,
    x: Float[Tensor, "runs points d"],
    labels: Float[Tensor, "runs n"],
    *,
    step_size: Float[Tensor, "*runs"] | float | int,
    steps: int,
    patches: int = 1,
    loss: Loss = LOGISTIC,
    stop: Stop = never,
    observe: Mapping[str, Observable] = {},
    record: Sequence[int] = (),
) -> Trained:
    """Gradient descent W <- W - step_size grad L(W) on the empirical risk, for a batch of runs.

    The gradient is Xu & Gu (2023), eq. (23). A run ends after ``steps`` steps, or as soon as ``stop`` says so. Where a
    sample has several ``patches`` (consecutive rows of ``x``), the network is x_i -> sum_k f(x_ik), a convolution.
    ``observe`` names functions of a ``TwoLayerSnapshot``, evaluated at the steps ``record``.

    Raises:
        InputError: shapes that do not fit together, labels other than -1 and +1, a step size that is not positive,
            a negative number of steps, a record outside 0..steps.
    """
    check_shapes(network, x, labels, patches)
    check_labels(labels, loss)
    check_steps(steps)
    runs, n = labels.shape
    sizes = one_a_run("step_size", step_size, runs).to(labels)
    recorder = Recorder(observe, record, runs, steps)
    final, taken = network.weights.clone(), torch.zeros(runs, dtype=torch.long, device=x.device)
    active = torch.arange(runs, device=x.device)
    weights = network.weights.clone()
    for step in range(steps + 1):
        initial, y, inputs = network.select(active), labels[active], x[active]
        now = TwoLayer(weights, initial.signs, initial.activation)
        hidden = weights @ inputs.transpose(1, 2)  # (runs, m, n)
        outputs = pool(now(inputs), patches)
        margins = y * outputs
        losses, g = loss.value(margins), loss.negative_derivative(margins)
        stopping = stop(margins, losses) | (step == steps)
        start = initial.weights @ inputs.transpose(1, 2)
        recorder(DenseSnapshot(step, active, outputs, y, loss, hidden, start, now.signs, now, initial), stopping)
        final[active[stopping]] = weights[stopping]
        taken[active[stopping]] = step
        if stopping.all():
            break
        push = now.signs.unsqueeze(2) * now.activation.derivative(hidden) * spread(y * g, patches).unsqueeze(1)
        descent = push @ inputs / (n * math.sqrt(now.signs.shape[1]))  # minus the gradient
        weights = (weights + sizes[active].view(-1, 1, 1) * descent)[~stopping]
        active = active[~stopping]
    return recorder.trained(lambda: TwoLayer(final, network.signs, network.activation), taken)
