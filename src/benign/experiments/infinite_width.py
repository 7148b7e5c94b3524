"""The lazy limit: the same training for an infinitely wide network, in the space of functions.

As the widths grow, f_0 becomes a Gaussian process with covariance s^{2L} Sigma_L, and the tangent kernel
K = s^{2(L-1)} Theta_L does not move. Then f = f_0 + sum_i c_i K(x_i, .), and SGD changes the coefficients only,

    c_i <- c_i + (step_size / |B|) (-dl/df)(x_i)    for the points i of the mini-batch B.

No width, no weights. Data, test points and mini-batches of a seed are those of the finite networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor

from benign import seeds
from benign.experiments.deep_training import LazyTraining, missed, wide_starts
from benign.experiments.samples import Separated
from benign.experiments.setting import Together, at_least
from benign.ntk import analytic, regression
from benign.theory.lazy_regime import margin_at
from benign.train import compiled
from benign.train.losses import LOGISTIC


@dataclass(frozen=True, kw_only=True)
class InfiniteWidth(Together, Separated, LazyTraining):
    """The limit of ``DeepClassification`` for infinite width, beside its twin with equal margins at all points.

    The twin is gradient flow on the squared loss from the same f_0 to the targets q y_i; q is the margin at which the
    logistic loss is ``level``. ``offset`` is the mean of the outputs over the test points of both classes, each
    counting half, in units of q.
    """

    allows = dict(d=at_least(2))  # on a line all kernels are singular
    #: What the points and their labels depend on.
    batched_by: ClassVar[tuple[str, ...]] = (
        "seed", "n", "d", "separation", "label_noise", "balanced", "balanced_noise", "test_points",
    )  # fmt: skip

    @staticmethod
    def tables(runs: Sequence["InfiniteWidth"], device: str) -> list[pd.DataFrame]:
        """One row each; always on the CPU."""
        (x, labels, _), (x_test, y_test) = runs[0].sample(), runs[0].fresh()
        wanted = [(run.depth, "ntk") for run in runs]
        kernels, crosses = analytic.kernels(x, wanted=wanted), analytic.kernels(x_test, x, wanted=wanted)
        found = []
        for run, both in zip(runs, initials(runs, torch.cat([x, x_test])), strict=True):
            kernel, cross = (run.kernel_scale * matrices[run.depth, "ntk"] for matrices in (kernels, crosses))
            start, start_test = both.split([run.n, run.test_points])
            coefficients, steps = descend(run, kernel, start, labels)
            outputs, q = start + kernel @ coefficients, margin_at(run.level)
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
            found.append(pd.DataFrame([row]))
        return found


def initials(runs: Sequence[LazyTraining], points: Tensor) -> list[Tensor]:
    """The values of f_0 at the points, or zero; the runs are of one seed."""
    scales = [0 if run.centred else run.init_noise for run in runs]
    return wide_starts(points, [run.depth for run in runs], scales, runs[0].seed)


def descend(run: LazyTraining, kernel: Tensor, start: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """The coefficients c when training has reached its end or the epochs are over, and the steps taken."""
    rng = seeds.generator(run.seed, "mini-batch order")  # that of ``train.deep``
    coefficients, steps = torch.zeros_like(labels), 0
    c, k, f0, y = (tensor.numpy() for tensor in (coefficients, kernel, start, labels))
    how = run.stop.level, run.stop.fitted, run.step_size
    for _ in range(run.epochs):
        if compiled.descend_on_kernel(k, f0, y, *how, rng.permutation(run.n), run.batch_points, c):
            break
        steps += -(-run.n // run.batch_points)
    return coefficients, steps


def _offset(outputs: Tensor, labels: Tensor) -> float:
    return float(sum(outputs[labels == sign].mean() for sign in (-1, 1)) / 2)
