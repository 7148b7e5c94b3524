"""Gradient descent watched at every step: what the lemmas of Xu & Gu (2023) say that each step does.

A pair (neuron j, sample i) is *right* if a_j = y_i: then a larger <w_j, x_i> helps to fit the label y_i. The lemmas
speak of single steps, so every step is looked at, and the table has the extremes of all steps so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benign.experiments import polluted
from benign.experiments.polluted import Polluted
from benign.train import history
from benign.train.neurons import TwoLayerSnapshot, active

STATE = (
    "loss", "loss_clean", "loss_flipped", "largest_loss", "mean_g", "g_ratio",
    "margin_clean", "margin_flipped", "smallest_margin",
    "right_clean", "right_flipped", "opposite_clean", "opposite_flipped",
    "least_of_neuron", "least_of_sample",
)  # fmt: skip
CHANGE = (
    "deaths", "least_growth", "largest_growth", "growth_clean", "growth_flipped", "least_fall", "largest_fall",
)  # fmt: skip

# What is looked at in every step, in the order in which it is computed.
MEANS = ("loss", "margin", "mean_g", "growth", "right", "opposite")  # of all, clean and flipped samples each
EXTREMES = ("loss", "margin", "g", "growth", "fall")  # over samples
SEEN = (
    *(f"{name}{kind}" for name in MEANS for kind in ("", "_clean", "_flipped")),
    *(f"least_{name}" for name in EXTREMES),
    *(f"largest_{name}" for name in EXTREMES),
    "least_of_neuron", "least_of_sample", "deaths",
)  # fmt: skip


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
    ``largest_g_ratio`` of the ratio (Lemma C.1), ``lowest_margin`` of the smallest margin, ``least_fall`` and
    ``largest_fall`` of the fall of a sample's loss in units of step size * p g_i^2 / n (Lemma 4.5), and
    ``clocked_loss`` is the largest value of clock * largest_loss. The ``clock`` is step size * p * t / n. A mean over
    no sample, and what a step changes before the first step, are NaN.
    """

    @staticmethod
    def run(batch: Sequence["Dynamics"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, one row a record, the last after ``steps`` steps."""
        samples = [run.sample() for run in batch]
        flipped = torch.stack([sample.flipped for sample in samples]).to(device)
        labels = torch.stack([sample.labels for sample in samples]).to(device)
        signs = polluted.initial_networks(batch, samples).signs.to(device)
        step = torch.tensor([run.step for run in batch], dtype=torch.float64, device=device)
        watch = _Watch(flipped, signs.unsqueeze(2) == labels.unsqueeze(1), step)
        trained = polluted.train(batch, samples, {"seen": watch}, device, record=range(batch[0].steps + 1))
        seen = trained.history["seen"].cpu().numpy()
        return [_table(run, seen[:, index]) for index, run in enumerate(batch)]


def _table(run: Dynamics, values: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(values, columns=SEEN)
    table["smallest_margin"], table["g_ratio"] = table.least_margin, table.largest_g / table.least_g
    table = table[[*STATE, *CHANGE]]
    table.insert(0, "at_step", range(len(table)))
    table.insert(1, "clock", run.step * table.at_step)
    table["deaths"] = table.deaths.cumsum().astype(int)
    table["largest_g_ratio"] = table.g_ratio.cummax()
    table["least_growth"], table["largest_growth"] = table.least_growth.cummin(), table.largest_growth.cummax()
    table["least_fall"], table["largest_fall"] = table.least_fall.cummin(), table.largest_fall.cummax()
    table["clocked_loss"] = (table.clock * table.largest_loss).cummax()
    table["lowest_margin"] = table.smallest_margin.cummin()
    return table.loc[sorted({*run.records, run.steps})].reset_index(drop=True)


class _Watch:
    """Looks at each state, and for what a step changes at the one before."""

    def __init__(self, flipped: Tensor, right: Tensor, step: Tensor):
        self._right, self._step = right, step.unsqueeze(1)
        self._kinds = torch.stack([torch.ones_like(flipped), ~flipped, flipped], 1).double()  # (runs, 3, n)
        each, of_right = torch.ones_like(self._kinds[:, 0]), right.sum(1).double()  # right pairs of each sample
        totals = [each, each, each, each, of_right, right.shape[1] - of_right]  # what each of MEANS is a mean of
        self._sizes = self._by_kind(torch.stack(totals, 1), self._kinds)
        self._before: tuple[Tensor, Tensor, Tensor, Tensor] | None = None  # margins, losses, slopes, active right pairs

    def __call__(self, s: TwoLayerSnapshot) -> Tensor:
        """The quantities ``SEEN`` of the state and of the step that led here; shape (runs, their number)."""
        right, on, margins = self._right[s.runs], active(s), history.margins(s)
        alive = on & right
        on_right, on_opposite = _count(alive, 1), _count(on & ~right, 1)
        before, self._before = self._before, (margins, s.losses, s.g, alive)
        if s.step == 0:
            growth = fall = torch.full_like(margins, torch.nan)
            deaths = torch.zeros_like(margins[:, 0])
        else:
            margins_before, losses_before, g, alive_before = before
            unit = g * self._step[s.runs]  # step = step size * p / n
            growth, fall = (margins - margins_before) / unit, (losses_before - s.losses) / (unit * g)
            deaths = _count(alive_before & ~alive, (1, 2))
        sums = self._by_kind(
            torch.stack([s.losses, margins, s.g, growth, on_right, on_opposite], 1), self._kinds[s.runs]
        )
        extremes = torch.stack([s.losses, margins, s.g, growth, fall], 1).aminmax(dim=-1)
        of_neuron, of_sample = _count(alive, 2).amin(-1) / right.shape[2], on_right.amin(-1) / right.shape[1]
        counts = torch.stack([of_neuron, of_sample, deaths], 1)
        return torch.cat([(sums / self._sizes[s.runs]).flatten(1), extremes.min, extremes.max, counts], 1)

    @staticmethod
    def _by_kind(values: Tensor, kinds: Tensor) -> Tensor:
        """Sums over all, the clean and the flipped samples, shape (runs, number of values, 3)."""
        return (values.unsqueeze(2) * kinds.unsqueeze(1)).sum(-1)


def _count(marked: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    """How many are marked along some axes; to count in 32 bits is twice as fast as in PyTorch's 64."""
    return marked.sum(axes, dtype=torch.int32).double()
