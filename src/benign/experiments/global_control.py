"""What training does to all neurons at once, at new points: Xu & Gu (2023), Lemmas 4.7 to 4.9 and Corollary 4.1.

With the mean pull G(t) = mean_i g_i the article says, for all t, all neurons j and nearly all test points x = y mu + z,

    (22)  a_j y <w_j(t) - w_j(0), x>  >=  c step_size m^(-1/2) (||mu||^2 - C sqrt(p log(pm/n) / n)) sum_{s<t} G(s),

hence a_j y <w_j(t), x> > 0; further E y f(x) >= c' gamma step_size ||mu||^2 sum_{s<t} G(s), and
||w_j(t+1) - w_j(t)|| <= C' step_size (p / (nm))^(1/2) G(t). The label y of a test point is its clean one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from benign.data import mixtures
from benign.data.mixtures import Mixture
from benign.errors import InputError
from benign.experiments import polluted
from benign.experiments.polluted import Polluted
from benign.experiments.setting import at_least
from benign.networks import activations
from benign.networks.two_layer import TwoLayer, read_out
from benign.train.neurons import TwoLayerSnapshot


@dataclass(frozen=True)
class GlobalControl(Polluted):
    """One row a record. A neuron is *right* for a test point if its sign is the point's clean label.

    ``awake`` is the share of the test points at which every right neuron is active and every opposite one silent
    (Corollary 4.1), ``obedient`` the share of the pairs of a neuron and a test point of which that is true. The others
    are constants. Of (22), ``rise`` is the mean over neurons and test points of the left side, in units of
    step_size m^(-1/2) ||mu||^2 sum_{s<t} G(s), and ``noise_constant`` the least C for all of them, if c is that mean.
    ``margin_constant`` is the c' that gives the mean margin of the test points (Lemma 4.8, gamma = 1), and
    ``length_constant`` the least C' for all neurons in the step after the record (Lemma 4.9). Before the first step
    only the last of the four is a number.
    """

    fresh_points: int = 300

    allows = dict(fresh_points=at_least(1))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.p * self.width <= self.n:
            raise InputError(f"p is {self.p} and width {self.width}: log(pm/n) in (22) needs p m > n = {self.n}")

    @staticmethod
    def run(batch: Sequence["GlobalControl"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, one row a record, the last after ``steps`` steps."""
        samples = [run.sample() for run in batch]
        starts = [run.network(sample) for run, sample in zip(batch, samples, strict=True)]
        rows, records = [[] for _ in batch], {*batch[0].records, batch[0].steps}

        def look(s: TwoLayerSnapshot) -> Tensor:
            if s.step in records:
                networks = s.network.to("cpu")
                for index, which in enumerate(s.runs.tolist()):
                    run, sample = batch[which], samples[which]
                    length = length_constant(run, sample, *(v[index].cpu() for v in (s.preactivations, s.g)))
                    seen = _at_test_points(run, sample, starts[which], networks.alone(index))
                    rows[which].append({"at_step": s.step, **seen, "length_constant": length})
            return s.runs

        watch = {"pull": lambda s: s.g.mean(-1), "look": look}
        pulls = polluted.train(batch, samples, watch, device, record=range(batch[0].steps + 1)).history["pull"]
        return [_in_units(*one) for one in zip(batch, rows, pulls.T.cpu().contiguous(), strict=True)]


def _in_units(run: GlobalControl, rows: list[dict[str, float]], pull: Tensor) -> pd.DataFrame:
    """The table of one run, from what was seen at its records and its mean pulls, shape (steps + 1,)."""
    table = pd.DataFrame(rows)
    pulled = [float(pull[:step].sum()) * run.step_size * run.signal**2 or math.nan for step in table.at_step]
    table["margin_constant"] /= pulled
    table["rise"] *= run.width**0.5 / torch.tensor(pulled).numpy()
    return table


def _at_test_points(run: GlobalControl, sample: Mixture, start: TwoLayer, network: TwoLayer) -> dict[str, float]:
    """What one network (a batch of one) does at fresh points of the mixture, beside the one that it started from."""
    x, y = mixtures.fresh_points(run.signal, sample.x.shape[1], run.seed, run.fresh_points)
    right, hidden = network.signs.T * y, network.weights[0] @ x.T
    towards, rise = right * hidden > 0, right * (hidden - start.weights[0] @ x.T)
    log = math.log(run.p * run.width / run.n)
    return {
        "awake": float(towards.all(0).double().mean()),
        "obedient": float(towards.double().mean()),
        "rise": float(rise.mean()),
        "noise_constant": float(1 - rise.min() / rise.mean()) * run.signal**2 / math.sqrt(run.p * log / run.n),
        "margin_constant": float((y * read_out(network.signs, network.activation(hidden.unsqueeze(0)))[0]).mean()),
    }


def length_constant(run: Polluted, sample: Mixture, preactivations: Tensor, g: Tensor) -> float:
    """The largest ||w_j(t+1) - w_j(t)|| of a neuron in units of step_size (p / (nm))^(1/2) G(t).

    By eq. (23) that is ||sum_i g_i y_i sigma'(<w_j, x_i>) x_i|| / ((np)^(1/2) G(t)).
    """
    slope = activations.named(run.activation).derivative(preactivations)
    moves = (slope * (sample.labels * g)) @ sample.x
    return float(moves.norm(dim=1).max() / (g.mean() * math.sqrt(run.n * run.p)))
