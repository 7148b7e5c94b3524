"""The same gradient descent in the span of the data: exact, and at a cost that does not depend on the dimension.

With frozen output weights every iterate is W_t = W_0 + C_t X. Only the Gram matrix G = X X^T and the initial
pre-activations A_0 = W_0 X^T enter a step, which costs O(m n^2):

    C_{t+1} = C_t + (step_size / n) m^(-1/2) (a * sigma'(A_t)) diag(g y),    A_{t+1} = A_0 + C_{t+1} G.

Lengths follow too: W_t W_t^T = W_0 W_0^T + C_t A_0^T + A_t C_t^T. Where the samples have d < n/2 coordinates, C G is
computed as (C X) X^T, at O(m n d). ``train.dense`` is the slow twin.

On a CPU each run is computed alone, by the compiled loop of ``train.compiled``: it never meets its neighbours, so that
its numbers are the same, bit for bit, in any batch and on any number of threads. An activation, a loss or a stop rule
of one's own trains by PyTorch, as on a GPU, where the runs of a batch take each step together.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from benign.data.grams import Grams
from benign.errors import InputError
from benign.networks.activations import Activation, PerRun
from benign.networks.two_layer import TwoLayer
from benign.train import compiled
from benign.train.coordinates import Products, SpanSnapshot, Vectors
from benign.train.history import Batch, Observable, Recorder, Trained
from benign.train.losses import LOGISTIC, Loss
from benign.train.problem import (
    Rule,
    Stop,
    check_labels,
    check_patches,
    check_shapes,
    check_steps,
    look,
    never,
    one_a_run,
    pool,
    spread,
)
from benign.train.threads import side_by_side


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
    """Gradient descent on the empirical risk for a batch of runs: the trajectory of ``train.dense``, to rounding.

    A sample is ``patches`` consecutive rows of ``x``, at which the outputs of the network add up: two or more make it a
    convolution. A run ends after ``steps`` steps, or as soon as ``stop`` says so; finished runs leave the batch and
    cost nothing. ``observe`` names functions of a ``SpanSnapshot``, evaluated at the steps ``record``, for some runs at
    a time and by several threads at once. Everything is computed in the type of ``x``, float64 or float32.

    Raises:
        InputError: shapes that do not fit together, labels other than -1 and +1, a step size that is not positive,
            a negative number of steps, a record outside 0..steps.
    """
    check_shapes(network, x, labels, patches)
    start = Vectors(x, network.weights, torch.arange(len(x), device=x.device))
    return _train(
        start, network.signs, network.activation, labels, step_size, steps, patches, loss, stop, observe, record
    )


def train_on_grams(
    grams: Grams,
    signs: Float[Tensor, "runs m"],
    activation: Activation,
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
    """The same, where samples and initial weights are known by their inner products only.

    The networks that come out are ``Spanned``, functions of ``Points``. Other arguments and errors as in ``train``.
    """
    check_patches(patches)
    if labels.numel() == 0 or grams.cross.shape != (*signs.shape, labels.shape[1] * patches):
        raise InputError(
            f"the batch does not fit together: cross (runs, m, n) is {tuple(grams.cross.shape)}, "
            f"signs (runs, m) {tuple(signs.shape)}, labels (runs, n) {tuple(labels.shape)}"
            + (f", with {patches} patches a sample" if patches > 1 else "")
        )
    start = Products(grams, torch.arange(len(labels), device=labels.device))
    return _train(start, signs, activation, labels, step_size, steps, patches, loss, stop, observe, record)


def _train(
    start: Vectors | Products,
    signs: Tensor,
    activation: Activation,
    labels: Tensor,
    step_size: Tensor | float | int,
    steps: int,
    patches: int,
    loss: Loss,
    stop: Stop,
    observe: Mapping[str, Observable],
    record: Sequence[int],
) -> Trained:
    check_labels(labels, loss)
    check_steps(steps)
    (runs, n), m = labels.shape, signs.shape[1]
    recorder = Recorder(observe, record, runs, steps)
    pull = labels * (one_a_run("step_size", step_size, runs) / n).to(labels).unsqueeze(1)
    final, taken = labels.new_zeros((runs, m, n * patches)), torch.zeros_like(start.rows)
    engine = _alone if labels.is_cpu and compiled.knows(activation, loss, stop) else _together

    def descend(rows: Tensor) -> None:
        runs = _begin(
            start.select(rows), signs[rows], activation.select(rows), labels[rows], pull[rows], patches, loss, stop
        )
        advance, step = engine(runs, loss, stop), 0
        while True:
            some = step == steps or (stop is not never and bool(runs.over.any()))
            ending = runs.over | (step == steps) if some else None
            if some or recorder.takes(step):
                recorder(runs.snapshot(step, loss), ending)
            if some:
                rows = runs.start.rows[ending]
                final[rows], taken[rows] = runs.coefficients[ending], runs.taken[ending]
                if len(rows) == len(ending):
                    return
                runs = runs.select(~ending)
                advance = engine(runs, loss, stop)
            step += advance(recorder.next(step) - step)

    if labels.is_cpu:
        side_by_side(descend, start.rows.split(1))
    else:
        for rows in _alike(activation, start.rows):
            descend(rows)
    return recorder.trained(lambda: start.network(final, signs, activation), taken)


@dataclass
class _Runs(Batch):
    """Runs of one activation after the same number of steps."""

    patches: int
    start: Vectors | Products
    activation: Activation
    signs: Tensor
    labels: Tensor
    read_out: Tensor  # a / sqrt(m)
    pull: Tensor  # y_i step_size / n, or 0 once the run is over
    gram: Tensor  # G, or X in its place
    initial: Tensor  # A_0
    now: Tensor  # A_t
    coefficients: Tensor  # C_t
    outputs: Tensor
    taken: Tensor  # steps till it was over
    over: Tensor

    def snapshot(self, step: int, loss: Loss) -> SpanSnapshot:
        return SpanSnapshot(
            step, self.start.rows, self.outputs, self.labels, loss, self.now, self.initial, self.signs,
            self.coefficients, self.activation, self.start,
        )  # fmt: skip


def _begin(
    start: Vectors | Products,
    signs: Tensor,
    activation: Activation,
    labels: Tensor,
    pull: Tensor,
    patches: int,
    loss: Loss,
    stop: Stop,
) -> _Runs:
    initial, gram = start.matrices()
    read_out = signs / math.sqrt(signs.shape[1])
    values = torch.bmm(read_out.unsqueeze(1), activation(initial)).squeeze(1)
    outputs = pool(values, patches).clone()
    return _Runs(
        patches, start, activation, signs, labels, read_out, pull, gram, initial, initial.clone(),
        torch.zeros_like(initial), outputs, torch.zeros_like(start.rows), _over(stop, labels, outputs, loss),
    )  # fmt: skip


def _over(stop: Stop, labels: Tensor, outputs: Tensor, loss: Loss) -> Tensor:
    margins = labels * outputs
    return stop(margins, loss.value(margins))


def _alone(runs: _Runs, loss: Loss, stop: Rule) -> Callable[[int], int]:
    """Takes the one run so many steps further, or to its end, and says how many it took."""
    tensors = runs.initial, runs.gram, runs.read_out, runs.labels, runs.pull, runs.now, runs.coefficients, runs.outputs
    arrays = [tensor[0].numpy() for tensor in tensors]
    kind, parameters = compiled.family(runs.activation, arrays[0].dtype)

    def advance(steps: int) -> int:
        number, over = compiled.descend(
            kind, parameters, compiled.LOSSES[loss], stop.level, stop.fitted, *arrays, steps
        )
        runs.taken += number
        if over:
            runs.over.fill_(True)
        return number

    return advance


def _together(runs: _Runs, loss: Loss, stop: Stop) -> Callable[[int], int]:
    """Takes the runs so many steps further, or until it is time to look which are over, and says how many they took."""
    values = runs.outputs if runs.patches == 1 else torch.empty_like(runs.initial[:, 0])

    def advance(steps: int) -> int:
        if stop is not never:
            steps = min(steps, look(runs.labels.device))
        margins = runs.labels * runs.outputs
        for _ in range(steps):
            force = loss.negative_derivative(margins) * runs.pull
            push = runs.activation.derivative(runs.now).mul_(runs.read_out.unsqueeze(2))
            runs.coefficients.addcmul_(push, spread(force, runs.patches).unsqueeze(1))
            if runs.gram.shape[1] == runs.gram.shape[2]:
                torch.baddbmm(runs.initial, runs.coefficients, runs.gram, out=runs.now)
            else:
                torch.baddbmm(runs.initial, torch.bmm(runs.coefficients, runs.gram), runs.gram.mT, out=runs.now)
            torch.bmm(runs.read_out.unsqueeze(1), runs.activation(runs.now), out=values.unsqueeze(1))
            if runs.patches > 1:
                runs.outputs.copy_(pool(values, runs.patches))
            margins = runs.labels * runs.outputs
            if stop is not never:
                runs.taken.add_(runs.over, alpha=-1)
                runs.over |= stop(margins, loss.value(margins))
                runs.pull.masked_fill_(runs.over.unsqueeze(1), 0)
        runs.taken += steps  # of which those after a run was over are off already
        return steps

    return advance


def _alike(activation: Activation, rows: Tensor) -> Iterator[Tensor]:
    """The rows of runs that have the same activation."""
    members = activation.members if isinstance(activation, PerRun) else (activation,) * len(rows)
    for member in dict.fromkeys(members):
        yield rows[[row for row, other in enumerate(members) if other == member]]
