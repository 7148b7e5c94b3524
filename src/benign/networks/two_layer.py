"""The two-layer network of Xu & Gu (2023), eq. (1): only the first layer is trained."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from benign import seeds
from benign.errors import InputError
from benign.networks.activations import Activation


@dataclass(frozen=True)
class TwoLayer:
    """The functions f_W(x) = m^(-1/2) sum_j a_j sigma(<w_j, x>), one for each run of a batch.

    ``weights`` has the rows w_j, shape (runs, m, d); ``signs`` the frozen a_j = +-1, shape (runs, m).
    """

    weights: Float[Tensor, "runs m d"]
    signs: Float[Tensor, "runs m"]
    activation: Activation

    def __call__(self, x: Float[Tensor, "*runs n d"]) -> Float[Tensor, "runs n"]:
        """The outputs f_W(x), at n inputs for each run or at the same n inputs, shape (n, d), for all."""
        return read_out(self.signs, self.activation(self.weights @ x.transpose(-1, -2)))

    def select(self, rows: Tensor) -> "TwoLayer":
        """Some of the networks."""
        return TwoLayer(self.weights[rows], self.signs[rows], self.activation.select(rows))

    def alone(self, run: int) -> "TwoLayer":
        """One of the networks, as a batch of one."""
        # A copy: the last bits of a matrix product depend on where its factors begin in memory.
        return self.select(torch.tensor([run]))

    def to(self, device: torch.device | str) -> "TwoLayer":
        """The same networks on another device."""
        return TwoLayer(self.weights.to(device), self.signs.to(device), self.activation)


def read_out(signs: Float[Tensor, "runs m"], hidden: Float[Tensor, "runs m n"]) -> Float[Tensor, "runs n"]:
    """The second layer, m^(-1/2) sum_j a_j h_j."""
    if hidden.is_cpu:
        # Run by run, on copies: the last bits of a product depend on where its factors begin in memory.
        factors = (signs, hidden) if len(hidden) == 1 else (map(torch.clone, signs), map(torch.clone, hidden))
        outputs = torch.stack([a @ h for a, h in zip(*factors, strict=True)])
    else:
        outputs = torch.bmm(signs.unsqueeze(1), hidden).squeeze(1)
    return outputs / math.sqrt(signs.shape[-1])


def output_signs(width: int, seed: int, balanced: bool = False) -> Float64[Tensor, " m"]:
    """Output weights a_j in {-1, +1}: independent and fair, or balanced (up to one, if m is odd) in random order."""
    if width < 1:
        raise InputError(f"width is {width}: a network needs at least one hidden neuron")
    rng = seeds.generator(seed, "output signs")
    if balanced:
        return torch.from_numpy(rng.permutation([1.0 if j % 2 else -1.0 for j in range(width)]))
    return torch.from_numpy(rng.choice([-1.0, 1.0], size=width))
