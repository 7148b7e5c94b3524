"""The tangent kernel <grad f(x), grad f(z)> of given networks, in closed form: no Jacobian is formed.

The derivative of f(x) in the weights W_l of a layer has rank one, s_l b_l(x) h_{l-1}(x)^T, with the layer's input
h_{l-1}, its multiplier s_l and b_l = df/du_l (``networks.deep``). So the kernel is a sum over layers,

    Theta(x, z) = sum_l s_l^2 <h_{l-1}(x), h_{l-1}(z)> <b_l(x), b_l(z)>,

of entrywise products of two Gram matrices. The two-layer network has the one term of its first layer,

    Theta(x, z) = (1/m) sum_j a_j^2 sigma'(<w_j, x>) sigma'(<w_j, z>) <x, z>.
"""

import math

from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError
from benign.networks.deep import Deep, Layers, backward, filled
from benign.networks.two_layer import TwoLayer

#: Rows of the blocks of a kernel: few enough for the cache, and for one triangle to be little more than half the work.
ROWS = 128


def kernel(
    network: Deep | TwoLayer,
    x: Float64[Tensor, "*runs n d"],
    z: Float64[Tensor, "*runs_of_z k d"] | None = None,
    *,
    layers: Layers = "all",
) -> Float64[Tensor, "batch n k"]:
    """The matrix of Theta(x_i, z_j) for each network of a batch, at inputs of its own or at the same, (n, d), for all.

    With z = None, that of x with itself: symmetric to the last bit, for half the work. Derivatives are taken in the
    weights of ``layers``, ``"all"`` or some of the numbers 1, ..., L; in a two-layer network only layer 1 is trained.

    Raises:
        InputError: layers that the network does not have or does not train, inputs that do not fit it.
    """
    layers = layers if layers == "all" else tuple(layers)
    left = _factors(network, x, layers)
    right = left if z is None else _factors(network, z, layers)
    n, k = x.shape[-2], (x if z is None else z).shape[-2]
    result = x.new_zeros(len(left[0][0]), n, k)
    for run, matrix in enumerate(result):  # one by one: a run's last bits do not depend on the batch
        for top in range(0, n, ROWS):
            rows, columns = slice(top, min(top + ROWS, n)), slice(top if z is None else 0, k)
            block = matrix[rows, columns]
            for (h, b), (g, c) in zip(left, right, strict=True):
                block.addcmul_(h[run, rows] @ g[run, columns].T, b[run, rows] @ c[run, columns].T)
            if z is None:
                square, rest = matrix[rows, rows], slice(rows.stop, n)
                square.copy_(square.triu() + square.triu(1).T)
                matrix[rest, rows] = matrix[rows, rest].T
    return result


def _factors(network: Deep | TwoLayer, x: Tensor, layers: Layers) -> list[tuple[Tensor, Tensor]]:
    """The pairs (h_{l-1}, s_l b_l) of the layers, (runs, n, fan-in) and (runs, n, fan-out), filled up with zeros."""
    if isinstance(network, Deep):
        chosen, runs = network.chosen(layers), len(network.weights[0])
        us = [filled(u) for u in network.preactivations(x)]
        hs = [filled(x).expand(runs, -1, -1), *(network.activation(u) for u in us[: chosen[-1] - 1])]
        weights, top = [filled(w) for w in network.weights], us[-1].new_ones(us[-1].shape[:2])
        bs = backward(weights, network.multipliers, network.activation, us, top, lowest=chosen[0])
        return [(hs[number - 1], network.multipliers[number - 1] * bs[number - chosen[0]]) for number in chosen]
    if layers != "all" and set(layers) != {1}:
        raise InputError(f"layers is {layers!r}: of a two-layer network only layer 1 is trained; give 'all' or [1]")
    runs, m, d = network.weights.shape
    if x.shape[-1] != d or x.ndim not in (2, 3) or x.shape[:-2] not in ((), (runs,)):
        raise InputError(f"x has the shape {tuple(x.shape)}: it must be ({runs}, n, {d}), or (n, {d}) for all runs")
    inputs = filled(x).expand(runs, -1, -1)
    slopes = network.activation.derivative(inputs @ filled(network.weights).transpose(1, 2))
    return [(inputs, slopes * (filled(network.signs, axes=1) / math.sqrt(m)).unsqueeze(1))]
