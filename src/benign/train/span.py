"""The same gradient descent in the span of the data: exact, and at a cost that does not depend on the dimension.

With frozen output weights every iterate is W_t = W_0 + C_t X. Only the Gram matrix G = X X^T and the initial
pre-activations A_0 = W_0 X^T enter a step, which costs O(m n^2):

    C_{t+1} = C_t + (step_size / n) m^(-1/2) (a * sigma'(A_t)) diag(g y),    A_{t+1} = A_0 + C_{t+1} G.

``train.dense`` is the slow twin.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.networks.two_layer import TwoLayer, read_out
from benign.train.history import Observable, Recorder, Snapshot, Trained
from benign.train.losses import LOGISTIC, Loss
from benign.train.problem import Stop, check, never


@dataclass(frozen=True)
class SpanSnapshot(Snapshot):
    """A state in Gram coordinates; the weights are formed only when the network is asked for."""

    coefficients: Tensor  #: C_t, shape (runs, m, n)
    preactivations: Tensor  #: A_t = W_t X^T
    initial_preactivations: Tensor  #: A_0
    x: Tensor
    initial: Tensor
    signs: Tensor
    activation: object

    @property
    def network(self) -> TwoLayer:
        return TwoLayer(torch.baddbmm(self.initial, self.coefficients, self.x), self.signs, self.activation)

    def squared_norms(self) -> Tensor:
        cross = (self.coefficients * self.initial_preactivations).sum(-1)  # <w_j - w_j(0), w_j(0)>
        return (self.initial.square().sum(-1) + 2 * cross + self.squared_moves()).clamp_(min=0)

    def squared_moves(self) -> Tensor:
        moved = self.preactivations - self.initial_preactivations  # C_t G
        return (self.coefficients * moved).sum(-1).clamp_(min=0)


def train(
    network: TwoLayer,
    x: Float64[Tensor, "runs n d"],
    labels: Float64[Tensor, "runs n"],
    *,
    step_size: Float64[Tensor, " runs"] | float,
    steps: int,
    loss: Loss = LOGISTIC,
    stop: Stop = never,
    observe: Mapping[str, Observable] = {},
    record: Sequence[int] = (),
) -> Trained:
    """Gradient descent on the empirical risk for a batch of runs: the trajectory of ``train.dense``, to rounding.

    A run ends after ``steps`` steps, or as soon as ``stop`` says so; finished runs leave the batch and cost
    nothing. ``observe`` names functions of a ``Snapshot``, evaluated at the steps ``record``.
    """
    runs, n, _ = x.shape
    step_size = check(network, labels, n, runs, step_size, steps)
    recorder = Recorder(observe, record, runs)
    initial, signs, activation = network.weights, network.signs, network.activation
    rate = step_size / (n * math.sqrt(signs.shape[1]))

    start = initial @ x.transpose(1, 2)  # A_0
    gram = x @ x.transpose(1, 2)
    final, taken = torch.zeros_like(start), torch.zeros(runs, dtype=torch.long, device=x.device)
    active = torch.arange(runs, device=x.device)
    state = _Active(torch.zeros_like(start), start, start, gram, signs, labels, rate)
    for step in range(steps + 1):
        outputs = read_out(state.signs, activation(state.now))
        margins = state.labels * outputs
        losses = loss.value(margins)
        stopping = stop(margins, losses) | (step == steps)
        if stopping.any() or step in recorder.steps:
            recorder(
                SpanSnapshot(
                    step, active, outputs, state.labels, losses, state.coefficients, state.now, state.start,
                    x[active], initial[active], state.signs, activation,
                ),
                stopping,
            )  # fmt: skip
            final[active[stopping]] = state.coefficients[stopping]
            taken[active[stopping]] = step
            if stopping.all():
                break
        push = activation.derivative(state.now)
        push *= (state.rate.unsqueeze(1) * state.signs).unsqueeze(2)
        push *= (loss.negative_derivative(margins) * state.labels).unsqueeze(1)
        state.coefficients.add_(push)
        if stopping.any():
            state, active = state.select(~stopping), active[~stopping]
        state.now = torch.baddbmm(state.start, state.coefficients, state.gram)
    weights = torch.baddbmm(initial, final, x)
    return recorder.trained(TwoLayer(weights, signs, activation), taken)


@dataclass
class _Active:
    """The runs that still train."""

    coefficients: Tensor
    now: Tensor
    start: Tensor
    gram: Tensor
    signs: Tensor
    labels: Tensor
    rate: Tensor

    def select(self, rows: Tensor) -> "_Active":
        return _Active(*(tensor[rows] for tensor in vars(self).values()))
