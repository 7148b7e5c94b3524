"""Gradient descent on deep networks: some layers or all, full-batch or stochastic, a batch of runs at a time.

A step is W_l <- W_l + step_size s_l (1/|B|) sum_{i in B} r_i b_l(x_i) h_{l-1}(x_i)^T, with r_i = -dl/df at the point i,
in the notation of ``networks.deep``; forward and backward are batched matrix products.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError
from benign.networks.deep import Deep, Layers, backward, filled, forward
from benign.seeds import generator
from benign.train.history import Observable, Recorder, Snapshot, Trained
from benign.train.losses import LOGISTIC, Loss, Squared
from benign.train.problem import Stop, never


@dataclass(frozen=True)
class DeepSnapshot(Snapshot):
    """A state that holds the networks, now and at the start; a neuron is a row of any of their layers."""

    now: Deep
    initial: Deep
    x: Tensor  #: the training inputs, shape (runs, n, d)

    def select(self, rows: Tensor) -> "DeepSnapshot":
        return replace(super().select(rows), now=self.now.select(rows), initial=self.initial.select(rows))

    @property
    def network(self) -> Deep:
        return self.now

    def squared_norms(self) -> Tensor:
        return torch.cat([w.square().sum(-1) for w in self.now.weights], -1)

    def squared_moves(self) -> Tensor:
        pairs = zip(self.now.weights, self.initial.weights, strict=True)
        return torch.cat([(w - start).square().sum(-1) for w, start in pairs], -1)


def train(
    network: Deep,
    x: Float64[Tensor, "runs n d"],
    labels: Float64[Tensor, "runs n"],
    *,
    step_size: Tensor | float | int,
    steps: int,
    loss: Loss | Squared = LOGISTIC,
    layers: Layers = "all",
    batch_size: int | None = None,
    seeds: Sequence[int] | None = None,
    stop: Stop = never,
    observe: Mapping[str, Observable] = {},
    record: Sequence[int] = (),
) -> Trained:
    """Gradient descent on the empirical risk of deep networks, for a batch of runs.

    ``step_size`` is one number, or one a run, shape (runs,), or one a run and layer, shape (runs, L). Layers that are
    not among ``layers``, numbers from 1 to L, keep their weights. With a ``batch_size``, a step takes the mean over so
    many points instead of all: a run goes through its sample again and again, without replacement, each time in a new
    order that its seed in ``seeds`` decides; the last batch of an epoch is what is left.

    A run ends after ``steps`` steps, or as soon as ``stop`` says so, which is asked before every step, or with a
    ``batch_size`` at the start of every epoch; finished runs leave the batch and cost nothing. ``observe`` names
    functions of a ``DeepSnapshot``, evaluated at the steps ``record``; its outputs and losses are the whole sample's.

    Raises:
        InputError: a batch that does not make sense, wrong labels, steps, step sizes, layers, batch size or seeds, a
            record outside 0..steps.
    """
    runs, n, _ = x.shape
    check(network, x, labels, steps, loss, batch_size, seeds)
    step_sizes = per_layer(step_size, network)
    trained = network.chosen(layers)
    recorder = Recorder(observe, record, runs, steps)
    multipliers, activation = network.multipliers, network.activation
    rates = step_sizes * torch.tensor(multipliers, dtype=x.dtype, device=x.device)
    epoch = 1 if batch_size is None else math.ceil(n / batch_size)
    orders = [generator(seed, "mini-batch order") for seed in seeds or ()]

    final, taken = [w.clone() for w in network.weights], torch.zeros(runs, dtype=torch.long, device=x.device)
    active = torch.arange(runs, device=x.device)
    weights, inputs, targets = [filled(w) for w in network.weights], filled(x), filled(labels, axes=1)
    for step in range(steps + 1):
        # What is recorded does not decide when a run ends.
        asked = step % epoch == 0 or step == steps
        if asked or step in recorder.steps:
            us, hs = forward(weights, multipliers, activation, inputs)
            outputs = us[-1][..., 0].contiguous()
            losses = loss.at(outputs, targets)[:, :n]
            stopping = torch.full_like(active, step == steps, dtype=torch.bool)
            if asked:
                stopping |= stop((targets * outputs)[:, :n], losses)
            if stopping.any() or step in recorder.steps:
                shapes = [w.shape[1:] for w in network.weights]
                cut = tuple(w[:, :fan_out, :fan_in] for w, (fan_out, fan_in) in zip(weights, shapes, strict=True))
                recorder(
                    DeepSnapshot(
                        step, active, outputs[:, :n], targets[:, :n], losses,
                        replace(network, weights=cut), network.select(active), x[active],
                    ),
                    stopping,
                )  # fmt: skip
                for whole, part in zip(final, cut, strict=True):
                    whole[active[stopping]] = part[stopping]
                taken[active[stopping]] = step
            if stopping.all():
                break
            if stopping.any():
                active, rates, inputs, targets = (t[~stopping] for t in (active, rates, inputs, targets))
                weights, us, hs = ([t[~stopping] for t in ts] for ts in (weights, us, hs))
        if batch_size is None:
            points, seen = targets, n
        else:
            if step % epoch == 0:
                order = torch.stack([torch.from_numpy(orders[run].permutation(n)) for run in active.tolist()])
            batch = order[:, step % epoch * batch_size :][:, :batch_size].to(x.device)
            rows = torch.arange(len(active), device=x.device).unsqueeze(1)
            points, seen = filled(targets[rows, batch], axes=1), batch.shape[1]
            us, hs = forward(weights, multipliers, activation, filled(inputs[rows, batch]))
        forces = loss.force(us[-1][..., 0].contiguous(), points) / seen
        signals = backward(weights, multipliers, activation, us, forces, lowest=trained[0])
        for layer in trained:
            push = signals[layer - trained[0]] * rates[:, layer - 1].view(-1, 1, 1)
            weights[layer - 1].baddbmm_(push.transpose(1, 2), hs[layer - 1])
    return recorder.trained(lambda: replace(network, weights=tuple(final)), taken)


def check(
    network: Deep,
    x: Tensor,
    labels: Tensor,
    steps: int,
    loss: Loss | Squared,
    batch_size: int | None,
    seeds: Sequence[int] | None,
) -> None:
    """Make sure that a training problem makes sense before it starts.

    Raises:
        InputError: shapes that do not fit together, an empty sample, labels that the loss does not take, a negative
            number of steps, a batch size outside 1..n, seeds that are not one for each run or have nothing to decide.
    """
    (runs, _, d), n = network.weights[0].shape, x.shape[1]
    if n < 1 or x.shape != (runs, n, d) or labels.shape != (runs, n):
        raise InputError(
            f"the batch does not fit together: the networks are {runs} with inputs of dimension {d}, "
            f"x (runs, n, d) has the shape {tuple(x.shape)}, labels (runs, n) {tuple(labels.shape)}"
        )
    if isinstance(loss, Loss) and (strangers := labels[labels.abs() != 1]).numel():
        raise InputError(f"labels hold {strangers[0].item()}: the {loss.name} loss needs -1 and +1")
    if (strangers := labels[~labels.isfinite()]).numel():
        raise InputError(f"labels hold {strangers[0].item()}: the {loss.name} loss needs finite numbers")
    if steps < 0:
        raise InputError(f"steps is {steps}: the number of gradient steps must be at least 0")
    if batch_size is None and seeds is not None:
        raise InputError("seeds are given without a batch_size: the full batch has no random order; leave them out")
    if batch_size is not None and not 1 <= batch_size <= n:
        raise InputError(f"batch_size is {batch_size}: it must lie between 1 and the {n} points of the sample")
    if batch_size is not None and (seeds is None or len(seeds) != runs):
        given = "no seeds" if seeds is None else f"{len(seeds)} seeds"
        raise InputError(f"{given} with a batch_size: the order of the points needs one for each of {runs} runs")


def per_layer(step_size: Tensor | float | int, network: Deep) -> Float64[Tensor, "runs layers"]:
    """The step size of each run and layer.

    Raises:
        InputError: a shape other than (), (runs,) or (runs, L), a step size that is not a positive number.
    """
    runs, count = len(network.weights[0]), len(network.weights)
    sizes = torch.as_tensor(step_size, dtype=torch.float64, device=network.weights[0].device)
    if sizes.shape not in ((), (runs,), (runs, count)):
        raise InputError(
            f"step_size has shape {tuple(sizes.shape)}: give one number, or one for each of {runs} runs, "
            f"or shape ({runs}, {count}), one for each run and layer"
        )
    if (wrong := sizes[~((sizes > 0) & sizes.isfinite())]).numel():
        raise InputError(f"step_size is {wrong[0].item()}: it must be a positive number")
    return (sizes.unsqueeze(-1) if sizes.ndim == 1 else sizes).expand(runs, count)
