"""The tangent kernel <grad f(x), grad f(z)> of given networks, in closed form: no Jacobian is formed.

The derivative of f(x) in the weights W_l of a layer has rank one, s_l b_l(x) h_{l-1}(x)^T, with the layer's input
h_{l-1}, its multiplier s_l and b_l = df/du_l (``networks.deep``). So the kernel is a sum over layers,

    Theta(x, z) = sum_l s_l^2 <h_{l-1}(x), h_{l-1}(z)> <b_l(x), b_l(z)>,

of entrywise products of two Gram matrices. The two-layer network has the one term of its first layer,

    Theta(x, z) = (1/m) sum_j a_j^2 sigma'(<w_j, x>) sigma'(<w_j, z>) <x, z>.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from benign.networks.deep import Deep
from benign.networks.two_layer import TwoLayer
from benign.ntk.blocks import mirror

#: Rows of the blocks of a kernel: enough for matrix products at full speed, few enough to compute one triangle only.
ROWS = 128


def kernel(
    network: Deep | TwoLayer,
    x: Float[Tensor, "*runs n d"],
    z: Float[Tensor, "*runs_of_z k d"] | None = None,
) -> Float[Tensor, "batch n k"]:
    """The matrix of Theta(x_i, z_j) for each network of a batch, at inputs of its own or at the same, (n, d), for all.

    With z = None, that of x with itself: symmetric to the last bit, for half the work. Derivatives are taken in the
    weights of all layers; of a two-layer network only the first is trained. Networks and inputs are of one precision;
    in float32 an entry is wrong by about 1e-6 of the largest.

    Raises:
        InputError: inputs that do not fit the network.
    """
    trained = None
    if isinstance(network, TwoLayer):  # a deep one, of which the first layer is trained
        output = network.signs.unsqueeze(1) / math.sqrt(network.signs.shape[1])
        network, trained = Deep((network.weights, output), network.activation, "standard"), 1
    for points in (x, z):
        if points is not None:
            network.check_inputs(points)
    result = x.new_zeros(len(network.weights[0]), x.shape[-2], (x if z is None else z).shape[-2])
    for run, matrix in enumerate(result):  # one by one, on copies: its last bits do not depend on the batch
        one = network.alone(run)
        left = one.factors(x if x.ndim == 2 else x[[run]])
        right = left if z is None else one.factors(z if z.ndim == 2 else z[[run]])
        layers = list(zip(network.multipliers, *left, *right, strict=True))[:trained]
        _fill(matrix, [(s**2, h[0], g[0], b[0], c[0]) for s, h, b, g, c in layers], symmetric=z is None)
    return result


def _fill(matrix: Tensor, pairs: list[tuple[float, Tensor, Tensor, Tensor, Tensor]], symmetric: bool) -> None:
    """Add the terms s^2 <h, g> <b, c> of all layers to a matrix of zeros."""
    n, k = matrix.shape
    grams = matrix.new_empty(2, min(ROWS, n) * k)
    for top in range(0, n, ROWS):
        rows, columns = slice(top, min(top + ROWS, n)), slice(top if symmetric else 0, k)
        block = matrix[rows, columns]
        forward, backward = (gram[: block.numel()].view(block.shape) for gram in grams)
        for scale, h, g, b, c in pairs:
            torch.mm(h[rows], g[columns].T, out=forward)
            torch.mm(b[rows], c[columns].T, out=backward)
            block.addcmul_(forward, backward, value=scale)
        if symmetric:
            mirror(matrix, rows)
