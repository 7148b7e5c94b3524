"""Gradient descent on polluted clusters whose noise is not Gaussian, or not isotropic.

There is no reduced frame for these: all p coordinates are drawn, and only inner products are kept (``data.streamed``).
Training needs no more (``train.span.train_on_grams``), and nor does a test point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
import torch
from pydantic import AfterValidator

from benign.data import grams, noises, streamed
from benign.data.noises import Noise
from benign.data.streamed import Streamed
from benign.experiments.polluted import AT_END, Polluted, descent
from benign.experiments.setting import at_least, one_of
from benign.networks import activations
from benign.networks.two_layer import output_signs
from benign.train import history, neurons, span

NOISE = Annotated[str, AfterValidator(noises.named)]
DIRECTION = one_of("spread", "first")


@dataclass(frozen=True)
class OtherNoise(Polluted):
    """Errors on training and on test points, of the network and of averaging, under another law of the noise.

    ``noise`` names the law, as ``data.noises.named`` has it, and ``direction`` the place of mu, as
    ``data.streamed.sample`` has it.
    """

    noise: str = "gaussian"
    direction: str = "spread"
    test_points: int = 1_000

    # All coordinates are drawn, and training takes place in the span of the data, whatever one might ask for.
    allows = dict(
        noise=NOISE, direction=DIRECTION, test_points=at_least(1), records=AT_END, frame=one_of("reduced"),
        engine=one_of("span"),
    )  # fmt: skip

    @property
    def law(self) -> Noise:
        """The law of the noise."""
        return noises.named(self.noise)

    @property
    def squared_variances(self) -> float:
        """Tr(Sigma^2), the sum of the squares of the coordinates' variances."""
        spectrum = self.law.spectrum
        return float(self.p if spectrum is None else np.square(spectrum.variances(np.arange(self.p), self.p)).sum())

    def sample(self) -> Streamed:
        """The polluted sample with initial directions and test points, as inner products."""
        return streamed.sample(
            self.n, self.p, self.signal, self.label_noise, self.seed, noise=self.law, directions=self.width,
            test_points=self.test_points, direction=self.direction,
        )  # fmt: skip

    @staticmethod
    def run(batch: Sequence["OtherNoise"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, of one row."""
        samples = [run.sample() for run in batch]
        started = [s.grams.scaled(run.initial_scale) for run, s in zip(batch, samples, strict=True)]
        trained = span.train_on_grams(
            grams.stack(started).to(device),
            torch.stack([output_signs(run.width, run.seed) for run in batch]).to(device),
            activations.per_run([activations.named(run.activation) for run in batch]),
            torch.stack([s.labels for s in samples]).to(device),
            observe={"training_error": history.training_error, "norm_21": neurons.norm_21},
            **descent(batch),
        )
        tables = []
        for index, (run, sample) in enumerate(zip(batch, samples, strict=True)):
            points = sample.test.scaled(run.initial_scale)
            alone = torch.tensor([index], device=device)
            margins = sample.test_labels * trained.network.select(alone)(points.to(device))[0].cpu()
            averaged = sample.test_labels * (sample.labels @ sample.test.inputs)
            wrong, averaging_wrong = int((~(margins > 0)).sum()), int((~(averaged > 0)).sum())
            row = {
                "training_error": float(trained.final["training_error"][index]),
                "test_errors": wrong,
                "test_error": wrong / run.test_points,
                "averaging_test_errors": averaging_wrong,
                "averaging_test_error": averaging_wrong / run.test_points,
                "normalised_margin": run.width**0.5 * float(margins.mean() / trained.final["norm_21"][index].cpu()),
                "squared_variances": run.squared_variances,
            }
            tables.append(pd.DataFrame([row]))
        return tables
