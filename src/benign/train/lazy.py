"""How lazy training was: what a deep network's start still says about the network now.

All are functions of the trained and of the initial network, two batches of the same runs.
"""

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError
from benign.networks.deep import Deep


def flipped(network: Deep, initial: Deep, x: Float64[Tensor, "*runs n d"]) -> Float64[Tensor, "runs hidden_layers"]:
    """The fraction of pairs (neuron, input) whose neuron was active, u > 0, and no longer is, or the other way round.

    One number a hidden layer, shape (runs, L - 1).
    """
    _check_same(network, initial)
    shares = [x.new_empty((len(network.weights[0]), 0))]
    for now, start in zip(network.preactivations(x)[:-1], initial.preactivations(x)[:-1], strict=True):
        shares.append(((now > 0) != (start > 0)).to(x.dtype).mean((1, 2)).unsqueeze(1))
    return torch.cat(shares, 1)


def linearised(network: Deep, initial: Deep, x: Float64[Tensor, "*runs n d"]) -> Float64[Tensor, "runs n"]:
    """The tangent model at the weights of now, f_0(x) + <df_0(x)/dW, W - W(0)>, at n inputs."""
    return initial(x) + initial.derivative(x, _moves(network, initial))


def _moves(network: Deep, initial: Deep) -> tuple[Tensor, ...]:
    """W_l - W_l(0) for every layer."""
    _check_same(network, initial)
    return tuple(w - start for w, start in zip(network.weights, initial.weights, strict=True))


def _check_same(network: Deep, initial: Deep) -> None:
    now, start = (
        ([tuple(w.shape) for w in n.weights], n.activation.name, n.parameterisation) for n in (network, initial)
    )
    if now != start:
        raise InputError(
            f"the networks are {now} and {start}: to be compared, both need the same shapes, activation and "
            "parameterisation"
        )
