"""Samples of two patches, the signal in one and noise in the other, as in Cao et al. (2022) and Kou et al. (2023)."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from torch import Tensor

from benign import seeds
from benign.data import labels, mixtures
from benign.data.mixtures import aligned
from benign.errors import InputError

#: The laws of z: standard normal; standard normal in the orthogonal complement of mu, and zero along it.
NOISES = ("gaussian", "orthogonal")


@dataclass(frozen=True)
class TwoPatches:
    """The law of (x, y): y is a fair sign, x has the patches y mu and xi = scale z, both in R^d, with ||mu|| = signal.

    With ``bias`` each patch ends with a constant 1, whose weights are biases. Filters are shared by the patches, so
    that their order does not matter; here the signal comes first.
    """

    d: int
    signal: float
    noise: str = "orthogonal"
    scale: float = 1.0
    bias: bool = False

    def __post_init__(self) -> None:
        mixtures.check(1, self.d, self.signal, 0.0, 0)
        if self.noise not in NOISES:
            raise InputError(f"noise is {self.noise!r}: it must be one of {', '.join(NOISES)}")
        if self.noise == "orthogonal" and self.d < 2:
            raise InputError(f"d is {self.d}: noise orthogonal to mu needs a second dimension")
        if not 0 < self.scale < math.inf:
            raise InputError(f"scale is {self.scale}: the noise needs a positive, finite one")

    def sample(
        self,
        n: int,
        label_noise: float | int,
        seed: int,
        *,
        directions: int = 0,
        exact_flips: bool = True,
        frame: str = "reduced",
        uniform: bool = False,
    ) -> "PatchSample":
        """A sample of size n with a share of wrong labels, and spare random directions for initial weights.

        The directions have independent coordinates of variance one, standard normal or ``uniform``. ``frame`` is that
        of ``mixtures.sample``: ``"reduced"`` has few coordinates, and the same law of all inner products.

        Raises:
            InputError: as ``mixtures.sample``; uniform directions in the reduced frame.
        """
        if uniform and frame != "ambient":
            raise InputError(f"frame is {frame!r}: uniform directions depend on the axes and need 'ambient'")
        drawn = mixtures.sample(
            n, self.d, 0.0, label_noise, seed, directions=directions, exact_flips=exact_flips, frame=frame
        )
        weights, rng = drawn.directions.numpy(), seeds.generator(seed, "directions of patches")
        if self.bias:
            weights = np.hstack([weights, rng.standard_normal((directions, 1))])
        if uniform:
            weights = rng.uniform(-math.sqrt(3), math.sqrt(3), weights.shape)
        x = self._placed(drawn.clean.numpy(), drawn.x.numpy())
        return PatchSample(x, drawn.clean, drawn.labels, aligned(weights), self)

    def test_points(
        self, q: int, count: int, rng: np.random.Generator
    ) -> tuple[Float64[Tensor, "patches q"], Float64[Tensor, " count"]]:
        """Fresh samples in the q coordinates of a sample's frame, two rows each, and their clean labels."""
        y = rng.choice([-1.0, 1.0], size=count)
        return self._placed(y, rng.standard_normal((count, q - self.bias))), aligned(y)

    def _placed(self, y: np.ndarray, z: np.ndarray) -> Float64[Tensor, "patches q"]:
        """The patches of one sample after the other; the first axis is that of mu."""
        rows = np.zeros((len(z), 2, z.shape[1] + self.bias))
        rows[:, 0, 0] = self.signal * y
        rows[:, 1, : z.shape[1]] = self.scale * z
        if self.noise == "orthogonal":
            rows[:, 1, 0] = 0
        if self.bias:
            rows[:, :, -1] = 1
        return aligned(rows.reshape(2 * len(z), -1))


@dataclass(frozen=True)
class PatchSample(labels.Labelled):
    """A polluted sample of ``law``, two consecutive rows of x a point, with directions that are independent of it."""

    x: Float64[Tensor, "patches q"]
    clean: Float64[Tensor, " n"]
    labels: Float64[Tensor, " n"]
    directions: Float64[Tensor, "m q"]
    law: TwoPatches
