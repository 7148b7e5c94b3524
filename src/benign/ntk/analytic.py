"""The tangent kernel of an infinitely wide network with leaky ReLU activations, at any depth.

The network has L = ``depth`` layers of weights and no biases, sigma(u) = max(u, slope u), 0 <= slope <= 1, and all its
layers are trained. With h_0 = x and independent standard normal weights,

    u_1 = W_1 h_0,    h_l = sigma(u_l),    u_{l+1} = sqrt(c / m_l) W_{l+1} h_l,    f = u_L,    c = 2 / (1 + slope^2),

where c, "He scaling", keeps the expected square of a preactivation at ||x||^2: c E sigma(u)^2 = 1 for u ~ N(0, 1). As
the widths m_l grow, Cov(f(x), f(z)) tends to the kernel Sigma_L (``nngp``) and <grad f(x), grad f(z)>, over all
weights, to Theta_L (``ntk``). Both are homogeneous, ||x|| ||z|| times a function of rho = cos angle(x, z):

    Sigma_1 = Theta_1 = rho,    Sigma_{l+1} = kappa1(Sigma_l),    Theta_{l+1} = Theta_l kappa0(Sigma_l) + Sigma_{l+1}

(Jacot, Gabriel & Hongler 2018, theorem 1; kappa0 and kappa1 are the arc-cosine functions of Cho & Saul 2009).
Thus Sigma_L(1) = 1 and Theta_L(1) = L.

The recursion runs on the defect 1 - Sigma_l, not on Sigma_l: kappa0 has an infinite derivative at 1, where an angle
read off a rounded cosine has only eight digits.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError
from benign.ntk.blocks import mirror

#: Rows and entries of a tile: its five arrays stay in a core's cache, and it is large enough for a matrix product.
ROWS, TILE = 128, 2**15
#: A cosine this close to -1 or 1 is computed anew, from the difference or the sum of the two unit vectors.
CLOSE = 1e-6


class ProfileConstants(NamedTuple):
    """What the smallest eigenvalue of a kernel matrix in high dimension depends on, for K = Theta_L."""

    at_one: float  #: K(1)
    at_zero: float  #: K(0)
    slope_at_zero: float  #: K'(0)


def kappa0(rho: Float64[Tensor, "*shape"], slope: float | int = 0) -> Float64[Tensor, "*shape"]:
    """The arc-cosine function of degree 0: c E[sigma'(u) sigma'(v)] for standard normal u, v with correlation rho.

    For the ReLU, slope 0, it is 1 - theta / pi, theta = arccos(rho): twice the probability that both are positive.
    In general sigma' = slope + (1 - slope) 1[u > 0], so that

        E[sigma' sigma'] = slope^2 + slope (1 - slope) + (1 - slope)^2 (1 - theta / pi) / 2,

    and times c: the mixture (1 - lambda) + lambda (1 - theta / pi) of the linear network's 1 and of the ReLU's
    function, lambda = (1 - slope)^2 / (1 + slope^2).
    """
    return 1 - _mixture(slope) / math.pi * torch.acos(rho)


def kappa1(rho: Float64[Tensor, "*shape"], slope: float | int = 0) -> Float64[Tensor, "*shape"]:
    """The arc-cosine function of degree 1: c E[sigma(u) sigma(v)] for standard normal u, v with correlation rho.

    For the ReLU it is r = (sin theta + (pi - theta) cos theta) / pi, theta = arccos(rho). In general
    sigma(u) = slope u + (1 - slope) relu(u) and E[u relu(v)] = rho / 2, so that

        E[sigma sigma] = slope^2 rho + slope (1 - slope) rho + (1 - slope)^2 r / 2,

    and times c: the mixture (1 - lambda) rho + lambda r. Its derivative is kappa0.
    """
    theta = torch.acos(rho)
    sine = ((1 - rho) * (1 + rho)).sqrt()
    return rho + _mixture(slope) / math.pi * (sine - theta * rho)


def profile(
    rho: Float64[Tensor, "*shape"], depth: int, slope: float | int = 0
) -> tuple[Float64[Tensor, "*shape"], Float64[Tensor, "*shape"]]:
    """The functions Sigma_L and Theta_L of the cosine rho of the angle between two inputs.

    Raises:
        InputError: a depth below 1, a slope outside [0, 1], a cosine outside [-1, 1].
    """
    _check(depth)
    if (outside := rho[~(rho.abs() <= 1)]).numel():
        raise InputError(f"rho holds {outside[0].item()}: the cosine of an angle lies in [-1, 1]")
    defect, theta = 1 - rho, rho.clone()
    _recursion(defect, 1 + rho, theta, depth - 1, _mixture(slope))
    return 1 - defect, theta


def profile_constants(depth: int, slope: float | int = 0) -> ProfileConstants:
    """K(1), K(0) and K'(0) of the profile K = Theta_L.

    For n inputs uniform on the unit sphere of R^d with d of the order of n or larger, the kernel matrix behaves like
    K(0) 1 1^T + K'(0) X X^T + (K(1) - K(0) - K'(0)) I, whose smallest eigenvalue is about
    K(1) - K(0) - K'(0) + K'(0) (1 - sqrt(n/d))_+^2 (El Karoui 2010, theorem 2.1, and the Marchenko-Pastur edge).

    Raises:
        InputError: a depth below 1, a slope outside [0, 1].
    """
    _check(depth)
    mixture = _mixture(slope)
    sigma = theta = torch.zeros((), dtype=torch.float64)
    sigma_slope = theta_slope = torch.ones((), dtype=torch.float64)
    for _ in range(depth - 1):
        first, curvature = kappa0(sigma, slope), mixture / math.pi / (1 - sigma**2).sqrt()  # kappa1', kappa0'
        theta_slope = theta_slope * first + (theta * curvature + first) * sigma_slope
        sigma_slope = first * sigma_slope
        sigma = kappa1(sigma, slope)
        theta = theta * first + sigma
    return ProfileConstants(float(depth), theta.item(), theta_slope.item())


def kernel(
    x: Float64[Tensor, "n d"],
    z: Float64[Tensor, "k d"] | None = None,
    *,
    depth: int,
    slope: float | int = 0,
    kind: Literal["ntk", "nngp"] = "ntk",
) -> Float64[Tensor, "n k"]:
    """The matrix of Theta_L(x_i, z_j), or of Sigma_L for ``kind="nngp"``; with z = None that of x with itself.

    The latter is symmetric to the last bit and costs half. Beside the result it needs memory for a few blocks.

    Raises:
        InputError: a depth below 1, a slope outside [0, 1], an unknown kind, inputs of different dimensions.
    """
    return kernels(x, z, wanted=[(depth, kind)], slope=slope)[depth, kind]


def kernels(
    x: Float64[Tensor, "n d"],
    z: Float64[Tensor, "k d"] | None = None,
    *,
    wanted: Iterable[tuple[int, Literal["ntk", "nngp"]]],
    slope: float | int = 0,
) -> dict[tuple[int, str], Float64[Tensor, "n k"]]:
    """The same matrices for several depths and kinds, by depth and kind, for little more than the deepest of them.

    To the last bit those of ``kernel``: the recursion passes them all on its way.
    """
    ordered = sorted(set(wanted))
    for depth, kind in ordered:
        _check(depth, kind)
    mixture = _mixture(slope)
    if z is not None and x.shape[1] != z.shape[1]:
        raise InputError(f"x has dimension {x.shape[1]} and z has {z.shape[1]}: a kernel takes inputs of one space")
    other = x if z is None else z
    results = {which: x.new_empty(len(x), len(other)) for which in ordered}
    for top in range(0, len(x), ROWS):
        rows = slice(top, min(top + ROWS, len(x)))
        left, lengths = _unit(x[rows])
        width = max(1, TILE // len(left))
        for start in range(top if z is None else 0, len(other), width):
            columns = slice(start, start + width)
            right, scales = _unit(other[columns])
            for which, tile in _tiles(left, right, ordered, mixture):
                results[which][rows, columns] = (tile * lengths.unsqueeze(1)).mul_(scales)
        if z is None:
            for result in results.values():
                mirror(result, rows)
    return results


def diagonal(x: Float64[Tensor, "n d"], *, depth: int, kind: Literal["ntk", "nngp"] = "ntk") -> Float64[Tensor, " n"]:
    """The diagonal of the kernel matrix: Theta_L(x, x) = L ||x||^2 and Sigma_L(x, x) = ||x||^2, whatever the slope.

    Raises:
        InputError: a depth below 1, an unknown kind.
    """
    _check(depth, kind)
    return (depth if kind == "ntk" else 1) * x.square().sum(1)


def _tiles(
    left: Tensor, right: Tensor, ordered: list[tuple[int, str]], mixture: float
) -> Iterator[tuple[tuple[int, str], Tensor]]:
    """The kernels of unit vectors, by the recursion in place: passes stay in the cache. Read each before the next."""
    theta = left @ right.T
    defect, excess = 1 - theta, 1 + theta
    _refine(defect, left, right, -1)
    _refine(excess, left, right, 1)
    reached = 1
    for depth, kind in ordered:
        _recursion(defect, excess, theta, depth - reached, mixture)
        reached = depth
        yield (depth, kind), theta if kind == "ntk" else 1 - defect


def _refine(value: Tensor, left: Tensor, right: Tensor, sign: int) -> None:
    """Where 1 + sign <u, v> is small, put ||u + sign v||^2 / 2 in its place: the same, without the cancellation."""
    if value.numel() and value.min() < CLOSE:
        pairs = (value < CLOSE).nonzero()
        for i, j in (chunk.T for chunk in pairs.split(max(1, TILE // left.shape[1]))):
            value[i, j] = (left[i] + sign * right[j]).square().sum(1) / 2


def _recursion(defect: Tensor, excess: Tensor, theta: Tensor, layers: int, mixture: float) -> None:
    """Turn 1 - Sigma_l, 1 + Sigma_l and Theta_l, each accurate where it is small, into those so many layers on."""
    if not layers:
        return
    share = mixture / math.pi
    sine, angle = torch.empty_like(theta), torch.empty_like(theta)
    for _ in range(layers):
        torch.mul(defect, excess, out=sine).sqrt_()
        cosine = excess.sub_(1)
        torch.atan2(sine, cosine, out=angle)  # accurate at both ends, and faster than arccos
        # 1 - kappa1 = 1 - rho - share (sine - angle rho): negative by rounding only.
        defect.sub_(sine, alpha=share).addcmul_(angle, cosine, value=share).clamp_(min=0)
        theta.mul_(angle.mul_(-share).add_(1)).add_(1).sub_(defect)
        torch.mul(defect, -1, out=excess).add_(2)


def _unit(x: Tensor) -> tuple[Tensor, Tensor]:
    """The inputs divided by their lengths, and the lengths; zero stays zero."""
    lengths = torch.linalg.vector_norm(x, dim=1)
    return x / lengths.where(lengths > 0, 1).unsqueeze(1), lengths


def _mixture(slope: float | int) -> float:
    """The share lambda = (1 - slope)^2 / (1 + slope^2) of the ReLU in the kernel; the rest is linear."""
    if not 0 <= slope <= 1:
        raise InputError(f"slope is {slope}: a leaky ReLU's slope on the negative half-line lies in [0, 1]")
    return (1 - slope) ** 2 / (1 + slope**2)


def _check(depth: int, kind: str = "ntk") -> None:
    if depth < 1:
        raise InputError(f"depth is {depth}: a network has at least one layer of weights")
    if kind not in ("ntk", "nngp"):
        raise InputError(f"kind is {kind!r}: there are 'ntk', the tangent kernel, and 'nngp', the output's covariance")
