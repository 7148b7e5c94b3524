"""Which part of the labels the tangent kernel fits when: label noise and a linear target under gradient flow.

The flow is linear in the labels (``ntk.regression``), so their parts are followed one by one, exactly.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from scipy.optimize import brentq
from torch import Tensor

from benign import seeds
from benign.experiments.samples import sphere
from benign.experiments.setting import Alone, Setting, at_least
from benign.ntk import analytic, regression


@dataclass(frozen=True)
class Fitting(Alone, Setting):
    """Gradient flow on n points of the sphere in R^d, with the kernel of an infinitely wide ReLU network; on the CPU.

    The labels have two parts: <theta, x_i> with theta ~ N(0, I), and independent N(0, 1) noise. Times are tau = t/n,
    ``times`` of them, equidistant on a logarithmic scale from 1/100 to 100.
    """

    n: int
    d: int
    depth: int
    seed: int
    times: int = 41

    allows = dict(n=at_least(2), d=at_least(2), depth=at_least(2), times=at_least(2))
    batched_by: ClassVar[tuple[str, ...]] = ("n", "d", "depth", "times")

    def table(self, device: str) -> pd.DataFrame:
        """One row a time ``tau``.

        ``noise_left`` and ``linear_left`` are the shares of the parts' squared norms that are not fitted yet. In every
        row there are the ``smallest`` eigenvalue, the times ``noise_half`` and ``linear_half`` at which one half is
        left, and ``noise_done``, at which one hundredth of the noise is.
        """
        x = sphere(self.n, self.d, self.seed)
        rng = seeds.generator(self.seed, "labels of a kernel machine")
        linear = x @ torch.from_numpy(rng.standard_normal(self.d))
        noise = torch.from_numpy(rng.standard_normal(self.n))
        factored = regression.factor(analytic.kernel(x, depth=self.depth))
        tau = np.geomspace(0.01, 100, self.times)
        table = pd.DataFrame({"tau": tau})
        for name, part in (("noise", noise), ("linear", linear)):
            table[f"{name}_left"] = [left(factored, part, time) for time in tau]
            table[f"{name}_half"] = time_until(factored, part, 1 / 2)
        table["noise_done"] = time_until(factored, noise, 1 / 100)
        return table.assign(smallest=float(factored.smallest_eigenvalue))


def left(factored: regression.Factored, part: Tensor, tau: float) -> float:
    """The share ||exp(-tau K) y||^2 / ||y||^2 of a part y of the labels that is not fitted at the time tau = t/n."""
    return float(factored.residuals(part, tau * len(part)).square().sum() / part.square().sum())


def time_until(factored: regression.Factored, part: Tensor, share: float) -> float:
    """The time tau at which this share of the squared norm is left."""
    slowest = math.log(1 / share) / (2 * float(factored.smallest_eigenvalue))  # nothing takes longer
    return brentq(lambda tau: left(factored, part, tau) - share, 0, 1.001 * slowest)
