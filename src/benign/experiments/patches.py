"""Convolutions on samples of two patches, in the units of Cao et al. (2022) and Kou et al. (2023)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pandas as pd
import torch
from annotated_types import Ge

from benign import seeds
from benign.data.patches import NOISES, PatchSample, TwoPatches
from benign.experiments.polluted import ENGINES, of_each
from benign.experiments.setting import AMOUNT, FINITE, POSITIVE, SHARE, Setting, at_least, one_of
from benign.networks import activations
from benign.networks.two_layer import TwoLayer
from benign.train import history
from benign.train.losses import LOGISTIC
from benign.train.problem import loss_at_most, pool


@dataclass(frozen=True)
class Convolution(Setting):
    """F(x) = k sum_j a_j sum_p (<w_j, x_p> + b_j)_+^q, trained on n samples of the patches y mu and xi.

    There are ``filters`` of each output sign a_j, and q is the ``exponent``. The factor k is 1/filters where the mean
    is over "filters", as in the articles, 1/2 where it is over "patches", and 1 where it is over "none". The initial
    w_j, and the b_j where there are ``biases``, have the standard deviation ``init_scale``; they are normal or
    ``uniform``. Gradient descent on the mean logistic loss of y F, which is the cross-entropy of two logits, ends after
    ``steps`` steps or at the loss ``level``. Labels are wrong independently with probability ``label_noise``. Errors
    and losses in testing are those on clean labels.
    """

    n: int
    d: int
    signal: float
    label_noise: float
    seed: int
    noise: str = "orthogonal"
    noise_scale: float = 1.0
    biases: bool = False
    exponent: float = 1.0
    filters: int = 10
    mean: str = "filters"
    init_scale: float = 0.01
    uniform: bool = False
    step_size: float = 0.1
    steps: int = 100
    level: float = 0.0
    frame: str = "reduced"
    engine: str = "span"
    test_points: int = 1000

    allows = dict(
        n=at_least(1), d=at_least(1), signal=AMOUNT, label_noise=SHARE, noise=one_of(*NOISES), noise_scale=POSITIVE,
        biases=bool, exponent=Annotated[float, FINITE, Ge(1)], filters=at_least(1),
        mean=one_of("filters", "patches", "none"), init_scale=POSITIVE, uniform=bool, step_size=POSITIVE,
        steps=at_least(0), level=AMOUNT, frame=one_of("reduced", "ambient"), engine=one_of(*ENGINES),
        test_points=at_least(1),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = (
        "n", "d", "noise", "biases", "exponent", "filters", "steps", "level", "frame", "engine",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        self.law()
        if self.uniform and self.frame != "ambient":
            self.sample()  # says why not

    def law(self) -> TwoPatches:
        """The law of a sample and its clean label."""
        return TwoPatches(self.d, self.signal, self.noise, self.noise_scale, self.biases)

    def sample(self) -> PatchSample:
        """The polluted sample, with the directions of the initial weights."""
        return self.law().sample(
            self.n, self.label_noise, self.seed,
            directions=2 * self.filters, exact_flips=False, frame=self.frame, uniform=self.uniform,
        )  # fmt: skip

    @property
    def unit(self) -> float:
        """c with F(x) = m^(-1/2) sum_j a_j sum_p (c <w_j, x_p>)_+^q: c w descends with c^2 times the step size of w."""
        factor = {"filters": 1 / self.filters, "patches": 1 / 2, "none": 1.0}[self.mean]
        return (factor * (2 * self.filters) ** 0.5) ** (1 / self.exponent)

    @staticmethod
    def run(batch: Sequence["Convolution"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, of one row."""
        samples, first = [run.sample() for run in batch], batch[0]
        starts = [run.unit * run.init_scale * sample.directions for run, sample in zip(batch, samples, strict=True)]
        signs = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat_interleave(first.filters).repeat(len(batch), 1)
        trained = ENGINES[first.engine].train(
            TwoLayer(torch.stack(starts), signs, activations.power(first.exponent)).to(device),
            torch.stack([sample.x for sample in samples]).to(device),
            torch.stack([sample.labels for sample in samples]).to(device),
            patches=2,
            step_size=torch.tensor([run.step_size * run.unit**2 for run in batch], dtype=torch.float64),
            steps=first.steps,
            stop=loss_at_most(first.level),
            observe={
                **history.in_training(torch.stack([sample.flipped for sample in samples]).to(device)),
                "testing": lambda s: of_each(s, lambda which, network: _testing(batch[which], network)),
            },
        )
        tables = []
        for index in range(len(batch)):
            columns = {name: values[index].tolist() for name, values in trained.final.items()}
            error, loss = columns.pop("testing")
            row = {"taken": int(trained.steps[index]), **columns, "test_error": error, "test_loss": loss}
            tables.append(pd.DataFrame([row]))
        return tables


def _testing(run: Convolution, network: TwoLayer) -> tuple[float, float]:
    """The share of fresh samples on the wrong side of their clean label, and their mean loss."""
    rng = seeds.generator(run.seed, "test points of patches")
    x, y = run.law().test_points(network.weights.shape[-1], run.test_points, rng)
    margins = y * pool(network(x)[0], 2)
    return float((~(margins > 0)).double().mean()), float(LOGISTIC.value(margins).mean())
