"""How linear the decision boundary of a leaky network is, and which linear classifier it is, along the training.

A leaky ReLU is the sum of a linear and an even function, sigma(u) = (1 + s)/2 u + (1 - s)/2 |u|. So f has the odd part
(1 + s)/2 m^(-1/2) <v, x>, which is linear, with v = sum_j a_j w_j.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float64
from scipy.stats import norm
from torch import Tensor

from benign.data.clusters import Sample
from benign.errors import InputError
from benign.experiments.polluted import HOMOGENEOUS, LOSSES, tables_at_records
from benign.experiments.setting import one_of
from benign.experiments.several_means import SeveralMeans
from benign.networks.two_layer import TwoLayer
from benign.train import max_margin


@dataclass(frozen=True)
class LeakyBoundary(SeveralMeans):
    """A leaky network on two Gaussian clusters mu and -mu along its training, beside the linear classifier v.

    ``disagreement`` is the share of fresh points where f and <v, x> differ in sign; ``even_part`` the length of the
    even part of f there over that of the odd one; ``linear_test_error`` the exact error of v. What begins with
    ``cosine`` is that of v and of the direction of a rival, see ``rivals``.
    """

    activation: str = "leaky_relu(0.1)"

    allows = dict(activation=HOMOGENEOUS, noise=one_of("gaussian"), stop=one_of("never"))

    def __post_init__(self) -> None:
        if (self.gram, self.classes) != (SeveralMeans.gram, SeveralMeans.classes):
            raise InputError(f"gram is {self.gram}, classes {self.classes}: they must be those of mu and -mu")
        super().__post_init__()

    @staticmethod
    def run(batch: Sequence["LeakyBoundary"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, one row a record."""
        return tables_at_records(batch, _look, device)


def rivals(x: Float64[Tensor, "n q"], labels: Float64[Tensor, " n"], slope: float) -> dict[str, Tensor]:
    """Directions sum_i beta_i y_i x_i: averaging, beta_i = 1; the largest margin; and that of a leaky network.

    If its neurons are active at the samples of their own label and at no others, the v of a network of largest margin
    is that of the kernel <x_i, x_k>, times 1 + slope^2 for equal labels and 2 slope for others (our calculation, from
    the conditions in Frei et al. 2023, Proposition 4).
    """
    pulls = labels[:, None] * x
    equal = labels[:, None] == labels
    kernels = {"max_margin": 1.0, "leaky_margin": torch.where(equal, 1 + slope**2, 2 * slope)}
    found = {name: max_margin.coefficients((pulls @ pulls.mT * k).numpy()) for name, k in kernels.items()}
    return {"averaging": pulls.sum(0)} | {name: torch.from_numpy(beta) @ pulls for name, beta in found.items()}


@functools.lru_cache(maxsize=16)
def _rivals(run: LeakyBoundary, slope: float) -> dict[str, Tensor]:
    """The rivals along a run, found once: on thousands of points that no line separates they take half an hour."""
    sample = run.sample()
    return rivals(sample.x, sample.labels, slope)


def _look(run: LeakyBoundary, sample: Sample, network: TwoLayer) -> dict[str, list[float]]:
    v = network.signs[0] @ network.weights[0]
    slope = network.activation.derivative(v.new_tensor([-1.0])).item()
    margins = sample.labels * network(sample.x)[0]
    x, y = next(sample.law.fresh_points(len(v), run.seed, run.test_points, run.test_points))
    outputs, linear = network(x)[0], x @ v
    odd = (1 + slope) / 2 * linear / run.width**0.5
    row = {
        "loss": float(LOSSES[run.loss_function].value(margins).mean()),
        "training_error": float((~(margins > 0)).double().mean()),
        "test_error": float((~(y * outputs > 0)).double().mean()),
        "linear_test_error": float(norm.sf(v[0] * abs(run.signal) / v.norm())),
        "disagreement": float(((outputs > 0) != (linear > 0)).double().mean()),
        "even_part": float((outputs - odd).norm() / odd.norm()),
    }
    cosines = {name: w @ v / w.norm() / v.norm() for name, w in _rivals(run, slope).items()}
    row |= {f"cosine_{name}": float(cosine) for name, cosine in cosines.items()}
    return {name: [value] for name, value in row.items()}
