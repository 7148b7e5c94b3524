"""What several experiments learn: two separated clusters, pairs of digits, points of the sphere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from benign import seeds
from benign.data import images, labels, mixtures
from benign.data.images import Problem
from benign.experiments.setting import AMOUNT, Setting, at_least


@dataclass(frozen=True, kw_only=True)
class Separated(Setting):
    """n points of two Gaussian clusters on the unit sphere of R^d with polluted labels, and fresh points to test on.

    The inputs are x = (y* mu + z) / ||y* mu + z|| with z ~ N(0, I_d), and ``separation`` is ||mu||: half the distance
    of the two means in units of the noise's standard deviation. The length of y* mu + z says nothing about y*, so the
    Bayes error on clean labels is Q(||mu||). Where labels are ``balanced``, as many points belong to one cluster as to
    the other, and with ``balanced_noise`` as many of each have a wrong label; without it any of them may be wrong.
    """

    d: int
    separation: float
    balanced: bool = False
    balanced_noise: bool = True
    test_points: int = 1000

    allows = dict(d=at_least(1), separation=AMOUNT, test_points=at_least(1))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.balanced:
            labels.check_balanced(self.n)

    def sample(self) -> tuple[Tensor, Tensor, Tensor]:
        """The training inputs, shape (n, d), their labels and their clean labels."""
        sample = mixtures.sample(
            self.n, self.d, self.separation, self.label_noise, self.seed,
            balanced=self.balanced, balanced_noise=self.balanced_noise, frame="ambient",
        )  # fmt: skip
        return self.scaled(sample.x), sample.labels, sample.clean

    def fresh(self) -> tuple[Tensor, Tensor]:
        """Test inputs, shape (test_points, d), and their clean labels."""
        x, y = mixtures.fresh_points(self.separation, self.d, self.seed, self.test_points)
        return self.scaled(x), y

    def scaled(self, x: Tensor) -> Tensor:
        """What the network sees of points of the mixture."""
        return torch.nn.functional.normalize(x, dim=-1)


@dataclass(frozen=True, kw_only=True)
class DigitPair(Setting):
    """n images of two classes with polluted labels, and all test images of these classes with clean ones.

    Each class has half of the images. Where labels are ``balanced``, it has half of the wrong labels too.
    """

    negative: int
    positive: int
    images: str = "mnist-sample"
    balanced: bool = False

    scaling: ClassVar[str] = "unit-norm"

    @staticmethod
    def problems(batch: Sequence["DigitPair"]) -> list[Problem]:
        """The sample of each run of a batch."""
        source = images.load(batch[0].images)
        return [
            images.problem(
                source, (run.negative, run.positive), run.n,
                label_noise=run.label_noise, scaling=run.scaling, seed=run.seed, balanced=run.balanced,
            )
            for run in batch
        ]  # fmt: skip


def sphere(points: int, d: int, seed: int, purpose: str = "inputs of a kernel") -> Float64[Tensor, "points d"]:
    """Independent points, uniform on the unit sphere of R^d."""
    x = torch.from_numpy(seeds.generator(seed, purpose).standard_normal((points, d)))
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)
