"""Networks of finite width trained to interpolation from many random starts, beside the kernel's prediction.

All networks of a run share a sample. Given its labels y, the kernel predicts for the mean of M networks the error

    (k(x)^T K^{-1} y - g(x))^2  +  initialisation / M,

the kernel machine's, which starts at f_0 = 0, and the initialisation part of the split, which an ensemble divides.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pandas as pd
import torch
from annotated_types import Ge
from pydantic import AfterValidator

from benign import seeds
from benign.experiments.ntk_regression import TARGETS, targets
from benign.experiments.samples import sphere
from benign.experiments.setting import AMOUNT, POSITIVE, Alone, Setting, at_least, one_of
from benign.networks import activations, deep
from benign.ntk import analytic, regression
from benign.train import deep as train_deep
from benign.train.losses import SQUARED
from benign.train.problem import loss_at_most


def _power_of_two(count: int) -> None:
    if count & (count - 1):
        raise ValueError("it must be a power of two")


@dataclass(frozen=True)
class NetworkSplit(Alone, Setting):
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

    allows = dict(
        n=at_least(1), d=at_least(2), depth=at_least(2), width=at_least(1), target=one_of(*TARGETS),
        noise_variance=AMOUNT, networks=Annotated[int, Ge(2), AfterValidator(_power_of_two)], level=POSITIVE,
        steps=at_least(1), test_points=at_least(1),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = ()

    def table(self, device: str) -> pd.DataFrame:
        """One row an ensemble size."""
        x = sphere(self.n, self.d, self.seed, "inputs on the sphere").to(device)
        z = sphere(self.test_points, self.d, self.seed, "test points on the sphere").to(device)
        on_sample, at_points = (targets(points, self.target)[:, 0] for points in (x, z))
        noise = torch.from_numpy(seeds.generator(self.seed, "label noise").standard_normal(self.n)).to(device)
        labels = on_sample + math.sqrt(self.noise_variance) * noise

        cross, solution = (
            analytic.kernel(z, x, depth=self.depth),
            regression.factor(analytic.kernel(x, depth=self.depth)),
        )
        split = solution.split(
            cross,
            target=(at_points, on_sample),
            noise_variance=self.noise_variance,
            sigma=analytic.kernel(x, depth=self.depth, kind="nngp"),
            sigma_cross=analytic.kernel(z, x, depth=self.depth, kind="nngp"),
            sigma_diagonal=analytic.diagonal(z, depth=self.depth, kind="nngp"),
        )
        machine = float((solution.predict(cross, labels) - at_points).square().mean())
        start = float(split.initialisation.mean())

        widths = (self.d, *[self.width] * (self.depth - 1), 1)
        starts = [self.seed * self.networks + member for member in range(self.networks)]
        trained = train_deep.train(
            deep.initialise(widths, starts, activations.named("relu")).to(device),
            x.expand(self.networks, -1, -1),
            labels.expand(self.networks, -1),
            # The largest eigenvalue of a narrow network's kernel is above the limit's: half of what is stable there.
            step_size=self.n / float(solution.eigenvalues[-1]),
            steps=self.steps,
            loss=SQUARED,
            stop=loss_at_most(self.level),
        )
        outputs = trained.network(z)
        loss = float((trained.network(x) - labels).square().mean(1).max() / 2)
        sizes = [2**k for k in range(self.networks.bit_length())]
        groups = {size: outputs.reshape(-1, size, self.test_points).mean(1) for size in sizes}
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
