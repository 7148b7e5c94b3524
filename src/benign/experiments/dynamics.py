"""Gradient descent watched at every step: what the lemmas of Xu & Gu (2023) say that each step does.

A pair (neuron j, sample i) is *right* if a_j = y_i: then a larger <w_j, x_i> helps to fit the label y_i. The lemmas
speak of single steps, so every step is looked at, and the table has the extremes of all steps so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor

from benign.data.mixtures import Mixture
from benign.experiments import polluted
from benign.experiments.polluted import Polluted
from benign.train import history
from benign.train.neurons import active


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
        signs = polluted.initial_networks(batch, samples).signs
        watch = {"margins": history.margins, "active": active}
        seen = polluted.train(batch, samples, watch, device, record=range(batch[0].steps + 1)).history
        margins, on = (seen[name].transpose(0, 1).cpu() for name in watch)  # (runs, steps + 1, ...)
        return [_table(*one) for one in zip(batch, samples, signs, margins, on, strict=True)]


def _table(run: Dynamics, sample: Mixture, signs: Tensor, margins: Tensor, on: Tensor) -> pd.DataFrame:
    """The table of one run, from its margins (steps + 1, n) and its activation patterns (steps + 1, m, n)."""
    loss, flipped = polluted.LOSSES[run.loss_function], sample.flipped.numpy()
    losses, g = loss.value(margins).numpy(), loss.negative_derivative(margins).numpy()
    margins, right = margins.numpy(), signs.unsqueeze(1) == sample.labels
    alive, pairs = on & right, right.sum(0).numpy()
    of_sample, of_neuron, opposite = _count(alive, 1), _count(alive, 2), _count(on & ~right, 1)
    died = _count(alive[:-1] & ~alive[1:], 1).sum(1)
    unit = g[:-1] * run.step  # step = step size * p / n
    growth = _after_a_step(np.diff(margins, axis=0) / unit)
    fall = _after_a_step(-np.diff(losses, axis=0) / (unit * g[:-1]))
    g_ratio = g.max(1) / g.min(1)

    def mean(values: np.ndarray, kind: np.ndarray, of: np.ndarray | float = 1.0) -> np.ndarray:
        """The mean over the samples of a kind, each of which counts as so many."""
        with np.errstate(invalid="ignore"):
            return values[:, kind].sum(1) / (kind * of)[kind].sum()

    table = pd.DataFrame(
        {
            "at_step": np.arange(run.steps + 1),
            "clock": run.step * np.arange(run.steps + 1),
            "loss": losses.mean(1),
            "loss_clean": mean(losses, ~flipped),
            "loss_flipped": mean(losses, flipped),
            "largest_loss": losses.max(1),
            "mean_g": g.mean(1),
            "g_ratio": g_ratio,
            "margin_clean": mean(margins, ~flipped),
            "margin_flipped": mean(margins, flipped),
            "smallest_margin": margins.min(1),
            "right_clean": mean(of_sample, ~flipped, pairs),
            "right_flipped": mean(of_sample, flipped, pairs),
            "opposite_clean": mean(opposite, ~flipped, run.width - pairs),
            "opposite_flipped": mean(opposite, flipped, run.width - pairs),
            "least_of_neuron": of_neuron.min(1) / run.n,
            "least_of_sample": of_sample.min(1) / run.width,
            "deaths": np.cumsum([0, *died]),
            "least_growth": np.fmin.accumulate(growth.min(1)),
            "largest_growth": np.fmax.accumulate(growth.max(1)),
            "growth_clean": mean(growth, ~flipped),
            "growth_flipped": mean(growth, flipped),
            "least_fall": np.fmin.accumulate(fall.min(1)),
            "largest_fall": np.fmax.accumulate(fall.max(1)),
            "largest_g_ratio": np.maximum.accumulate(g_ratio),
            "clocked_loss": np.fmax.accumulate(run.step * np.arange(run.steps + 1) * losses.max(1)),
            "lowest_margin": np.minimum.accumulate(margins.min(1)),
        }
    )
    return table.loc[sorted({*run.records, run.steps})].reset_index(drop=True)


def _count(marked: Tensor, axis: int) -> np.ndarray:
    """How many are marked along an axis: in single bytes, which hold 255, far faster than in PyTorch's integers."""
    ones = np.moveaxis(marked.numpy().view(np.uint8), axis, 0)
    pieces = [ones[first : first + 255] for first in range(0, len(ones), 255)]
    return sum(np.add.reduce(piece, dtype=np.uint8).astype(np.int32) for piece in pieces)


def _after_a_step(changes: np.ndarray) -> np.ndarray:
    """What each step changed, at the step that it led to; nothing led to the start."""
    return np.vstack([np.full(changes.shape[1], np.nan), changes])
