"""Gradient descent on deep networks: all layers, full-batch or stochastic.

A step is W_l <- (1 - step_size decay) W_l + step_size s_l (1/|B|) sum_{i in B} r_i b_l(x_i) h_{l-1}(x_i)^T, with
r_i = -dl/df at the point i, in the notation of ``networks.deep``.

On a CPU each run is computed alone, by the compiled loops of ``train.compiled``: its numbers are the same, bit for bit,
in any batch and on any number of threads. An activation, a loss or a stop rule of one's own trains by PyTorch, as on a
GPU, where the runs of a batch take each step together.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from benign.errors import InputError
from benign.networks.deep import Deep
from benign.seeds import generator
from benign.train import compiled
from benign.train.history import Batch, Observable, Recorder, Snapshot, Trained
from benign.train.losses import LOGISTIC, Loss, Squared
from benign.train.problem import Rule, Stop, check_labels, check_steps, look, never, one_a_run
from benign.train.threads import side_by_side


@dataclass(frozen=True)
class DeepSnapshot(Snapshot):
    """A state that holds the networks."""

    network: Deep


def train(
    network: Deep,
    x: Float[Tensor, "runs n d"],
    labels: Float[Tensor, "runs n"],
    *,
    step_size: Tensor | float | int,
    steps: int,
    weight_decay: Tensor | float | int = 0,
    offset: Float[Tensor, "runs n"] | None = None,
    loss: Loss | Squared = LOGISTIC,
    batch_size: int | None = None,
    seeds: Sequence[int] | None = None,
    stop: Stop = never,
    observe: Mapping[str, Observable] = {},
    record: Sequence[int] = (),
) -> Trained:
    """Gradient descent on the empirical risk of deep networks, for a batch of runs.

    ``step_size`` is one number, or one a run, shape (runs,). With a ``batch_size``, a step takes the mean over so many
    points instead of all: a run goes through its sample again and again, without replacement, each time in a new order
    that its seed in ``seeds`` decides; the last batch of an epoch is what is left.

    ``weight_decay``, one number or one a run, is lambda in the risk plus lambda/2 sum_l ||W_l||_F^2: every step pulls
    the weights towards zero, not towards the start. Without momentum it does not matter whether one adds lambda W_l to
    the gradient or shrinks the weights beside the step. ``loss`` and the losses that ``stop`` sees are without it.

    ``offset`` is taken off the outputs at the sample. With f_0(x_i), those of the network at its start, f - f_0 is
    trained, a function that begins at zero; outputs and losses are then of this difference, networks still f.

    A run ends after ``steps`` steps, or as soon as ``stop`` says so, which is asked before every step, or with a
    ``batch_size`` at the start of every epoch; finished runs leave the batch and cost nothing. ``observe`` names
    functions of a ``DeepSnapshot``, evaluated at the steps ``record`` for some runs at a time, by several threads at
    once; its outputs and losses are the whole sample's. All is computed in the type of ``x``, float64 or float32.

    Raises:
        InputError: a batch that does not make sense, wrong labels, steps, step sizes, weight decay, batch size or
            seeds, a record outside 0..steps.
    """
    runs, n, _ = x.shape
    offset = torch.zeros_like(labels) if offset is None else offset
    check(network, x, labels, offset, loss, steps, batch_size, seeds)
    recorder = Recorder(observe, record, runs, steps)
    sizes, decays = one_a_run("step_size", step_size, runs), one_a_run("weight_decay", weight_decay, runs)
    multipliers = torch.tensor(network.multipliers, dtype=torch.float64)
    rates, kept = (sizes.unsqueeze(1) * multipliers).to(x), (1 - sizes * decays).to(x)
    epoch = 1 if batch_size is None else math.ceil(n / batch_size)
    every = torch.arange(runs, device=x.device)
    final, taken = [torch.empty_like(w) for w in network.weights], torch.empty_like(every)
    known = x.is_cpu and compiled.knows(network.activation, loss, stop)
    way = _Compiled(loss) if known else _Torch(loss, bool((decays > 0).any()))

    def descend(rows: Tensor) -> None:
        runs = _Runs.of(network, x, labels, offset, rates, kept, rows)
        orders = [generator(seeds[row], "mini-batch order") for row in rows.tolist()] if batch_size else []
        step = way.full(runs, 0, stop)
        while True:
            ending = runs.over | (step == steps)
            some = step == steps or (stop is not never and bool(ending.any()))
            if some or recorder.takes(step):
                snapshot = DeepSnapshot(step, runs.rows, runs.outputs, runs.labels, loss, runs.network)
                recorder(snapshot, ending if some else None)
            if some:
                ended = runs.rows[ending]
                taken[ended] = runs.taken[ending]
                for whole, w in zip(final, runs.network.weights, strict=True):
                    whole[ended] = w[ending]
                if len(ended) == len(ending):
                    return
                runs = runs.select(~ending)
            end = recorder.next(step)
            step = by_batches(runs, orders, step, end) if orders else step + way.full(runs, end - step, stop)

    def by_batches(runs: _Runs, orders: Sequence[np.random.Generator], step: int, end: int) -> int:
        """Takes the runs to the step ``end``, or until it is time to look which are over; returns their step."""
        while True:
            at = step % epoch
            if at == 0:
                runs.order = _drawn(orders, n, x.device).index_select(0, runs.places)
            number = min(epoch - at, end - step)
            way.batches(runs, runs.order[:, at * batch_size : (at + number) * batch_size], batch_size)
            step += number
            rule = stop if step % epoch == 0 else never
            if rule is not never or step == end:
                way.full(runs, 0, rule)
            if step == end or (rule is not never and step // epoch % look(x.device) == 0):
                return step

    if x.is_cpu:
        side_by_side(descend, every.split(1))
    else:
        descend(every)
    return recorder.trained(lambda: replace(network, weights=tuple(final)), taken)


@dataclass
class _Runs(Batch):
    """Runs after the same number of steps."""

    rows: Tensor  #: which runs of the batch these are
    places: Tensor  #: which of those that began together
    x: Tensor
    labels: Tensor
    offset: Tensor
    rates: Tensor  #: step_size s_l, shape (runs, L), or 0 once the run is over
    kept: Tensor  #: what a step leaves of the weights, 1 - step_size decay, or 1 once the run is over
    order: Tensor  #: of the points in this epoch
    outputs: Tensor  #: of the whole sample, when it was looked at last
    taken: Tensor  #: steps till it was over
    over: Tensor
    flat: Tensor  #: the weights of one layer after the other, of which those of the network are parts
    network: Deep

    @staticmethod
    def of(
        network: Deep, x: Tensor, labels: Tensor, offset: Tensor, rates: Tensor, kept: Tensor, rows: Tensor
    ) -> "_Runs":
        """The runs of the given rows of a batch, before their first step: copies, each in one piece."""
        x, labels, offset = (part[rows].contiguous() for part in (x, labels, offset))
        flat = torch.cat([w[rows].flatten(1) for w in network.weights], 1)
        layers = zip(flat.split([w[0].numel() for w in network.weights], 1), network.weights, strict=True)
        weights = tuple(part.view(len(rows), *w.shape[1:]) for part, w in layers)
        return _Runs(
            rows, torch.arange(len(rows), device=x.device), x, labels, offset, rates[rows], kept[rows],
            rows, torch.empty_like(labels), torch.zeros_like(rows), torch.zeros_like(rows, dtype=torch.bool), flat,
            replace(network, weights=weights),
        )  # fmt: skip


@dataclass(frozen=True)
class _Compiled:
    """Takes one run further, by compiled loops."""

    loss: Loss | Squared

    def full(self, runs: _Runs, number: int, stop: Rule) -> int:
        """So many full-batch steps, or till the run is over; returns how many, and leaves the outputs after them."""
        outputs = runs.outputs[0].numpy()
        number, over = compiled.descend_deep(*self._arrays(runs), outputs, stop.level, stop.fitted, number)
        runs.taken += number
        runs.over |= over
        return number

    def batches(self, runs: _Runs, order: Tensor, size: int) -> None:
        """The steps of mini-batches of so many points in this order."""
        compiled.descend_by_batches(*self._arrays(runs), order[0].numpy(), size)
        runs.taken += math.ceil(order.shape[1] / size)

    def _arrays(self, runs: _Runs) -> tuple:
        network, x = runs.network, runs.x[0].numpy()
        return (
            *compiled.family(network.activation, x.dtype), compiled.LOSSES[self.loss],
            np.array(network.multipliers, x.dtype), runs.rates[0].numpy(), runs.kept.numpy(),
            np.array(network.widths), runs.flat[0].numpy(), x, runs.labels[0].numpy(),
            runs.offset[0].numpy(),
        )  # fmt: skip


@dataclass(frozen=True)
class _Torch:
    """Takes runs further together, by PyTorch."""

    loss: Loss | Squared
    shrinking: bool  #: whether there is weight decay

    def full(self, runs: _Runs, number: int, stop: Stop) -> int:
        """The same for runs together; on a GPU it may also be time to look which are over."""
        if stop is not never and not runs.x.is_cpu:
            number = min(number, look(runs.x.device))
        for step in range(number + 1):
            us, hs = runs.network.forward(runs.x)
            runs.outputs = us[-1].squeeze(-1) - runs.offset
            if stop is not never:
                runs.over |= stop(runs.labels * runs.outputs, self.loss.at(runs.outputs, runs.labels))
                runs.rates.masked_fill_(runs.over.unsqueeze(1), 0)
                if self.shrinking:
                    runs.kept.masked_fill_(runs.over, 1)
            if step == number or (runs.x.is_cpu and runs.over.all()):
                break
            self._back(runs, us, hs, runs.outputs, runs.labels)
            if stop is not never:
                runs.taken.add_(runs.over, alpha=-1)
        runs.taken += step  # of which those after a run was over are off already
        return step

    def batches(self, runs: _Runs, order: Tensor, size: int) -> None:
        """The steps of mini-batches of so many points in this order."""
        for points in order.split(size, 1):
            us, hs = runs.network.forward(runs.x.take_along_dim(points.unsqueeze(2), 1))
            labels, offset = (part.take_along_dim(points, 1) for part in (runs.labels, runs.offset))
            self._back(runs, us, hs, us[-1].squeeze(-1) - offset, labels)
        runs.taken += math.ceil(order.shape[1] / size) * ~runs.over

    def _back(self, runs: _Runs, us: list[Tensor], hs: list[Tensor], outputs: Tensor, labels: Tensor) -> None:
        forces = self.loss.force(outputs, labels) / labels.shape[1]
        signals = runs.network.backward(us, forces)
        for w, h, signal, rates in zip(runs.network.weights, hs, signals, runs.rates.unbind(1), strict=True):
            if self.shrinking:
                w.mul_(runs.kept.view(-1, 1, 1))
            w.baddbmm_(signal.mul_(rates.view(-1, 1, 1)).mT, h)


def _drawn(orders: Sequence[np.random.Generator], n: int, device: torch.device) -> Tensor:
    """A new order of the n points from each of these."""
    drawn = torch.from_numpy(np.stack([rng.permutation(n) for rng in orders]))
    if device.type == "cuda":
        drawn = drawn.pin_memory()  # or the host would wait for the GPU
    return drawn.to(device, non_blocking=True)


def check(
    network: Deep,
    x: Tensor,
    labels: Tensor,
    offset: Tensor,
    loss: Loss | Squared,
    steps: int,
    batch_size: int | None,
    seeds: Sequence[int] | None,
) -> None:
    """Make sure that a training problem makes sense before it starts.

    Raises:
        InputError: shapes or types that do not fit together, an empty sample, labels that the loss does not take, a
            negative number of steps, a batch size outside 1..n, seeds that are not one for each run or have nothing to
            decide.
    """
    (runs, _, d), n = network.weights[0].shape, x.shape[1]
    if n < 1 or x.shape != (runs, n, d) or not labels.shape == offset.shape == (runs, n):
        raise InputError(
            f"the batch does not fit together: the networks are {runs} with inputs of dimension {d}, "
            f"x (runs, n, d) has the shape {tuple(x.shape)}, labels and offset (runs, n) {tuple(labels.shape)} and "
            f"{tuple(offset.shape)}"
        )
    if len(types := {tensor.dtype for tensor in (x, labels, offset, *network.weights)}) > 1:
        raise InputError(
            f"weights, x, labels and offset are of the types {', '.join(sorted(map(str, types)))}: give them one"
        )
    if isinstance(loss, Loss):
        check_labels(labels, loss)
    if (strangers := labels[~labels.isfinite()]).numel():
        raise InputError(f"labels hold {strangers[0].item()}: the {loss.name} loss needs finite numbers")
    check_steps(steps)
    if batch_size is None and seeds is not None:
        raise InputError("seeds are given without a batch_size: the full batch has no random order; leave them out")
    if batch_size is not None and not 1 <= batch_size <= n:
        raise InputError(f"batch_size is {batch_size}: it must lie between 1 and the {n} points of the sample")
    if batch_size is not None and (seeds is None or len(seeds) != runs):
        given = "no seeds" if seeds is None else f"{len(seeds)} seeds"
        raise InputError(f"{given} with a batch_size: the order of the points needs one for each of {runs} runs")
