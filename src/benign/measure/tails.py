"""Test errors far below one over the number of test points, by importance sampling.

In a class y the margin is g(z) = y f(y mu + z) with z ~ N(0, I), and the error P(g(z) <= 0); several clusters have one
g each. Points are drawn where the network errs and weighted back, from a mixture q whose first part is the normal law
phi itself (a *defensive* mixture, Hesterberg 1995):

    q = 0.1 phi + average_k [0.7 N(c_k, I) + 0.2 N(c_k, I + 8 V_k V_k^T)],    P(g <= 0) = E_q[1{g <= 0} phi / q].

The weights phi/q are at most 10: whatever the c_k and V_k are, the estimate is unbiased and its variance finite. They
decide how many points it takes. The c_k are design points, the nearest to the origin with g = 0, found by the iteration
of Hasofer & Lind (1974) and Rackwitz & Fiessler (1978) from several starts: on the kinked boundary itself, good for the
smallest errors, and on the boundary smoothed by normal noise, which is what the draws around a point see, good for the
larger ones. V_k spans the mean gradients of the neurons with a_j = 1 and of those with a_j = -1: a ReLU network errs
because the right ones fall silent or because the wrong ones wake up, and its boundary bends in the plane of the two.

Only the plain draws, every tenth point, see a part of the boundary that no search finds. So there are two searches that
share no random number, and ``Tail.seen_twice`` says how much of the estimate lies where both have looked.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64
from scipy.stats import norm
from torch import Tensor

from benign import seeds
from benign.data.clusters import Clusters
from benign.errors import InputError
from benign.measure.statistics import CONFIDENCE, binomial_interval
from benign.networks.activations import Activation
from benign.networks.two_layer import TwoLayer

PLAIN, NARROW, WIDE = 1, 7, 2  # of each 10 points of a class: from phi, around a centre, around it and wide in V_k
PARTS = PLAIN + NARROW + WIDE
WIDTH = 3.0  # standard deviation of the wide draws within V_k
STARTS = 8  # of a search, anywhere; as many where the margin is least
SMOOTHING = 125  # draws of the noise that smooths the margin
FEW = 4  # starts: in fours the products have the last bits that they have together
ITERATIONS = 10  # at most; a linear network takes 2
OVERLAP = 100.0  # two searches have both looked at a point if their densities there differ at most by this factor


@dataclass(frozen=True)
class Tail:
    """A small test error, with an interval and with what there is to say about its validity.

    ``effective_points`` is (sum v)^2 / sum v^2 over the weights v of the errors, ``largest_share`` is max v / sum v,
    and ``seen_twice`` the share of sum v at points that both searches have looked at. If the estimate is ``valid``,
    ``interval`` is normal on the logarithmic scale. Otherwise it is the exact binomial one from the plain draws alone:
    it holds for every network, and is wide. Its confidence is ``statistics.CONFIDENCE``.
    """

    estimate: float
    standard_error: float
    interval: tuple[float, float]
    effective_points: float
    largest_share: float
    seen_twice: float

    @property
    def valid(self) -> bool:
        """At least 100 effective points, at most 5 % of the estimate at one of them, 90 % of it seen by both searches.

        Not detected is a failure region that neither search and no point has met.
        """
        return self.effective_points >= 100 and self.largest_share <= 0.05 and self.seen_twice >= 0.9

    def row(self) -> dict[str, float | bool]:
        """All of this, by the names of columns."""
        low, high = self.interval
        return {
            "tail_error": self.estimate,
            "tail_low": low,
            "tail_high": high,
            "tail_standard_error": self.standard_error,
            "effective_points": self.effective_points,
            "largest_share": self.largest_share,
            "seen_twice": self.seen_twice,
            "valid": self.valid,
        }


def tail_error(network: TwoLayer, signal: float | int, seed: int, points: int = 10_000) -> Tail:
    """The clean test error P(y f(x) <= 0) of one network (a batch of one) on the mixture x = y mu + N(0, I).

    The frame is that of ``data.mixtures``, mu = (signal, 0, ..., 0). Half of the points are drawn in each class; the
    searches cost about as much as the points. A network that diverged (NaN) is wrong everywhere.

    Raises:
        InputError: a batch of several networks, a number of points that is not a positive multiple of 20, a signal
            that is negative or not finite.
    """
    if not (signal >= 0 and math.isfinite(signal)):
        raise InputError(f"signal is {signal}: ||mu|| must be a finite number, at least 0")
    return _tail(network, {f"class {y}": ([y * signal], y) for y in (1, -1)}, seed, points)


def cluster_tail_error(network: TwoLayer, law: Clusters, seed: int, points: int = 10_000) -> Tail:
    """The same on several clusters, in the frame of ``data.clusters``; as many points are drawn in each.

    Raises:
        InputError: as ``tail_error``; noise of unit length, which is not Gaussian.
    """
    if law.noise == "unit":
        raise InputError(f"noise is {law.noise!r}: it must be Gaussian, in all of the space or orthogonal to the means")
    sides = {f"cluster {k}": side for k, side in enumerate(zip(law.means, law.labels.tolist(), strict=True))}
    return _tail(network, sides, seed, points, law.scale, law.noise == "orthogonal")


def _tail(
    network: TwoLayer,
    sides: Mapping[str, tuple[Sequence[float] | np.ndarray, int]],
    seed: int,
    points: int,
    scale: float = 1.0,
    orthogonal: bool = False,
) -> Tail:
    """The error where each of the ``sides``, a mean and its label, has the same share of the points."""
    if len(network.weights) != 1:
        raise InputError(f"{len(network.weights)} networks: give one, as network.alone(run) does")
    count, rest = divmod(points, len(sides))
    if points < 1 or rest or count % PARTS:
        raise InputError(f"points is {points}: it must be a positive multiple of {len(sides) * PARTS}")
    if not network.weights.isfinite().all():
        return Tail(1.0, 0.0, (1.0, 1.0), float(points), 1 / points, 1.0)
    found = [
        _points(_Margin.of(network, mean, y, scale, orthogonal), seed, side, count) for side, (mean, y) in sides.items()
    ]
    wrong, log_weights, seen, plain = (torch.stack(parts) for parts in zip(*found, strict=True))
    exact = binomial_interval(int(wrong[plain].sum()), int(plain.sum()))
    largest = max(log_weights[wrong].tolist(), default=-math.inf)  # the square of a weight of 1e-200 would be zero
    if largest < -700:  # no point is wrong, or the error is below the range of floating-point numbers
        return Tail(0.0, 0.0, exact, 0.0, 0.0, 0.0)
    weights = torch.where(wrong, (log_weights - largest).exp(), 0.0)
    total = float(weights.sum())
    # Of the mean over all sides. The points of a side are taken as independent draws from q: as a fixed number
    # comes from each part of it, the truth is a little less.
    relative = float((count * weights.var(-1)).sum().sqrt()) / total
    estimate, factor = min(math.exp(largest) * total / points, 1.0), math.exp(norm.isf((1 - CONFIDENCE) / 2) * relative)
    tail = Tail(
        estimate=estimate,
        standard_error=relative * estimate,
        interval=(estimate / factor, min(estimate * factor, 1.0)),
        effective_points=total**2 / float(weights.square().sum()),
        largest_share=1 / total,
        seen_twice=float(weights[seen].sum()) / total,
    )
    return tail if tail.valid else replace(tail, interval=exact)


@dataclass(frozen=True)
class _Margin:
    """The margin g of one side, as a function of r = min(m, q) standard normals u.

    A test point acts only through W z, which has the law of R^T u if W^T = Q R.
    """

    factor: Float64[Tensor, "r m"]
    offset: Float64[Tensor, " m"]
    signs: Float64[Tensor, " m"]
    activation: Activation

    @staticmethod
    def of(
        network: TwoLayer, mean: Sequence[float] | np.ndarray, y: int, scale: float = 1.0, orthogonal: bool = False
    ) -> "_Margin":
        weights, signs, rank = network.weights[0], network.signs[0], len(mean)
        factor = scale * torch.linalg.qr(weights[:, rank * orthogonal :].T, mode="r").R
        offset = weights[:, :rank] @ weights.new_tensor(mean)
        return _Margin(factor, offset, y * signs / math.sqrt(len(signs)), network.activation)

    def hidden(self, u: Float64[Tensor, "*n r"]) -> Float64[Tensor, "*n m"]:
        return self.offset + u @ self.factor

    def __call__(self, hidden: Float64[Tensor, "*n m"]) -> Float64[Tensor, "*n"]:
        return self.activation(hidden) @ self.signs


@dataclass(frozen=True)
class _Search:
    """The centres c_k that one search has found, with orthonormal bases of their planes V_k."""

    centres: Float64[Tensor, "k r"]
    planes: Float64[Tensor, "k r d"]

    @staticmethod
    def run(margin: _Margin, rng: np.random.Generator) -> "_Search":
        noise = _normals(rng, SMOOTHING, len(margin.factor))
        starts = torch.cat([noise[:STARTS], noise[margin(margin.hidden(noise)).argsort()[:STARTS]]])
        found = [_design_points(margin, starts, still) for still in (torch.zeros_like(noise[:1]), noise)]
        return _Search(*(torch.cat(parts) for parts in zip(*found, strict=True)))

    def log_ratio(self, u: Float64[Tensor, "n r"]) -> Float64[Tensor, " n"]:
        """log(q/phi) at u, where q averages the narrow and wide laws of this search."""
        narrow = u @ self.centres.T - self.centres.square().sum(-1) / 2
        shifts = torch.einsum("kr,krd->kd", self.centres, self.planes)
        within = torch.einsum("nr,krd->nkd", u, self.planes) - shifts
        wide = narrow + (1 - WIDTH**-2) / 2 * within.square().sum(-1) - self.planes.shape[-1] * math.log(WIDTH)
        mixed = torch.logaddexp(narrow + math.log(NARROW), wide + math.log(WIDE)) - math.log(NARROW + WIDE)
        return mixed.logsumexp(-1) - math.log(len(self.centres))


def _design_points(
    margin: _Margin, starts: Float64[Tensor, "k r"], noise: Float64[Tensor, "s r"]
) -> tuple[Float64[Tensor, "k r"], Float64[Tensor, "k r d"]]:
    """The points c nearest to the origin where the median of g(c + noise) is 0, one a start, and their planes V.

    The next c is the point nearest to the origin on the tangent at the last one.
    """
    still, centres = margin.hidden(noise), starts
    few = FEW if len(noise) > 1 else len(starts)  # at a time, so that their hidden layers stay in the cache
    for _ in range(ITERATIONS):
        around = (still + shift.unsqueeze(1) for shift in (centres @ margin.factor).split(few))
        found = [(margin.activation.derivative(h).mean(1), margin(h).median(-1).values) for h in around]
        slopes, values = (torch.cat(parts) for parts in zip(*found, strict=True))
        neurons = slopes * margin.signs
        gradients = neurons @ margin.factor.T
        # The tangent's value at the origin; where it is negative, half of the draws err without any shift.
        origin = (values - (gradients * centres).sum(-1)).clamp(min=0)
        before, centres = centres, -(origin / gradients.square().sum(-1)).unsqueeze(-1) * gradients
        centres = centres.nan_to_num(0.0, 0.0, 0.0)  # where all gradients vanish: the origin
        if (centres - before).norm(dim=-1).max() < 0.05:
            break
    sides = torch.stack([torch.where(margin.signs > 0, neurons, 0.0), torch.where(margin.signs < 0, neurons, 0.0)])
    return centres, torch.linalg.qr((sides @ margin.factor.T).permute(1, 2, 0)).Q


def _points(margin: _Margin, seed: int, side: str, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points of one side: which are wrong, log(phi/q), which both searches have looked at, which are plain draws."""
    first, second = (_Search.run(margin, seeds.generator(seed, f"tail search {i}, {side}")) for i in (1, 2))
    centres, planes = torch.cat([first.centres, second.centres]), torch.cat([first.planes, second.planes])
    rng = seeds.generator(seed, f"tail points, {side}")
    which, part = rng.integers(len(centres), size=count), torch.arange(count) % PARTS
    plain, wide = part < PLAIN, part >= PLAIN + NARROW
    u = _normals(rng, count, len(margin.factor))
    u[~plain] += centres[which[~plain]]
    along = math.sqrt(WIDTH**2 - 1) * _normals(rng, int(wide.sum()), planes.shape[-1])
    u[wide] += torch.einsum("nrd,nd->nr", planes[which[wide]], along)
    one, other = first.log_ratio(u), second.log_ratio(u)
    searched = torch.logaddexp(one, other) + math.log((1 - PLAIN / PARTS) / 2)
    log_density = torch.logaddexp(searched, torch.full_like(searched, math.log(PLAIN / PARTS)))
    wrong = ~(margin(margin.hidden(u)) > 0)
    return wrong, -log_density, (one - other).abs() <= math.log(OVERLAP), plain


def _normals(rng: np.random.Generator, *shape: int) -> Tensor:
    return torch.tensor(rng.standard_normal(shape))  # a copy: aligned, as in ``data.mixtures``
