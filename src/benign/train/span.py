"""The same gradient descent in the span of the data: exact, and at a cost that does not depend on the dimension.

With frozen output weights every iterate is W_t = W_0 + C_t X. Only the Gram matrix G = X X^T and the initial
pre-activations A_0 = W_0 X^T enter a step, which costs O(m n^2):

    C_{t+1} = C_t + (step_size / n) m^(-1/2) (a * sigma'(A_t)) diag(g y),    A_{t+1} = A_0 + C_{t+1} G.

``train.dense`` is the slow twin.

On a CPU a run's numbers are the same, bit for bit, alone and in any batch. The last bits of a matrix product depend on
the alignment of its factors, and those of an exponential on the place in the array (the end of it is not vectorised).
So n and d are filled up with zeros until every matrix of a batch begins at a multiple of 64 bytes and of 16 numbers,
as it does when it is alone. A point with the label 0 moves nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.networks.activations import Activation
from benign.networks.two_layer import TwoLayer, read_out
from benign.train.history import Observable, Recorder, Snapshot, Trained
from benign.train.losses import LOGISTIC, Loss
from benign.train.problem import Stop, check, never


@dataclass(frozen=True)
class SpanSnapshot(Snapshot):
    """A state in Gram coordinates; the weights are formed only when the network is asked for.

    Squared lengths are exact to the rounding of their terms: a length far below that of its terms, of a neuron whose
    coefficients cancel, has an absolute error up to about 1e-8 of theirs.
    """

    coefficients: Tensor  #: C_t, shape (runs, m, n)
    preactivations: Tensor  #: A_t = W_t X^T
    initial_preactivations: Tensor  #: A_0
    x: Tensor
    initial: Tensor
    signs: Tensor
    activation: Activation

    @property
    def network(self) -> TwoLayer:
        return TwoLayer(_weights(self.initial, self.coefficients, self.x), self.signs, self.activation)

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
    step_size: Float64[Tensor, "*runs"] | float | int,
    steps: int,
    loss: Loss = LOGISTIC,
    stop: Stop = never,
    observe: Mapping[str, Observable] = {},
    record: Sequence[int] = (),
) -> Trained:
    """Gradient descent on the empirical risk for a batch of runs: the trajectory of ``train.dense``, to rounding.

    A run ends after ``steps`` steps, or as soon as ``stop`` says so; finished runs leave the batch and cost
    nothing. ``observe`` names functions of a ``Snapshot``, evaluated at the steps ``record``.

    Raises:
        InputError: a batch that does not make sense (``problem.check``), a record outside 0..steps.
    """
    runs, n, _ = x.shape
    step_size = check(network, x, labels, step_size, steps)
    recorder = Recorder(observe, record, runs, steps)
    initial, signs, activation = network.weights, network.signs, network.activation
    rate = step_size / (n * math.sqrt(signs.shape[1]))

    filled = _filled(x, axes=2)
    start = _filled(initial) @ filled.transpose(1, 2)  # A_0
    gram = filled @ filled.transpose(1, 2)
    final, taken = torch.zeros_like(start), torch.zeros(runs, dtype=torch.long, device=x.device)
    active = torch.arange(runs, device=x.device)
    state = _Active(torch.zeros_like(start), start, start, gram, signs, labels, rate)
    for step in range(steps + 1):
        outputs = read_out(state.signs, activation(state.now))[:, :n].contiguous()
        margins = state.labels * outputs
        losses = loss.value(_filled(margins))[:, :n]
        stopping = stop(margins, losses) | (step == steps)
        if stopping.any() or step in recorder.steps:
            recorder(
                SpanSnapshot(
                    step, active, outputs, state.labels, losses,
                    state.coefficients[..., :n], state.now[..., :n], state.start[..., :n],
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
        g = loss.negative_derivative(_filled(margins))[:, :n]
        push *= _filled(g * state.labels).unsqueeze(1)
        state.coefficients.add_(push)
        if stopping.any():
            state, active = state.select(~stopping), active[~stopping]
        state.now = torch.baddbmm(state.start, state.coefficients, state.gram)
    return recorder.trained(TwoLayer(_weights(initial, final[..., :n], x), signs, activation), taken)


def _filled(tensor: Tensor, axes: int = 1) -> Tensor:
    """The tensor, its last axes filled up with zeros to multiples of 16."""
    lengths = reversed(tensor.shape[-axes:])
    return torch.nn.functional.pad(tensor, [size for length in lengths for size in (0, -length % 16)])


def _weights(initial: Tensor, coefficients: Tensor, x: Tensor) -> Tensor:
    """W_0 + C X."""
    return torch.baddbmm(_filled(initial), _filled(coefficients), _filled(x, axes=2))[..., : x.shape[-1]]


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
