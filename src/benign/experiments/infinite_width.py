"""The lazy limit: the same training for an infinitely wide network, in the space of functions.

As the widths grow, f_0 becomes a Gaussian process with covariance s^{2L} Sigma_L, and the tangent kernel
K = s^{2(L-1)} Theta_L does not move. Then f = f_0 + sum_i c_i K(x_i, .), and SGD changes the coefficients only,

    c_i <- c_i + (step_size / |B|) (-dl/df)(x_i)    for the points i of the mini-batch B.

No width, no weights. Data, test points and mini-batches of a seed are those of the finite networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from benign import seeds
from benign.experiments.deep_classification import wrong
from benign.experiments.separated import Separated
from benign.ntk import analytic
from benign.train.losses import LOGISTIC


@dataclass(frozen=True)
class InfiniteWidth(Separated):
    """The limit of ``DeepClassification`` for infinite width."""

    @staticmethod
    def run(batch: Sequence["InfiniteWidth"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run."""
        return [pd.DataFrame([_row(run)]) for run in batch]


def _row(run: InfiniteWidth) -> dict[str, float]:
    (x, labels, _), (x_test, y_test) = run.sample(), run.fresh()
    kernel = run.kernel_scale * analytic.kernel(x, depth=run.depth)
    start = initial(run, torch.cat([x, x_test]))
    coefficients, steps = descend(run, kernel, start[: run.n], labels)
    outputs = start[: run.n] + kernel @ coefficients
    learned = run.kernel_scale * analytic.kernel(x_test, x, depth=run.depth) @ coefficients
    return {
        "steps_taken": steps,
        "loss": float(LOGISTIC.at(outputs, labels).mean()),
        "training_error": wrong(outputs, labels),
        "test_error": wrong(start[run.n :] + learned, y_test),
        "centred_error": wrong(learned, y_test),
        "learned_margin": float((y_test * learned).mean()),
        "learned_spread": float((y_test * learned).std()),
    }


def initial(run: Separated, points: Tensor) -> Tensor:
    """The values of f_0 at the points, a draw of the Gaussian process with covariance s^{2L} Sigma_L."""
    covariance = analytic.kernel(points, depth=run.depth, kind="nngp")
    draw = torch.from_numpy(seeds.generator(run.seed, "initial function").standard_normal(len(points)))
    return run.init_noise * torch.linalg.cholesky(covariance) @ draw


def descend(run: Separated, kernel: Tensor, start: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """The coefficients c when the loss is at ``level`` or the epochs are over, and the steps taken."""
    rng = seeds.generator(run.seed, "mini-batch order")  # that of ``train.deep``
    coefficients, steps = torch.zeros_like(labels), 0
    for _ in range(run.epochs):
        if LOGISTIC.at(start + kernel @ coefficients, labels).mean() <= run.level:
            break
        for points in torch.from_numpy(rng.permutation(run.n)).split(run.batch_points):
            outputs = start[points] + kernel[points] @ coefficients
            coefficients[points] += run.step_size / len(points) * LOGISTIC.force(outputs, labels[points])
            steps += 1
    return coefficients, steps
