"""Gradient descent on deep networks: all layers, full-batch or stochastic, a batch of runs at a time.

A step is W_l <- (1 - step_size decay) W_l + step_size s_l (1/|B|) sum_{i in B} r_i b_l(x_i) h_{l-1}(x_i)^T, with
r_i = -dl/df at the point i, in the notation of ``networks.deep``; forward and backward are batched matrix products. On
a CPU a few runs at a time train to their end, as many as keep their matrices in the cores' caches.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from benign.errors import InputError
from benign.networks.deep import Deep, backward, forward, lined
from benign.seeds import generator
from benign.train.history import Batch, Observable, Recorder, Snapshot, Trained
from benign.train.losses import LOGISTIC, Loss, Squared
from benign.train.problem import Stop, check_labels, check_steps, never, one_a_run

#: The host looks at every so many answers of ``stop``. A GPU waits while it looks, and ended runs stand still till
#: then; on a CPU they leave at once.
LOOK = {"cpu": 1, "cuda": 64}


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

    A run ends after ``steps`` steps, or as soon as ``stop`` says so, which is asked before every step, or with a
    ``batch_size`` at the start of every epoch; finished runs leave the batch and cost nothing. ``observe`` names
    functions of a ``DeepSnapshot``, evaluated at the steps ``record`` for some runs at a time; its outputs and losses
    are the whole sample's. Everything is computed in the type of ``x``, float64 or float32.

    Raises:
        InputError: a batch that does not make sense, wrong labels, steps, step sizes, weight decay, batch size or
            seeds, a record outside 0..steps.
    """
    runs, n, _ = x.shape
    check(network, x, labels, loss, steps, batch_size, seeds)
    recorder = Recorder(observe, record, runs, steps)
    records = set(recorder.steps)
    multipliers, activation = network.multipliers, network.activation
    sizes = one_a_run("step_size", step_size, runs, x.device)
    rates = (sizes.unsqueeze(1) * torch.tensor(multipliers, dtype=torch.float64, device=x.device)).to(x.dtype)
    decays = one_a_run("weight_decay", weight_decay, runs, x.device)
    kept = (1 - sizes * decays).to(x.dtype)
    shrinking = bool((decays > 0).any())
    orders = [generator(seed, "mini-batch order") for seed in seeds or ()]
    epoch, look = 1 if batch_size is None else math.ceil(n / batch_size), LOOK[x.device.type]
    every = torch.arange(runs, device=x.device)
    final, taken = [torch.empty_like(w) for w in network.weights], torch.empty_like(every)

    for part in network.groups(n):
        group, drawing = _Group.of(network, x, labels, rates, kept, every[part]), orders[part]
        for step in range(steps + 1):
            asked = step == steps or (stop is not never and step % epoch == 0)
            if asked or step in records or batch_size is None:
                us, hs = forward(group.weights, multipliers, activation, group.inputs)
                outputs, targets, seen = lined(us[-1][..., 0], axes=1, lines=2), group.targets, n
                losses = loss.at(outputs, targets)[:, :n]
            if asked:  # what is recorded does not decide when a run ends
                group.taken.masked_fill_(~group.ended, step)
                group.ended |= stop((targets * outputs)[:, :n], losses) | (step == steps)
                group.rates.masked_fill_(group.ended.unsqueeze(1), 0)
                group.kept.masked_fill_(group.ended, 1)
            looks = asked and (step == steps or step in records or step // epoch % look == 0)
            leaving = looks and bool(group.ended.any())
            if leaving or step in records:
                recorder(group.snapshot(step, outputs[:, :n], losses), group.ended)
            if leaving:
                group.hand_over(final, taken)
                going = ~group.ended
                if not going.any():
                    break
                group, outputs, targets = group.select(going), outputs[going], targets[going]
                us, hs = [u[going] for u in us], [h[going] for h in hs]
                drawing = [orders[row] for row in group.rows.tolist()] if orders else []
            if batch_size is not None:
                if step % epoch == 0:
                    order = _order(drawing, n, x.device)
                batch = order[:, step % epoch * batch_size :][:, :batch_size]
                inputs, targets, seen = *group.points(batch), batch.shape[1]
                us, hs = forward(group.weights, multipliers, activation, inputs)
                outputs = lined(us[-1][..., 0], axes=1, lines=2)
            forces = loss.force(outputs, targets)[:, : us[-1].shape[1]] / seen
            signals = backward(group.weights, multipliers, activation, us, forces)
            for layer, (w, h, signal) in enumerate(zip(group.weights, hs, signals, strict=True)):
                if shrinking:
                    w.mul_(group.kept.view(-1, 1, 1))
                w.baddbmm_(signal.mul_(group.rates[:, layer].view(-1, 1, 1)).mT, h)
    return recorder.trained(lambda: replace(network, weights=tuple(final)), taken)


@dataclass
class _Group(Batch):
    """Some runs that train side by side."""

    rows: Tensor  #: which runs of the batch these are
    inputs: Tensor  #: filled up
    targets: Tensor  #: the labels, filled up
    rates: Tensor  #: step_size s_l, shape (runs, L), or 0 once the run is over
    kept: Tensor  #: what a step leaves of the weights, 1 - step_size decay, or 1 once the run is over
    taken: Tensor  #: steps, when ``stop`` was asked last
    ended: Tensor
    initial: Deep
    weights: tuple[Tensor, ...]  #: filled up

    @staticmethod
    def of(network: Deep, x: Tensor, labels: Tensor, rates: Tensor, kept: Tensor, rows: Tensor) -> "_Group":
        """The runs of the given rows of a batch, before their first step."""
        initial = network.select(rows)
        return _Group(
            rows, lined(x[rows]), lined(labels[rows], axes=1, lines=2), rates[rows], kept[rows], torch.zeros_like(rows),
            torch.zeros_like(rows, dtype=torch.bool), initial, initial.lined,
        )  # fmt: skip

    def select(self, rows: Tensor) -> "_Group":
        return replace(super().select(rows), weights=tuple(w[rows] for w in self.weights))

    def points(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs and targets of some points of each run, given by their numbers, shape (runs, points)."""
        runs = torch.arange(len(batch), device=batch.device).unsqueeze(1)
        return lined(self.inputs[runs, batch]), lined(self.targets[runs, batch], axes=1, lines=2)

    def snapshot(self, step: int, outputs: Tensor, losses: Tensor) -> DeepSnapshot:
        """What observables see."""
        labels = self.targets[:, : outputs.shape[1]]
        return DeepSnapshot(step, self.rows, outputs, labels, losses, self._network)

    def hand_over(self, final: list[Tensor], taken: Tensor) -> None:
        """Write the weights and the steps of the runs that have ended where those of the whole batch are."""
        rows = self.rows[self.ended]
        taken[rows] = self.taken[self.ended]
        for whole, now in zip(final, self._network.weights, strict=True):
            whole[rows] = now[self.ended]

    @property
    def _network(self) -> Deep:
        pairs = zip(self.weights, self.initial.weights, strict=True)
        return replace(self.initial, weights=tuple(w[:, : start.shape[1], : start.shape[2]] for w, start in pairs))


def _order(drawing: Sequence[np.random.Generator], n: int, device: torch.device) -> Tensor:
    """An order of the n points for each run."""
    order = torch.from_numpy(np.stack([rng.permutation(n) for rng in drawing]))
    if device.type == "cuda":
        order = order.pin_memory()  # or the host would wait for the GPU
    return order.to(device, non_blocking=True)


def check(
    network: Deep,
    x: Tensor,
    labels: Tensor,
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
    if n < 1 or x.shape != (runs, n, d) or labels.shape != (runs, n):
        raise InputError(
            f"the batch does not fit together: the networks are {runs} with inputs of dimension {d}, "
            f"x (runs, n, d) has the shape {tuple(x.shape)}, labels (runs, n) {tuple(labels.shape)}"
        )
    if len(types := {tensor.dtype for tensor in (x, labels, *network.weights)}) > 1:
        raise InputError(f"weights, x and labels are of the types {', '.join(sorted(map(str, types)))}: give them one")
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
