"""How well two classes of images are separated, and how benign it is to fit their polluted labels.

The separation is measured on the sample with its clean labels, the images scaled to unit length. Four measures are
geometric. The fifth knows what will be learned: leave one point out, fit the kernel K of the lazily trained, infinitely
wide network to the clean labels of the others, and look at the output f at the point and at the weights a of the
others' labels in it. If each label is then flipped with probability eta, independently, the output has the mean
(1 - 2 eta) f and the variance 4 eta (1 - eta) ||a||^2. So with a Gaussian law the point is lost with the probability

    Q((1 - 2 eta) y f / sqrt(4 eta (1 - eta) ||a||^2)),

and the mean over the points, less the share with y f <= 0, predicts the cost of the noise without any test point. With
B = K^{-1} and c = B y, leaving out needs no refit: y_i - f_i = c_i / B_ii and ||a_i||^2 = sum_{j != i} B_ij^2 / B_ii^2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm
from torch import Tensor

from benign.data.images import Problem
from benign.experiments import outcomes
from benign.experiments.deep_training import missed, wide_starts
from benign.experiments.samples import DigitPair
from benign.experiments.setting import AMOUNT, Together, at_least
from benign.ntk import analytic


@dataclass(frozen=True, kw_only=True)
class Separation(Together, DigitPair):
    """Kernel regression with Theta_L on n images of two classes, with right labels and with wrong ones among them.

    It is what a lazily trained, infinitely wide ReLU network with ``depth`` layers says that fits every label with the
    same margin, one that starts at zero, or from an f_0 with the standard deviation ``init_noise`` in units of it. Test
    labels are clean.
    """

    n: int
    label_noise: float
    seed: int
    depth: int = 3
    init_noise: float = 0.0

    # distances within each class need two images of it
    allows = dict(n=at_least(4), depth=at_least(2), init_noise=AMOUNT)
    #: What the images and their labels depend on.
    batched_by: ClassVar[tuple[str, ...]] = (
        "images", "negative", "positive", "n", "label_noise", "balanced", "seed",
    )  # fmt: skip

    @staticmethod
    def tables(runs: Sequence["Separation"], device: str) -> list[pd.DataFrame]:
        """One row each."""
        (p,) = DigitPair.problems(runs[:1])
        wanted = [(run.depth, "ntk") for run in runs]
        kernels, crosses = analytic.kernels(p.x, wanted=wanted), analytic.kernels(p.x_test, p.x, wanted=wanted)
        scales = [run.init_noise for run in runs]
        starts = wide_starts(torch.cat([p.x, p.x_test]), [run.depth for run in runs], scales, runs[0].seed)
        measured = geometry(p.x, p.clean)
        return [
            pd.DataFrame([measured | _errors(run, p, kernels[run.depth, "ntk"], crosses[run.depth, "ntk"], start)])
            for run, start in zip(runs, starts, strict=True)
        ]


def _errors(run: Separation, p: Problem, kernel: Tensor, cross: Tensor, both: Tensor) -> dict[str, float | str]:
    """The columns that the kernel decides, from its matrices and from f_0 on the sample and at the test images."""
    labels = torch.stack([p.clean, p.labels], 1)
    start, start_test = both.split([run.n, len(p.x_test)])
    coefficients = torch.cholesky_solve(labels - start.unsqueeze(1), torch.linalg.cholesky(kernel))
    right, polluted = (start_test.unsqueeze(1) + cross @ coefficients).unbind(1)
    row = {"predicted_excess": predicted_excess(kernel, p.clean, run.label_noise)}
    row["clean_error"], row["noisy_error"] = (missed(p.labels_test * f) for f in (right, polluted))
    row["excess"] = row["noisy_error"] - row["clean_error"]
    without, with_noise = ((~(p.labels_test * f > 0)).long() for f in (right, polluted))
    return row | outcomes.written(2 * without + with_noise, p.labels_test)


def lost(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Which test images each run loses with right labels, and with wrong ones, both of shape (runs, images, 2)."""
    found = outcomes.read(table)
    return found >= 2, found % 2 == 1


def geometry(x: Tensor, labels: Tensor) -> dict[str, float]:
    """Inner products and distances of unit vectors within the classes and between them.

    ``within_negative``, ``within_positive`` and ``between`` are mean inner products of different points;
    ``distance_within`` and ``distance_between`` mean distances, ``closest`` the smallest distance of two points of
    different classes. ``margin`` is half the distance of the class means in units of the standard deviation within the
    classes along their difference (for two Gaussian clusters: ||mu|| over the noise's). ``confusion`` is the share of
    points whose nearest neighbour among the others is of the other class.
    """
    products = x @ x.mT
    distances = (2 - 2 * products).clamp(min=0).sqrt()
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    distinct = ~torch.eye(len(x), dtype=torch.bool)
    negative, positive = (labels == sign for sign in (-1, 1))
    difference = x[positive].mean(0) - x[negative].mean(0)
    along = x @ difference / difference.norm()
    spread = torch.cat([along[part] - along[part].mean() for part in (negative, positive)]).std()
    nearest = distances.masked_fill(~distinct, torch.inf).argmin(1)
    return {
        "within_negative": float(products[negative][:, negative][distinct[negative][:, negative]].mean()),
        "within_positive": float(products[positive][:, positive][distinct[positive][:, positive]].mean()),
        "between": float(products[~same].mean()),
        "distance_within": float(distances[same & distinct].mean()),
        "distance_between": float(distances[~same].mean()),
        "closest": float(distances[~same].min()),
        "margin": float(difference.norm() / 2 / spread),
        "confusion": float((labels[nearest] != labels).double().mean()),
    }


def predicted_excess(kernel: Tensor, labels: Tensor, label_noise: float) -> float:
    """The cost of fitting polluted labels, predicted from a kernel matrix and clean labels by leaving one out."""
    inverse = torch.linalg.inv(kernel)
    own = inverse.diagonal()
    margins = 1 - labels * (inverse @ labels) / own
    weights = (inverse.square().sum(1) - own.square()).sqrt() / own
    lost = (margins <= 0).double().mean()
    if label_noise == 0:
        return 0.0
    signal = (1 - 2 * label_noise) * margins / (2 * (label_noise * (1 - label_noise)) ** 0.5 * weights)
    return float(norm.sf(signal.numpy()).mean() - lost)
