"""Gradient descent watched at every step: what the lemmas of Xu & Gu (2023) say that each step does.

A pair (neuron j, sample i) is *right* if a_j = y_i: then a larger <w_j, x_i> helps to fit the label y_i. The lemmas
speak of single steps, so every step is looked at, and the table has the extremes of all steps so far.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benign.experiments import polluted
from benign.experiments.polluted import Polluted
from benign.networks.two_layer import output_signs
from benign.train import history
from benign.train.neurons import TwoLayerSnapshot, active

STATE = (
    "loss", "loss_clean", "loss_flipped", "largest_loss", "mean_g", "g_ratio",
    "margin_clean", "margin_flipped", "smallest_margin",
    "right_clean", "right_flipped", "opposite_clean", "opposite_flipped",
    "least_of_neuron", "least_of_sample",
)  # fmt: skip
CHANGE = ("deaths", "least_growth", "largest_growth", "growth_clean", "growth_flipped")


@dataclass(frozen=True)
class Dynamics(Polluted):
    """One row a record. A *clean* sample has its true label, a *flipped* one the other.

    ``loss``, ``loss_clean`` and ``loss_flipped`` are mean losses, ``largest_loss`` the largest of a sample, ``mean_g``
    the mean slope, ``margin_clean`` and ``margin_flipped`` mean margins. ``right_clean`` and so on are the shares of
    the right and of the opposite pairs with samples of a kind that are active, <w_j, x_i> > 0. The smallest number of
    active right pairs of a neuron, over n, is ``least_of_neuron``, of a sample, over m, ``least_of_sample`` (eq. (12)
    and (13), at the start). ``g_ratio`` is max_i g_i / min_i g_i. All these are of the record's own step, as are
    ``growth_clean`` and ``growth_flipped``: the means over the samples of the growth of the margin in the step before,
    in units of step size * p g_i / n.

    The others are of all steps so far: ``deaths`` counts the right pairs that were active before a step and were not
    after it (Lemma 4.3), ``least_growth`` and ``largest_growth`` are extremes over samples and steps (Lemma 4.4),
    ``largest_g_ratio`` of the ratio (Lemma C.1), ``lowest_margin`` of the smallest margin, and ``clocked_loss`` is the
    largest value of clock * largest_loss. The ``clock`` is step size * p * t / n. A mean over no sample, and the growth
    before the first step, are NaN.
    """

    @staticmethod
    def run(batch: Sequence["Dynamics"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, one row a record, the last after ``steps`` steps."""
        samples = [run.sample() for run in batch]
        flipped = torch.stack([sample.flipped for sample in samples]).to(device)
        labels = torch.stack([sample.labels for sample in samples]).to(device)
        signs = torch.stack([output_signs(run.width, run.seed) for run in batch]).to(device)
        step = torch.tensor([run.step for run in batch], dtype=torch.float64, device=device)
        watch = _Watch(flipped, signs.unsqueeze(2) == labels.unsqueeze(1), step)
        every = tuple(range(batch[0].steps + 1))
        watched = [dataclasses.replace(run, records=every) for run in batch]
        seen = polluted.train(watched, samples, {"seen": watch}, device).history["seen"].cpu().numpy()
        return [_table(run, seen[:, index]) for index, run in enumerate(batch)]


def _table(run: Dynamics, values: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(values, columns=[*STATE, *CHANGE])
    table.insert(0, "at_step", range(len(table)))
    table.insert(1, "clock", run.step * table.at_step)
    table["deaths"] = table.deaths.cumsum().astype(int)
    table["largest_g_ratio"] = table.g_ratio.cummax()
    table["least_growth"], table["largest_growth"] = table.least_growth.cummin(), table.largest_growth.cummax()
    table["clocked_loss"] = (table.clock * table.largest_loss).cummax()
    table["lowest_margin"] = table.smallest_margin.cummin()
    return table.loc[sorted({*run.records, run.steps})].reset_index(drop=True)


class _Watch:
    """Looks at each state, and for what a step changes at the one before."""

    def __init__(self, flipped: Tensor, right: Tensor, step: Tensor):
        self._flipped, self._right, self._step = flipped, right, step
        self._before: tuple[Tensor, Tensor, Tensor] | None = None  # margins, slopes, active right pairs

    def __call__(self, s: TwoLayerSnapshot) -> Tensor:
        """The quantities ``STATE`` and, of the step that led here, ``CHANGE``; shape (runs, their number)."""
        flipped, right, on, margins = self._flipped[s.runs], self._right[s.runs], active(s), history.margins(s)
        clean, alive = ~flipped, on & right
        opposite, of_right = right.shape[1] - right.sum(1), right.sum(1)  # pairs of each sample
        on_right, on_opposite = alive.sum(1), on.sum(1) - alive.sum(1)
        state = [
            s.losses.mean(-1), _mean(s.losses, clean), _mean(s.losses, flipped), s.losses.amax(-1),
            s.g.mean(-1), s.g.amax(-1) / s.g.amin(-1),
            _mean(margins, clean), _mean(margins, flipped), margins.amin(-1),
            _share(on_right, of_right, clean), _share(on_right, of_right, flipped),
            _share(on_opposite, opposite, clean), _share(on_opposite, opposite, flipped),
            alive.sum(2).amin(-1).double() / right.shape[2], on_right.amin(-1).double() / right.shape[1],
        ]  # fmt: skip
        before, self._before = self._before, (margins, s.g, alive)
        if s.step == 0:
            change = [torch.zeros_like(state[0]), *[torch.full_like(state[0], torch.nan)] * 4]
        else:
            growth = (margins - before[0]) / (before[1] * self._step[s.runs].unsqueeze(1))  # step = step size * p / n
            deaths = (before[2] & ~alive).sum((1, 2)).to(growth.dtype)
            change = [deaths, growth.amin(-1), growth.amax(-1), _mean(growth, clean), _mean(growth, flipped)]
        return torch.stack(state + change, -1)


def _share(some: Tensor, all_: Tensor, among: Tensor) -> Tensor:
    """The share of some pairs among all pairs, counted by sample, of the marked samples; shape (runs,)."""
    return (some * among).sum(-1).double() / (all_ * among).sum(-1)


def _mean(values: Tensor, among: Tensor) -> Tensor:
    """The mean over the marked samples, NaN where none is marked; shape (runs,)."""
    return (values * among).sum(-1) / among.sum(-1)
