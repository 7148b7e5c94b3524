"""The averaging classifier under other laws of the noise, with a test error that is computed and not counted."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from benign.data import labels, noises, streamed
from benign.errors import InputError
from benign.experiments.other_noise import NOISE
from benign.experiments.setting import AMOUNT, SHARE, Alone, Setting, at_least
from benign.measure.sums import student_sum_tail
from benign.theory import xu2023


@dataclass(frozen=True)
class AveragingNoise(Alone, Setting):
    """Given the sample, the exact clean test error of w = sum_i y_i x_i, mu = (||mu|| / sqrt(p)) (1, ..., 1).

    The samples are those of ``OtherNoise``. The law is Gaussian, with any spectrum, or Student's with three degrees of
    freedom: then <w, z> has a law that can be computed.
    """

    n: int
    p: int
    signal_index: float
    label_noise: float
    seed: int
    noise: str = "gaussian"

    allows = dict(n=at_least(1), p=at_least(1), signal_index=AMOUNT, label_noise=SHARE, noise=NOISE)
    batched_by = ("n", "p")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise != "student_t(3)" and self.noise.partition("(")[0] not in ("gaussian", "power", "spiked"):
            raise InputError(f"noise is {self.noise!r}: it must be gaussian, power, spiked or student_t(3)")

    def table(self, device: str = "cpu") -> pd.DataFrame:
        """One row: the error, and Tr(Sigma^2)."""
        law, signal = noises.named(self.noise), xu2023.signal_of_index(self.n, self.p, self.signal_index)
        clean, y = labels.drawn(self.n, self.label_noise, self.seed)
        blocks = streamed.blocks(clean, np.zeros(0), self.p, signal, self.seed, noise=law, directions=0)
        weight = np.concatenate([y @ x.numpy() for x, _, _ in blocks])
        mean = signal * weight.sum() / self.p**0.5
        variances = np.ones(self.p) if law.spectrum is None else law.spectrum.variances(np.arange(self.p), self.p)
        normal = float(norm.sf(mean / np.sqrt(variances @ weight**2)))
        error = student_sum_tail(weight, mean) if self.noise == "student_t(3)" else normal
        return pd.DataFrame([{"test_error": error, "squared_variances": float(np.square(variances).sum())}])
