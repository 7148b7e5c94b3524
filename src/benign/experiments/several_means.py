"""Two-layer networks on clusters with any means, in the units of whoever proposed them: the neighbours' settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import pandas as pd
import torch
from torch import Tensor

from benign.data import labels
from benign.data.clusters import NOISES, Clusters, Sample
from benign.errors import InputError
from benign.experiments.polluted import ENGINES, LOSSES, check_start, of_each, train
from benign.experiments.setting import ACTIVATION, AMOUNT, FINITE, POSITIVE, SHARE, Setting, at_least, one_of, tuple_of
from benign.measure import errors
from benign.networks import activations
from benign.networks.two_layer import TwoLayer, output_signs
from benign.train import history
from benign.train.problem import Rule, interpolates, never

STOPS = {"never": never, "fitted": interpolates, "zero loss": Rule(0.0)}


@dataclass(frozen=True)
class SeveralMeans(Setting):
    """A two-layer network trained on n points of clusters x = mu_k + noise_scale z, a share of whose labels is wrong.

    The means are ``signal`` times K vectors with the Gram matrix ``gram``; the clusters have the labels ``classes``.
    For ``noise`` see ``data.clusters``. ``flips`` says whether exactly round(label_noise n) labels are wrong or each
    independently. The network is f(x) = m^(-1/2) sum_j a_j sigma(<w_j, x>), as everywhere here; ``signs`` are the a_j,
    ``init_scale`` is the standard deviation of the initial weights, ``step_size`` that of gradient descent on the mean
    loss. Training takes ``steps`` steps, or stops when every label is fitted or the loss is zero; ``records`` are steps
    at which it is measured.
    """

    n: int
    p: int
    signal: float
    label_noise: float
    step_size: float
    seed: int
    gram: tuple[tuple[float, ...], ...] = ((1.0, -1.0), (-1.0, 1.0))
    classes: tuple[int, ...] = (1, -1)
    noise: str = "gaussian"
    noise_scale: float = 1.0
    flips: str = "exact"
    balanced: bool = False
    activation: str = "relu"
    width: int = 128
    signs: str = "random"
    init_scale: float = field(kw_only=True)
    loss_function: str = "logistic"
    steps: int = 1000
    stop: str = "never"
    records: tuple[int, ...] = ()
    frame: str = "reduced"
    engine: str = "span"
    test_points: int = 2000

    allows = dict(
        n=at_least(1), p=at_least(1), signal=AMOUNT, label_noise=SHARE, step_size=POSITIVE,
        gram=tuple_of(tuple_of(Annotated[float, FINITE])), classes=tuple_of(int), noise=one_of(*NOISES),
        noise_scale=POSITIVE, flips=one_of("exact", "independent"), balanced=bool, activation=ACTIVATION,
        width=at_least(1), signs=one_of("random", "balanced", "negative"), init_scale=AMOUNT,
        loss_function=one_of(*LOSSES), steps=at_least(0), stop=one_of(*STOPS),
        records=tuple_of(at_least(0)), frame=one_of("reduced", "ambient"),
        engine=one_of(*ENGINES), test_points=at_least(1),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = (
        "n", "p", "gram", "width", "loss_function", "steps", "stop", "records", "frame", "engine",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        self.law()
        check_start(self.init_scale, self.activation)
        if self.balanced:
            labels.check_balanced(self.n, len(self.classes))
        if any(record > self.steps for record in self.records):
            raise InputError(f"records is {self.records}: it must hold steps from 0 to {self.steps}, the last")

    def law(self) -> Clusters:
        """The law of a point and its clean label."""
        return Clusters.of(self.p, self.gram, self.classes, self.noise, self.noise_scale, self.signal)

    def sample(self) -> Sample:
        """The polluted sample, with the directions of the initial weights."""
        return self.law().sample(
            self.n, self.label_noise, self.seed,
            directions=self.width, exact_flips=self.flips == "exact", balanced=self.balanced, frame=self.frame,
        )  # fmt: skip

    def output_signs(self) -> Tensor:
        """The frozen a_j, shape (m,)."""
        if self.signs == "negative":
            return -torch.ones(self.width, dtype=torch.float64)
        return output_signs(self.width, self.seed, self.signs == "balanced")

    def network(self, sample: Sample) -> TwoLayer:
        """The network before training, a batch of one."""
        start = self.init_scale * sample.directions
        return TwoLayer(start[None], self.output_signs()[None], activations.named(self.activation))

    def test_error(self, sample: Sample, network: TwoLayer) -> float:
        """The share of fresh points, with clean labels, that are on the wrong side."""
        points = sample.law.fresh_points(network.weights.shape[-1], self.seed, self.test_points, errors.CHUNK)
        margins, _ = errors.margins_of(network, points)
        return float((~(margins > 0)).double().mean())

    @staticmethod
    def run(batch: Sequence["SeveralMeans"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, one row a record."""
        samples = [run.sample() for run in batch]
        observe = {
            **history.in_training(torch.stack([sample.flipped for sample in samples]).to(device)),
            "test_error": lambda s: of_each(s, lambda which, network: batch[which].test_error(samples[which], network)),
        }
        trained = train(batch, samples, observe, device, STOPS[batch[0].stop])
        tables = []
        for index in range(len(batch)):
            columns = {name: values[:, index].tolist() for name, values in trained.history.items()}
            at_step = trained.recorded.tolist()
            tables.append(pd.DataFrame({"at_step": at_step, "taken": int(trained.steps[index]), **columns}))
        return tables
