"""The weights of training samples in a network's output."""

import math

import pytest
import torch

from benign import seeds
from benign.measure.influence import sample_weights
from benign.networks.activations import leaky_relu, relu
from benign.networks.two_layer import TwoLayer


@pytest.mark.parametrize("activation", [relu(), leaky_relu(0.3)], ids=lambda activation: activation.name)
def test_start_and_weighted_samples_make_up_the_output(activation):
    rng = seeds.generator(0, "influence")
    x, points, weights, coefficients = (
        torch.tensor(rng.standard_normal(shape)) for shape in ((4, 9), (7, 9), (6, 9), (6, 4))
    )
    labels, signs = torch.tensor([1.0, -1.0, -1.0, 1.0]).double(), torch.tensor([1.0, 1, -1, -1, 1, -1]).double()
    initial = TwoLayer(weights.unsqueeze(0), signs.unsqueeze(0), activation)
    network = TwoLayer((weights + coefficients @ x).unsqueeze(0), signs.unsqueeze(0), activation)
    psi = sample_weights(network, initial, x, labels, points)
    for k, point in enumerate(points):
        output = sum(psi[k, i] * labels[i] * (x[i] @ point) for i in range(4))
        for j in range(6):
            slope = activation.derivative(network.weights[0, j] @ point)
            output += signs[j] * slope * (weights[j] @ point) / math.sqrt(6)
        assert float(output) == pytest.approx(float(network(point.unsqueeze(0))[0, 0]), rel=1e-10)


def test_a_network_that_has_not_moved_owes_nothing_to_the_sample():
    rng = seeds.generator(1, "influence")
    x, weights = torch.tensor(rng.standard_normal((3, 5))), torch.tensor(rng.standard_normal((1, 4, 5)))
    network = TwoLayer(weights, torch.ones(1, 4).double(), relu())
    assert not sample_weights(network, network, x, torch.ones(3).double(), x).any()
