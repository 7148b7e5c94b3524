"""How much each training sample counts in what a network says of a new point.

With W = W(0) + C X and sigma(u) = sigma'(u) u, the output is a sum over the start and the training samples,

    f_W(x) = m^(-1/2) sum_j a_j sigma'(<w_j, x>) <w_j(0), x> + sum_i y_i psi_i(x) <x_i, x>,
    psi_i(x) = m^(-1/2) y_i sum_j a_j sigma'(<w_j, x>) C_ji.

A classifier that averages has the same weight psi for every sample and at every point.
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.networks.two_layer import TwoLayer


def sample_weights(
    network: TwoLayer,
    initial: TwoLayer,
    x: Float64[Tensor, "n d"],
    labels: Float64[Tensor, " n"],
    points: Float64[Tensor, "k d"],
) -> Float64[Tensor, "k n"]:
    """The weights psi_i(x) of the samples ``x`` in the output of one network (a batch of one) at some points.

    The activation is positively homogeneous, and the samples are linearly independent.
    """
    signs, moved = network.signs[0], network.weights[0] - initial.weights[0]
    coefficients = moved @ torch.linalg.pinv(x)
    slopes = network.activation.derivative(points @ network.weights[0].T)
    return (signs * slopes) @ coefficients * labels / math.sqrt(len(signs))
