"""Laws of the noise z in x = y* mu + z beside the Gaussian one, to see which assumptions on it matter.

The coordinates are independent, of mean 0, and their variances have the average 1: E ||z||^2 = p in every law, so
that at equal n, p and ||mu|| they compare. Xu & Gu (2023) assume E z z^T = I and a log-Sobolev inequality

    Ent(f^2) <= beta E ||grad f||^2    for all smooth f,

from which P(phi(z) - E phi(z) >= t) <= exp(-t^2 / beta) for every 1-Lipschitz phi (Herbst). The inequality carries over
to products, with the largest of the constants, and to the image under an L-Lipschitz map, with L^2 beta.

Whether a law has it:

- gaussian: yes, beta = 2
- uniform: yes, beta <= 12 / pi: sqrt(3) (2 Phi(g) - 1) has a slope of at most L = 2 sqrt(3) / sqrt(2 pi), beta <= 2 L^2
- laplace: no: log-concave, but its tails are exponential; it has a Poincare inequality only
- rademacher: no: f may jump between the two values with grad f = 0 at both
- student_t: no: polynomial tails
- power: in every dimension p with beta = 2 max_k lambda_k, unbounded in p for alpha > 0; E z z^T != I
- spiked: yes, beta <= 2 ratio; E z z^T != I
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from benign import names
from benign.errors import InputError


@dataclass(frozen=True)
class Spectrum:
    """Variances of p coordinates, given by a rule, so that nothing of length p need be kept.

    ``variances(coordinates, p)`` are lambda_k at the coordinates k = 0, ..., p - 1 that are asked for; over all of them
    they sum to p.
    """

    name: str
    variances: Callable[[Int[np.ndarray, " k"], int], Float64[np.ndarray, " k"]]


@dataclass(frozen=True)
class Noise:
    """A law of independent centred coordinates whose variances have the average 1.

    ``standard(rng, shape)`` draws independent numbers of mean 0 and variance 1, row after row: more rows begin with
    the same ones.
    """

    name: str
    standard: Callable[[np.random.Generator, tuple[int, int]], Float64[np.ndarray, "count k"]]
    spectrum: Spectrum | None = None

    def draw(
        self, rng: np.random.Generator, count: int, coordinates: Int[np.ndarray, " k"], p: int
    ) -> Float64[np.ndarray, "count k"]:
        """The given coordinates (counted from 0) of ``count`` independent noise vectors of R^p."""
        z = self.standard(rng, (count, len(coordinates)))
        if self.spectrum is not None:
            z *= np.sqrt(self.spectrum.variances(coordinates, p))
        return z


def gaussian() -> Noise:
    """The standard normal law."""
    return Noise("gaussian", lambda rng, shape: rng.standard_normal(shape))


def uniform() -> Noise:
    """The uniform law on [-sqrt(3), sqrt(3)]."""
    end = math.sqrt(3)
    return Noise("uniform", lambda rng, shape: rng.uniform(-end, end, shape))


def laplace() -> Noise:
    """The law with density exp(-sqrt(2) |u|) / sqrt(2)."""
    return Noise("laplace", lambda rng, shape: rng.laplace(scale=math.sqrt(0.5), size=shape))


def rademacher() -> Noise:
    """A fair sign."""
    return Noise("rademacher", lambda rng, shape: 2.0 * rng.integers(2, size=shape, dtype=np.int8) - 1)


def student_t(df: float | int) -> Noise:
    """Student's law with ``df`` > 2 degrees of freedom, over its standard deviation: moments exist below order df."""
    if not (df > 2 and math.isfinite(df)):
        raise InputError(f"df is {df}: Student's law has a variance, to be set to 1, for finite df above 2 only")
    scale = math.sqrt((df - 2) / df)
    return Noise(f"student_t({df})", lambda rng, shape: scale * rng.standard_t(df, shape))


def anisotropic(spectrum: Spectrum) -> Noise:
    """The Gaussian law whose covariance is diagonal with the given spectrum."""
    return Noise(spectrum.name, gaussian().standard, spectrum)


def power(alpha: float | int) -> Spectrum:
    """The power law lambda_k = p k^(-alpha) / (1 + 2^(-alpha) + ... + p^(-alpha)), k = 1, ..., p, alpha >= 0."""
    if not (alpha >= 0 and math.isfinite(alpha)):
        raise InputError(f"alpha is {alpha}: the exponent of a decreasing power law is a finite number, at least 0")

    def variances(coordinates: Int[np.ndarray, " k"], p: int) -> Float64[np.ndarray, " k"]:
        return p / _power_sum(alpha, p) * (1.0 + coordinates) ** -alpha

    return Spectrum(f"power({alpha})", variances)


def spiked(count: float | int, ratio: float | int) -> Spectrum:
    """The spectrum of two values, of which the first ``count`` coordinates have the one ``ratio`` >= 1 times larger."""
    if not (count >= 1 and float(count).is_integer()):
        raise InputError(f"count is {count}: the number of spikes is an integer, at least 1")
    if not (ratio >= 1 and math.isfinite(ratio)):
        raise InputError(f"ratio is {ratio}: a spike's variance over the others' is a finite number, at least 1")

    def variances(coordinates: Int[np.ndarray, " k"], p: int) -> Float64[np.ndarray, " k"]:
        spikes = min(count, p)
        return p / (spikes * ratio + p - spikes) * np.where(coordinates < count, float(ratio), 1.0)

    return Spectrum(f"spiked({int(count)}, {ratio})", variances)


FAMILY: dict[str, Callable[..., Noise]] = {
    "gaussian": gaussian,
    "uniform": uniform,
    "laplace": laplace,
    "rademacher": rademacher,
    "student_t": student_t,
    "power": lambda alpha: anisotropic(power(alpha)),
    "spiked": lambda count, ratio: anisotropic(spiked(count, ratio)),
}


def named(name: str) -> Noise:
    """The law that a text such as ``laplace``, ``student_t(3)`` or ``spiked(10, 100)`` names.

    Raises:
        InputError: an unknown name, or numbers in parentheses that its law does not take.
    """
    return names.member("noise", FAMILY, name, "'laplace' or 'student_t(3)'")


@functools.lru_cache
def _power_sum(alpha: float | int, p: int) -> float:
    """1 + 2^(-alpha) + ... + p^(-alpha), summed in pieces: nothing of length p is kept."""
    piece = 2**16
    return math.fsum(((1.0 + np.arange(k, min(k + piece, p))) ** -alpha).sum() for k in range(0, p, piece))
