"""The Lipschitz constant of a network of two layers, as a maximum over activation patterns.

The gradient of f(x) = s_2 sum_j a_j sigma(s_1 <w_j, x>), sigma of slopes gamma <= 1 and 1, is sum_j t_j v_j with
v_j = s_1 s_2 a_j w_j and every t_j one of gamma and 1. If the w_j are linearly independent, which takes m <= d, some x
has any wanted signs of the <w_j, x>: every pattern occurs, and

    Lip(f) = max over t in {gamma, 1}^m of ||V^T t||.

In general the maximum is an upper bound. With t = (1 + gamma)/2 + (1 - gamma)/2 z and one sign more, z_0, it is that of
a quadratic form <z, M z> over signs, M = B B^T, where B has the rows (1 + gamma)/2 sum_j v_j and (1 - gamma)/2 v_j.
Nobody can compute it fast in general, as little as a largest cut of a graph. Up to some twenty neurons one tries all
patterns. For more it lies between two numbers: what a search finds, and the semidefinite relaxation of Goemans and
Williamson (1995), signs replaced by unit vectors. As M is positive semidefinite, the relaxation exceeds the maximum by
at most pi/2 (Nesterov 1998), the bound on the constant by sqrt(pi/2) = 1.26.
"""

import math

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError
from benign.networks.deep import Deep
from benign.seeds import generator
from benign.train import compiled

MOST = 20  # neurons of which all patterns are tried: a million
STARTS = 64  # of a search


def exact(network: Deep) -> Float64[Tensor, " runs"]:
    """The maximum over all activation patterns, by trying them: for at most 20 neurons.

    Raises:
        InputError: more neurons, or a network that is not one of two layers with an activation of two slopes.
    """
    form = _form(network)
    if (m := form.shape[1] - 1) > MOST:
        raise InputError(f"the network has {m} neurons and 2^{m} patterns: take the bounds of enclosed")
    patterns = torch.arange(2**m).unsqueeze(1) >> torch.arange(m) & 1
    signs = torch.cat([torch.ones(len(patterns), 1), 2.0 * patterns - 1], 1).to(form)
    return torch.stack([(signs @ one * signs).sum(1).max() for one in form]).sqrt()


def enclosed(network: Deep) -> tuple[Float64[Tensor, " runs"], Float64[Tensor, " runs"]]:
    """The best lower and the best upper bound of the maximum: up to 20 neurons it is known, and they are equal.

    Beyond, the lower one is the best of 64 local maxima, where no single neuron's change helps, from starts that are
    the relaxation's unit vectors, cut by random planes, and half as often random signs. The upper one is from the dual
    of the relaxation, and true whether or not the solver has converged: if Diag(lambda) - M is positive semidefinite,
    <z, M z> <= sum_i lambda_i for all signs z. Where the least eigenvalue is below 0, by rounding or for want of steps,
    it is taken off every lambda_i.

    Raises:
        InputError: a network as in ``exact``.
    """
    form = _form(network)
    if form.shape[1] - 1 <= MOST:
        value = exact(network)
        return value, value
    vectors, multipliers = _relaxed(form)
    return _found(form, vectors), _bound(form, multipliers)


def _found(form: Tensor, vectors: list[np.ndarray]) -> Tensor:
    rng, cut = generator(0, "signs to start from"), math.ceil(2 * STARTS / 3)
    found = []
    for one, y in zip(form.numpy(), vectors, strict=True):
        planes, random = rng.standard_normal((y.shape[1], cut)), rng.standard_normal((len(y), STARTS - cut))
        found.append(_climb(one, np.sign(np.hstack([y @ planes, random]))))
    return torch.tensor(found, dtype=torch.float64).sqrt()


def _bound(form: Tensor, multipliers: Tensor) -> Tensor:
    least = torch.linalg.eigvalsh(torch.diag_embed(multipliers) - form)[:, 0]
    return (multipliers.sum(1) - form.shape[1] * least.clamp(max=0)).sqrt()


def _form(network: Deep) -> Float64[Tensor, "runs signs signs"]:
    """The matrices M = B B^T."""
    if len(network.weights) != 2 or network.activation.family != "two slopes":
        raise InputError(
            f"a network of {len(network.weights)} layers with {network.activation.name}: only of two layers with ReLU "
            "or leaky ReLU is the constant a maximum over patterns"
        )
    (first, last), (gamma,) = network.weights, network.activation.parameters
    v = math.prod(network.multipliers) * last.mT * first
    rows = torch.cat([(1 + gamma) / 2 * v.sum(1, keepdim=True), (1 - gamma) / 2 * v], 1)
    return rows @ rows.mT


def _relaxed(forms: Tensor, tolerance: float = 1e-7, sweeps: int = 2000) -> tuple[list[np.ndarray], Tensor]:
    """Unit vectors y_i that maximise sum_ij M_ij <y_i, y_j>, and the multipliers lambda_i = ||sum_j M_ij y_j||.

    Each y_i in turn is turned to where it is best (the mixing method, Wang, Chang and Kolter 2017); in
    sqrt(2 (m + 1)) dimensions and more no local maximum but the global one is met.
    """
    solutions, multipliers = [], []
    for form in forms.numpy():
        count = len(form)
        y = generator(0, "vectors to start from").standard_normal((count, math.isqrt(2 * count) + 2))
        y /= np.linalg.norm(y, axis=1, keepdims=True)
        value = 0.0
        for _ in range(sweeps):
            compiled.turn_each(form, y)
            before, value = value, float(np.sum(form @ y * y))
            if value - before <= tolerance * value:
                break
        solutions.append(y)
        multipliers.append(np.linalg.norm(form @ y, axis=1))
    return solutions, torch.from_numpy(np.stack(multipliers))


def _climb(form: np.ndarray, signs: np.ndarray) -> float:
    """The largest local maximum of <z, M z>, of those to which the columns of signs lead by single changes."""
    products, every = form @ signs, np.arange(signs.shape[1])
    while True:
        gains = 4 * (np.diag(form)[:, None] - signs * products)  # of changing one sign
        best = gains.argmax(axis=0)
        better = gains[best, every] > 1e-12 * form.trace()
        if not better.any():
            return float((signs * products).sum(0).max())
        moving, which = every[better], best[better]
        signs[which, moving] *= -1
        products[:, moving] += 2 * form[:, which] * signs[which, moving]
