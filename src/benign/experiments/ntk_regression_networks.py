"""Networks of finite width trained to interpolation from many random starts, beside the kernel's prediction.

All networks of a run share a sample. Given its labels y, the kernel predicts for the mean of M networks the error

    (k(x)^T K^{-1} y - g(x))^2  +  initialisation / M,

the kernel machine's, which starts at f_0 = 0, and the initialisation part of the split, which an ensemble divides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch

from benign import seeds
from benign.errors import InputError
from benign.experiments.ntk_regression import TARGETS, sphere, targets
from benign.networks import activations, deep
from benign.ntk import analytic, regression
from benign.train import deep as train_deep
from benign.train.losses import SQUARED
from benign.train.problem import loss_at_most


@dataclass(frozen=True)
class NetworkSplit:
    """One row an ensemble size 1, 2, 4, ..., ``networks``.

    ``error`` is the squared error of an ensemble against the clean target, a mean over test points and over the
    disjoint ensembles of that size; ``machine_error`` that of the kernel machine, ``predicted`` the kernel's prediction
    for ``error``. Networks train with the parameterisation "ntk", all layers, by full-batch gradient descent on the
    squared loss until it is at most ``level``; ``loss`` is the largest of them when they end.
    """

    n: int
    d: int
    depth: int
    width: int
    target: str
    noise_variance: float
    seed: int
    networks: int = 16
    level: float = 1e-5
    steps: int = 20_000
    test_points: int = 300

    batched_by: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if self.d < 2 or self.depth < 2 or min(self.n, self.width, self.test_points, self.steps) < 1:
            raise InputError(
                f"d is {self.d}, depth {self.depth}, n {self.n}, width {self.width}, test_points {self.test_points} "
                f"and steps {self.steps}: d and depth must be at least 2, the others at least 1"
            )
        if self.target not in TARGETS:
            raise InputError(f"target is {self.target!r}: it must be one of {', '.join(TARGETS)}")
        if self.networks < 2 or self.networks & (self.networks - 1):
            raise InputError(f"networks is {self.networks}: it must be a power of two, at least 2")
        if not self.noise_variance >= 0 or not self.level > 0:
            raise InputError(
                f"noise_variance is {self.noise_variance} and level is {self.level}: the first must not be negative, "
                "the loss to reach must be positive"
            )

    @staticmethod
    def run(batch: Sequence["NetworkSplit"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, with one row an ensemble size."""
        return [_table(run, device) for run in batch]


def _table(run: NetworkSplit, device: str) -> pd.DataFrame:
    x = sphere(run.n, run.d, run.seed, "inputs on the sphere").to(device)
    z = sphere(run.test_points, run.d, run.seed, "test points on the sphere").to(device)
    on_sample, at_points = (targets(points, run.target)[:, 0] for points in (x, z))
    noise = torch.from_numpy(seeds.generator(run.seed, "label noise").standard_normal(run.n)).to(device)
    labels = on_sample + math.sqrt(run.noise_variance) * noise

    cross, solution = analytic.kernel(z, x, depth=run.depth), regression.factor(analytic.kernel(x, depth=run.depth))
    split = solution.split(
        cross,
        target=(at_points, on_sample),
        noise_variance=run.noise_variance,
        sigma=analytic.kernel(x, depth=run.depth, kind="nngp"),
        sigma_cross=analytic.kernel(z, x, depth=run.depth, kind="nngp"),
        sigma_diagonal=analytic.diagonal(z, depth=run.depth, kind="nngp"),
    )
    machine = float((solution.predict(cross, labels) - at_points).square().mean())
    start = float(split.initialisation.mean())

    widths = (run.d, *[run.width] * (run.depth - 1), 1)
    starts = [run.seed * run.networks + member for member in range(run.networks)]
    trained = train_deep.train(
        deep.initialise(widths, starts, activations.named("relu")).to(device),
        x.expand(run.networks, -1, -1),
        labels.expand(run.networks, -1),
        # The largest eigenvalue of a narrow network's kernel is above the limit's: half of what is stable there.
        step_size=run.n / float(solution.eigenvalues[-1]),
        steps=run.steps,
        loss=SQUARED,
        stop=loss_at_most(run.level),
    )
    outputs = trained.network(z)
    loss = float((trained.network(x) - labels).square().mean(1).max() / 2)
    sizes = [2**k for k in range(run.networks.bit_length())]
    groups = {size: outputs.reshape(-1, size, run.test_points).mean(1) for size in sizes}
    return pd.DataFrame(
        {
            "ensemble": sizes,
            "error": [float((groups[size] - at_points).square().mean()) for size in sizes],
            "predicted": [machine + start / size for size in sizes],
            "machine_error": machine,
            "initialisation": start,
            "loss": loss,
            "steps_taken": int(trained.steps.max()),
        }
    )
