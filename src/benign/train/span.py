"""The same gradient descent in the span of the data: exact, and at a cost that does not depend on the dimension.

With frozen output weights every iterate is W_t = W_0 + C_t X. Only the Gram matrix G = X X^T and the initial
pre-activations A_0 = W_0 X^T enter a step, which costs O(m n^2):

    C_{t+1} = C_t + (step_size / n) m^(-1/2) (a * sigma'(A_t)) diag(g y),    A_{t+1} = A_0 + C_{t+1} G.

Lengths follow too: W_t W_t^T = W_0 W_0^T + C_t A_0^T + A_t C_t^T. ``train.dense`` is the slow twin.

On a CPU a few runs at a time train to their end, as many as keep their matrices in a core's cache: beside a matrix
product that fits there, a pass over matrices that do not would cost as much as the product.

On a CPU with one thread a run's numbers are the same, bit for bit, alone and in any batch. The last bits of a matrix
product depend on the alignment of its factors, and those of an exponential on the place in the array, which is worked
through 32 float32 at a time but for its end. So n is filled up with zeros to a multiple of 4 and m to one of 8, and
vectors to a multiple of 32: then each run begins as it does when it is alone. A point with the label 0 moves nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from benign.data.grams import Grams
from benign.errors import InputError
from benign.networks.activations import Activation, PerRun
from benign.networks.alignment import filled
from benign.networks.spanned import Spanned
from benign.networks.two_layer import TwoLayer
from benign.train.history import Batch, Observable, Recorder, Trained
from benign.train.losses import LOGISTIC, Loss
from benign.train.neurons import TwoLayerSnapshot
from benign.train.problem import Stop, check_labels, check_shapes, check_steps, never, one_a_run

CACHED = 2**19  # bytes of A_t for each thread: with C_t, A_0 and sigma(A_t) that is about the second cache of a core
LOOK = 64  # steps between two looks at a GPU, which waits for the host while it looks


@dataclass(frozen=True)
class SpanSnapshot(TwoLayerSnapshot):
    """A state in Gram coordinates.

    Squared lengths are exact to the rounding of their terms: a length far below that of its terms, of a neuron whose
    coefficients cancel, has an absolute error up to about 1e-8 of theirs.
    """

    coefficients: Tensor  #: C_t, shape (runs, m, n)
    activation: Activation
    start: "Vectors | Products"

    @property
    def network(self) -> TwoLayer | Spanned:
        """The networks: functions of vectors, or of ``Points`` after training on Grams. Weights are formed only now."""
        return self.start.network(self.coefficients, self.signs, self.activation)

    def squared_norms(self) -> Tensor:
        cross = (self.coefficients * self.initial_preactivations).sum(-1)  # <w_j - w_j(0), w_j(0)>
        return (self.start.squared_norms() + 2 * cross + self.squared_moves()).clamp_(min=0)

    def squared_moves(self) -> Tensor:
        moved = self.preactivations - self.initial_preactivations  # C_t G
        return (self.coefficients * moved).sum(-1).clamp_(min=0)

    def spectral_norms(self) -> Tensor:
        tensors = self.coefficients, self.initial_preactivations, self.preactivations
        c, before, now = (filled(tensor, 8, 4) for tensor in tensors)
        gram = filled(self.start.gram(), 8, 8).baddbmm(c, before.mT).baddbmm_(now, c.mT)  # W_t W_t^T, and zeros
        return torch.linalg.eigvalsh(gram)[:, -1].clamp(min=0).sqrt()


@dataclass(frozen=True)
class Vectors:
    """Samples and initial weights known by their vectors, of the runs ``rows`` of a batch."""

    x: Float[Tensor, "_ n d"]
    weights: Float[Tensor, "_ m d"]
    rows: Tensor

    def select(self, rows: Tensor) -> "Vectors":
        return replace(self, rows=self.rows[rows])

    def matrices(self) -> tuple[Tensor, Tensor]:
        """A_0 and G, filled up."""
        x, w = filled(self.x[self.rows], 4, 16), filled(self.weights[self.rows], 8, 16)
        return w @ x.mT, x @ x.mT

    def network(self, coefficients: Tensor, signs: Tensor, activation: Activation) -> TwoLayer:
        c, x, w = filled(coefficients, 8, 16), filled(self.x[self.rows], 16, 16), filled(self.weights[self.rows], 8, 16)
        weights = torch.baddbmm(w, c, x)[:, : signs.shape[1], : self.x.shape[2]]
        return TwoLayer(weights, signs, activation)

    def squared_norms(self) -> Tensor:
        return self.weights[self.rows].square().sum(-1)

    def gram(self) -> Tensor:
        w = filled(self.weights[self.rows], 8, 16)
        return (w @ w.mT)[:, : self.weights.shape[1], : self.weights.shape[1]]


@dataclass(frozen=True)
class Products:
    """Samples and initial weights known by their inner products only."""

    grams: Grams
    rows: Tensor

    def select(self, rows: Tensor) -> "Products":
        return replace(self, rows=self.rows[rows])

    def matrices(self) -> tuple[Tensor, Tensor]:
        """A_0 and G, filled up."""
        return filled(self.grams.cross[self.rows], 8, 4), filled(self.grams.inputs[self.rows], 4, 4)

    def network(self, coefficients: Tensor, signs: Tensor, activation: Activation) -> Spanned:
        return Spanned(coefficients, signs, activation)

    def squared_norms(self) -> Tensor:
        return self.gram().diagonal(dim1=1, dim2=2)

    def gram(self) -> Tensor:
        return self.grams.weights[self.rows]


def train(
    network: TwoLayer,
    x: Float[Tensor, "runs n d"],
    labels: Float[Tensor, "runs n"],
    *,
    step_size: Float[Tensor, "*runs"] | float | int,
    steps: int,
    loss: Loss = LOGISTIC,
    stop: Stop = never,
    observe: Mapping[str, Observable] = {},
    record: Sequence[int] = (),
) -> Trained:
    """Gradient descent on the empirical risk for a batch of runs: the trajectory of ``train.dense``, to rounding.

    A run ends after ``steps`` steps, or as soon as ``stop`` says so; finished runs leave the batch and cost nothing.
    ``observe`` names functions of a ``SpanSnapshot``, evaluated at the steps ``record``, for some runs at a time.
    Everything is computed in the type of ``x``, float64 or float32.

    Raises:
        InputError: shapes that do not fit together, labels other than -1 and +1, a step size that is not positive,
            a negative number of steps, a record outside 0..steps.
    """
    check_shapes(network, x, labels)
    start = Vectors(x, network.weights, torch.arange(len(x), device=x.device))
    return _train(start, network.signs, network.activation, labels, step_size, steps, loss, stop, observe, record)


def train_on_grams(
    grams: Grams,
    signs: Float[Tensor, "runs m"],
    activation: Activation,
    labels: Float[Tensor, "runs n"],
    *,
    step_size: Float[Tensor, "*runs"] | float | int,
    steps: int,
    loss: Loss = LOGISTIC,
    stop: Stop = never,
    observe: Mapping[str, Observable] = {},
    record: Sequence[int] = (),
) -> Trained:
    """The same, where samples and initial weights are known by their inner products only.

    The networks that come out are ``Spanned``, functions of ``Points``. Other arguments and errors as in ``train``.
    """
    if labels.numel() == 0 or grams.cross.shape != (*signs.shape, labels.shape[1]):
        raise InputError(
            f"the batch does not fit together: cross (runs, m, n) is {tuple(grams.cross.shape)}, "
            f"signs (runs, m) {tuple(signs.shape)}, labels (runs, n) {tuple(labels.shape)}"
        )
    start = Products(grams, torch.arange(len(labels), device=labels.device))
    return _train(start, signs, activation, labels, step_size, steps, loss, stop, observe, record)


@dataclass
class _Group(Batch):
    """Some runs of one activation that train side by side, their tensors filled up."""

    coefficients: Tensor  # C_t
    now: Tensor  # A_t
    initial: Tensor  # A_0
    gram: Tensor
    signs: Tensor
    read_out: Tensor  # a^T / sqrt(m)
    labels: Tensor
    pull: Tensor  # y_i step_size / (n sqrt(m)), or 0 once the run is over
    running: Tensor
    taken: Tensor
    rows: Tensor
    start: Vectors | Products
    activation: Activation


def _train(
    start: Vectors | Products,
    signs: Tensor,
    activation: Activation,
    labels: Tensor,
    step_size: Tensor | float | int,
    steps: int,
    loss: Loss,
    stop: Stop,
    observe: Mapping[str, Observable],
    record: Sequence[int],
) -> Trained:
    check_labels(labels, loss)
    check_steps(steps)
    (runs, n), m = labels.shape, signs.shape[1]
    recorder = Recorder(observe, record, runs, steps)
    sizes = one_a_run("step_size", step_size, runs, labels.device)
    rates = sizes.to(labels.dtype) / (n * math.sqrt(m))
    final, taken = labels.new_zeros((runs, m, n)), torch.zeros_like(start.rows)
    for rows in _groups(activation, labels, m):
        source, targets = start.select(rows), filled(labels[rows], 32)
        initial, gram = source.matrices()
        a = filled(signs[rows], 8)
        group = _Group(
            torch.zeros_like(initial), initial.clone(), initial, gram, a, a.unsqueeze(1) / math.sqrt(m),
            targets, targets * rates[rows].unsqueeze(1), torch.ones_like(rows, dtype=torch.bool),
            torch.zeros_like(rows), rows, source, activation.select(rows),
        )  # fmt: skip
        _descend(group, m, n, steps, loss, stop, recorder, final, taken)
    return recorder.trained(lambda: start.network(final, signs, activation), taken)


def _descend(
    group: _Group, m: int, n: int, steps: int, loss: Loss, stop: Stop, recorder: Recorder, final: Tensor, taken: Tensor
) -> None:
    look = _looks(group)
    for step in range(steps + 1):
        outputs = torch.bmm(group.read_out, group.activation(group.now)).squeeze(1)
        margins = group.labels * filled(outputs, 32)
        if stop is not never:
            group.running &= ~stop(margins[:, :n], loss.value(margins)[:, :n])
            group.pull *= group.running.unsqueeze(1)
        if step == steps or step in recorder.steps or (stop is not never and step % look == 0):
            ending = ~group.running | (step == steps)
            some = bool(ending.any())
            if some or step in recorder.steps:
                recorder(_snapshot(group, m, n, step, outputs, margins, loss), ending)
            if some:
                over = group.rows[ending]
                final[over], taken[over] = group.coefficients[ending, :m, :n], group.taken[ending]
                if len(over) == len(ending):
                    return
                group, margins = group.select(~ending), margins[~ending]
        force = (loss.negative_derivative(margins) * group.pull)[:, : group.now.shape[2]]
        push = group.activation.derivative(group.now).mul_(group.signs.unsqueeze(2))
        group.coefficients.addcmul_(push, force.unsqueeze(1))
        torch.baddbmm(group.initial, group.coefficients, group.gram, out=group.now)
        group.taken += group.running


def _looks(group: _Group) -> int:
    """After how many steps the host looks again which runs are over."""
    return LOOK if group.now.is_cuda else 1


def _snapshot(group: _Group, m: int, n: int, step: int, outputs: Tensor, margins: Tensor, loss: Loss) -> SpanSnapshot:
    return SpanSnapshot(
        step, group.rows, outputs[:, :n], group.labels[:, :n], loss.value(margins)[:, :n],
        loss.negative_derivative(margins)[:, :n], group.now[:, :m, :n], group.initial[:, :m, :n],
        group.signs[:, :m], group.coefficients[:, :m, :n], group.activation, group.start,
    )  # fmt: skip


def _groups(activation: Activation, labels: Tensor, m: int) -> Iterator[Tensor]:
    """The rows of runs that train side by side: of one activation and, on a CPU, no more than its caches hold."""
    members = activation.members if isinstance(activation, PerRun) else (activation,) * len(labels)
    run = m * labels.shape[1] * labels.element_size()
    size = len(labels) if labels.is_cuda else max(CACHED // run, 1) * torch.get_num_threads()
    for member in dict.fromkeys(members):
        rows = torch.tensor([row for row, other in enumerate(members) if other == member], device=labels.device)
        yield from rows.tensor_split(-(-len(rows) // size))  # of nearly equal sizes
