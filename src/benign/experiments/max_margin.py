"""The linear classifier of largest margin on polluted samples: who its support vectors are, and where it errs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from benign import seeds
from benign.data import boolean, labels, mixtures
from benign.errors import InputError
from benign.experiments.setting import AMOUNT, SHARE, Alone, Setting, at_least
from benign.measure.sign_sums import sign_sum_tail
from benign.train import max_margin


@dataclass(frozen=True)
class RareWeakMargin(Alone, Setting):
    """The largest margin on n points of the Boolean noisy rare-weak model, and its exact clean test error.

    Each training label is wrong with probability ``label_noise``; for the others see ``data.boolean``.
    """

    n: int
    p: int
    relevant: int
    edge: float
    label_noise: float
    seed: int

    allows = dict(n=at_least(1), p=at_least(1), relevant=at_least(0), edge=SHARE, label_noise=SHARE)
    batched_by = ("n", "p")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.relevant > self.p:
            raise InputError(f"relevant is {self.relevant}: it must be at most p, the {self.p} coordinates")

    def table(self, device: str = "cpu") -> pd.DataFrame:
        """One row; ``averaging_test_error`` is that of the classifier sum_i y_i x_i."""
        right = labels.flip(np.ones(self.n), self.label_noise, seeds.generator(self.seed, "label flips"), exact=False)

        def blocks():
            return (right[:, None] * v for v in boolean.blocks(self.n, self.p, self.relevant, self.edge, self.seed))

        beta, row = _fitted(sum(v @ v.T for v in blocks()))
        both = np.hstack([np.stack([beta, np.ones(self.n)]) @ v for v in blocks()])
        means = np.where(np.arange(self.p) < self.relevant, 2 * self.edge, 0.0)
        errors = [sign_sum_tail(w, means) if w.any() else 0.5 for w in both]
        return pd.DataFrame([row | dict(zip(("test_error", "averaging_test_error"), errors, strict=True))])


@dataclass(frozen=True)
class MixtureMargin(Alone, Setting):
    """The largest margin on n points of the Gaussian mixture, and its exact clean test error; ||mu|| is ``signal``."""

    n: int
    p: int
    signal: float
    label_noise: float
    seed: int

    allows = dict(n=at_least(1), p=at_least(1), signal=AMOUNT, label_noise=SHARE)
    batched_by = ("n", "p")

    def table(self, device: str = "cpu") -> pd.DataFrame:
        """One row; the test error is exact, given the sample."""
        sample = mixtures.sample(self.n, self.p, self.signal, self.label_noise, self.seed)
        v = (sample.labels.unsqueeze(1) * sample.x).numpy()
        beta, row = _fitted(v @ v.T)
        w = beta @ v
        error = float(norm.sf(self.signal * w[0] / np.linalg.norm(w))) if w.any() else 0.5
        return pd.DataFrame([row | dict(test_error=error)])


def _fitted(products: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    beta = max_margin.coefficients(products)
    found = dict(support_vectors=int((beta > 0).sum()), separable=bool(beta.any()))
    return beta, found | dict(least_margin=float((products @ beta).min()))
