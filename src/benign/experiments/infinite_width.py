"""The lazy limit: the same training for an infinitely wide network, in the space of functions.

As the widths grow, f_0 becomes a Gaussian process with covariance s^{2L} Sigma_L, and the tangent kernel
K = s^{2(L-1)} Theta_L does not move. Then f = f_0 + sum_i c_i K(x_i, .), and SGD changes the coefficients only,

    c_i <- c_i + (step_size / |B|) (-dl/df)(x_i)    for the points i of the mini-batch B.

No width, no weights. Data, test points and mini-batches of a seed are those of the finite networks.
"""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from scipy.special import expit
from torch import Tensor

from benign import seeds
from benign.experiments.deep_training import LazyTraining, missed, wide_start
from benign.experiments.samples import Separated
from benign.experiments.setting import Alone
from benign.ntk import analytic, regression
from benign.theory.lazy_regime import margin_at
from benign.train.losses import LOGISTIC


@dataclass(frozen=True, kw_only=True)
class InfiniteWidth(Alone, Separated, LazyTraining):
    """The limit of ``DeepClassification`` for infinite width, beside its twin with equal margins at all points.

    The twin is gradient flow on the squared loss from the same f_0 to the targets q y_i; q is the margin at which the
    logistic loss is ``level``. ``offset`` is the mean of the outputs over the test points of both classes, each
    counting half, in units of q.
    """

    batched_by: ClassVar[tuple[str, ...]] = (*LazyTraining.batched_by, "d", "test_points")

    def table(self, device: str) -> pd.DataFrame:
        """One row; always on the CPU."""
        (x, labels, _), (x_test, y_test) = self.sample(), self.fresh()
        kernel, cross = (
            self.kernel_scale * analytic.kernel(a, b, depth=self.depth) for a, b in ((x, None), (x_test, x))
        )
        start, start_test = initial(self, torch.cat([x, x_test])).split([self.n, self.test_points])
        coefficients, steps = descend(self, kernel, start, labels)
        outputs, q = start + kernel @ coefficients, margin_at(self.level)
        fresh = start_test + cross @ coefficients
        equal = regression.factor(kernel).predict(cross, q * labels, initial=(start_test, start))
        row = {
            "steps_taken": steps,
            "loss": float(LOGISTIC.at(outputs, labels).mean()),
            "training_error": missed(labels * outputs),
            "label_mean": float(labels.mean()),
            "test_error": missed(y_test * fresh),
            "offset": _offset(fresh, y_test) / q,
            "equal_test_error": missed(y_test * equal),
            "equal_offset": _offset(equal, y_test) / q,
        }
        return pd.DataFrame([row])


def initial(run: LazyTraining, points: Tensor) -> Tensor:
    """The values of f_0 at the points, or zero."""
    return wide_start(points, run.depth, 0 if run.centred else run.init_noise, run.seed)


def descend(run: LazyTraining, kernel: Tensor, start: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """The coefficients c when training has reached its end or the epochs are over, and the steps taken."""
    rng = seeds.generator(run.seed, "mini-batch order")  # that of ``train.deep``
    coefficients, steps = torch.zeros_like(labels), 0
    c, k, f0, y = (tensor.numpy() for tensor in (coefficients, kernel, start, labels))  # small steps: NumPy is faster
    for _ in range(run.epochs):
        outputs = start + kernel @ coefficients
        if run.stop(labels * outputs, LOGISTIC.at(outputs, labels)):
            break
        order = rng.permutation(run.n)
        for first in range(0, run.n, run.batch_points):
            points = order[first : first + run.batch_points]
            margins = y[points] * (f0[points] + k[points] @ c)
            c[points] += run.step_size / len(points) * y[points] * expit(-margins)
            steps += 1
    return coefficients, steps


def _offset(outputs: Tensor, labels: Tensor) -> float:
    return float(sum(outputs[labels == sign].mean() for sign in (-1, 1)) / 2)
