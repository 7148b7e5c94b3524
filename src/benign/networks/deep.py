"""Bias-free multilayer perceptrons with one output, their derivatives in the weights written out by hand.

With h_0 = x, a network of L weight layers is

    u_l = s_l W_l h_{l-1},    h_l = sigma(u_l) for l < L,    f(x) = u_L.

Layers are numbered 1 to L. W_l has the shape (m_l, m_{l-1}), with m_0 = d and m_L = 1. The multipliers s_l:

    "ntk"        s_1 = 1, s_l = sqrt(c / m_{l-1}) with c = 1 / E[sigma(g)^2], g ~ N(0, 1); W_l starts from N(0, 1);
    "standard"   s_l = 1; W_l starts from N(0, s^2), s the multiplier above: at the start it is the same function.

c = 2 for ReLU (He scaling). There is no 1/sqrt(d): inputs have unit norm, so that wide layers keep E[u_l^2] = 1. Then
the expected tangent kernel of "ntk", all layers trained, follows the recursion Theta_1 = Sigma_1 = rho,
Sigma_{l+1} = kappa_1(Sigma_l), Theta_{l+1} = Theta_l kappa_0(Sigma_l) + kappa_1(Sigma_l), and Theta_L(1) = L.
Gradient descent with the step size a on "ntk" is that with the step sizes a s_l^2 on "standard".
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from scipy import integrate
from torch import Tensor

from benign.errors import InputError
from benign.networks.activations import Activation
from benign.seeds import generator


@dataclass(frozen=True)
class Deep:
    """The functions f(x) = s_L W_L sigma(s_{L-1} W_{L-1} ... sigma(s_1 W_1 x)), one for each run of a batch.

    ``weights`` holds W_1, ..., W_L, each of shape (runs, m_l, m_{l-1}), with m_L = 1.

    Raises:
        InputError: no layer, layers that do not follow each other, several outputs, an unknown parameterisation, an
            activation with sigma(0) other than 0.
    """

    weights: tuple[Float[Tensor, "runs _ _"], ...]
    activation: Activation
    parameterisation: str = "ntk"

    def __post_init__(self) -> None:
        shapes = [tuple(w.shape) for w in self.weights]
        fits = all((b[0], b[2]) == a[:2] for a, b in zip(shapes, shapes[1:], strict=False))
        if not shapes or not fits or shapes[-1][1] != 1 or 0 in (size for shape in shapes for size in shape[1:]):
            raise InputError(
                f"weights have the shapes {shapes}: they must be (runs, m_1, d), (runs, m_2, m_1), ..., "
                "(runs, 1, m_{L-1}), for at least one layer"
            )
        if self.parameterisation not in ("ntk", "standard"):
            raise InputError(f"parameterisation is {self.parameterisation!r}: it must be 'ntk' or 'standard'")
        zero = self.activation(torch.zeros((), dtype=torch.float64)).item()
        if zero != 0:
            raise InputError(f"the activation {self.activation.name} is {zero} at 0: it must be 0 there")

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers d, m_1, ..., m_{L-1}, 1."""
        return (self.weights[0].shape[2], *(w.shape[1] for w in self.weights))

    @property
    def multipliers(self) -> tuple[float, ...]:
        """The multipliers s_1, ..., s_L."""
        if self.parameterisation == "standard":
            return (1.0,) * len(self.weights)
        return he_scales(self.widths, self.activation)

    def __call__(self, x: Float[Tensor, "*runs n d"]) -> Float[Tensor, "runs n"]:
        """The outputs f(x), at n inputs for each run or at the same n inputs, shape (n, d), for all."""
        return self.preactivations(x)[-1].squeeze(-1)

    def preactivations(self, x: Float[Tensor, "*runs n d"]) -> list[Tensor]:
        """The pre-activations u_1, ..., u_L, each of shape (runs, n, m_l)."""
        return self.forward(x)[0]

    def derivative(
        self, x: Float[Tensor, "*runs n d"], direction: tuple[Float[Tensor, "runs _ _"], ...]
    ) -> Float[Tensor, "runs n"]:
        """The derivative of f(x_i) in the weights along (V_1, ..., V_L), <df(x_i)/dW, V>; no Jacobian is formed.

        With a dot for the derivative, u_l' = s_l (V_l h_{l-1} + W_l h_{l-1}') and h_l' = sigma'(u_l) u_l'.
        """
        us, hs = self.forward(x)
        moved = torch.zeros_like(hs[0])
        for w, v, s, u, h in zip(self.weights, direction, self.multipliers, us, hs, strict=True):
            change = product(h, v.mT, s) + product(moved, w.mT, s)
            moved = self.activation.derivative(u) * change
        return change[..., 0]

    def factors(self, x: Float[Tensor, "*runs n d"]) -> tuple[list[Tensor], list[Tensor]]:
        """The inputs h_0, ..., h_{L-1} of the layers and the derivatives b_l = df/du_l.

        They make the derivative in the weights: df(x)/dW_l = s_l b_l(x) h_{l-1}(x)^T.
        """
        us, hs = self.forward(x)
        return hs, self.backward(us, torch.ones_like(us[-1][..., 0]))

    def forward(self, x: Float[Tensor, "*runs n d"]) -> tuple[list[Tensor], list[Tensor]]:
        """The pre-activations u_1, ..., u_L and the inputs h_0 = x, ..., h_{L-1} of the layers."""
        self.check_inputs(x)
        preactivations, hidden = [], [x.expand(len(self.weights[0]), -1, -1)]
        for w, s in zip(self.weights, self.multipliers, strict=True):
            if preactivations:
                hidden.append(self.activation(preactivations[-1]))
            preactivations.append(product(hidden[-1], w.mT, s))
        return preactivations, hidden

    def backward(self, preactivations: Sequence[Tensor], top: Float[Tensor, "runs n"]) -> list[Tensor]:
        """The signals top_i df(x_i)/du_l of the layers l = 1, ..., L.

        b_L = top and b_l = sigma'(u_l) (s_{l+1} W_{l+1}^T b_{l+1}).
        """
        signals, multipliers = [top.unsqueeze(-1)], self.multipliers
        for below in range(len(multipliers) - 2, -1, -1):
            signal = product(signals[-1], self.weights[below + 1], multipliers[below + 1])
            signals.append(signal.mul_(self.activation.derivative(preactivations[below])))
        return signals[::-1]

    def select(self, rows: Tensor | slice) -> "Deep":
        """The networks of the given rows of the batch: numbers, a mask, or a slice."""
        return replace(self, weights=tuple(w[rows] for w in self.weights))

    def alone(self, run: int) -> "Deep":
        """One of the networks, as a batch of one."""
        return self.select(torch.tensor([run]))

    def to(self, target: torch.device | torch.dtype | str) -> "Deep":
        """The same networks on another device, or in another precision."""
        return replace(self, weights=tuple(w.to(target) for w in self.weights))

    def check_inputs(self, x: Tensor) -> None:
        """Make sure that these can be the inputs.

        Raises:
            InputError: a shape other than (runs, n, d) and (n, d).
        """
        runs, _, d = self.weights[0].shape
        if x.shape[-1] != d or x.ndim not in (2, 3) or x.shape[:-2] not in ((), (runs,)):
            raise InputError(f"x has the shape {tuple(x.shape)}: it must be ({runs}, n, {d}), or (n, {d}) for all runs")


def difference(network: Deep, other: Deep) -> Deep:
    """The networks that compute f - g, with hidden layers twice as wide, of which there is one at least."""
    layers = zip(network.weights, other.weights, strict=True)
    first, *hidden, last = [(a, b) for a, b in layers]
    sides = [torch.stack([torch.block_diag(a, b) for a, b in zip(*pair, strict=True)]) for pair in hidden]
    weights = (torch.cat(first, 1), *sides, torch.cat([last[0], -last[1]], 2))
    both = replace(network, weights=weights)
    factors = [old / new for old, new in zip(network.multipliers, both.multipliers, strict=True)]
    return replace(both, weights=tuple(w * factor for w, factor in zip(weights, factors, strict=True)))


def initialise(
    widths: Sequence[int],
    seeds: Sequence[int],
    activation: Activation,
    parameterisation: str = "ntk",
    scale: Float[Tensor, " runs"] | float | int = 1.0,
) -> Deep:
    """A batch of networks with independent Gaussian weights, one network a seed, drawn on the CPU.

    ``widths`` are d, m_1, ..., m_{L-1}, 1. Every weight is multiplied by ``scale``, one number or one a run.

    Raises:
        InputError: fewer than two widths, one below 1, a last one other than 1, no seed, a scale that is not positive.
    """
    if len(widths) < 2 or min(widths) < 1 or widths[-1] != 1:
        raise InputError(f"widths are {tuple(widths)}: give the input dimension, the hidden widths, and 1 at the end")
    if not len(seeds):
        raise InputError("seeds is empty: give one seed for each network of the batch")
    scales = torch.as_tensor(scale, dtype=torch.float64)
    if scales.shape not in ((), (len(seeds),)) or not (scales > 0).all() or not scales.isfinite().all():
        raise InputError(f"scale is {scales.tolist()}: give a positive number, or one for each of {len(seeds)} seeds")
    factors = he_scales(widths, activation) if parameterisation == "standard" else (1.0,) * (len(widths) - 1)
    weights = []
    for layer, factor in enumerate(factors, start=1):
        shape = (widths[layer], widths[layer - 1])
        draws = [generator(seed, f"weights of layer {layer}").standard_normal(shape) for seed in seeds]
        weights.append(torch.stack([torch.from_numpy(draw) for draw in draws]) * (factor * scales).view(-1, 1, 1))
    return Deep(tuple(weights), activation, parameterisation)


def he_scales(widths: Sequence[int], activation: Activation) -> tuple[float, ...]:
    """The standard deviations 1, sqrt(c / m_1), ..., sqrt(c / m_{L-1}) that keep E[u_l^2] = 1."""
    return (1.0, *(math.sqrt(gain(activation) / m) for m in widths[1:-1]))


@functools.lru_cache(maxsize=64)  # an integral; a new activation, even of an old name, is a new entry
def gain(activation: Activation) -> float:
    """The constant c = 1 / E[sigma(g)^2], g ~ N(0, 1): 2 for ReLU, 2 / (1 + slope^2) for leaky ReLU."""

    def density(g: float) -> float:
        return activation(torch.tensor(g, dtype=torch.float64)).item() ** 2 * math.exp(-(g**2) / 2)

    # The kink at 0 is an end of both integrals. Beyond 40 the density is 0 in float64.
    halves = [integrate.quad(density, *ends, epsabs=0, epsrel=1e-11, limit=200)[0] for ends in ((-40, 0), (0, 40))]
    return math.sqrt(2 * math.pi) / sum(halves)


def product(a: Float[Tensor, "runs n k"], b: Float[Tensor, "runs k m"], scale: float) -> Float[Tensor, "runs n m"]:
    """The products scale A B."""
    return torch.baddbmm(a.new_empty(()), a, b, beta=0, alpha=scale)  # in one pass, not two; 0 times it is not read
