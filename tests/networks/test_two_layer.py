"""The two-layer network."""

import math

import numpy as np
import pytest
import torch

from benign.errors import InputError
from benign.networks.activations import leaky_relu, relu
from benign.networks.two_layer import TwoLayer, output_signs
from benign.seeds import generator


def networks(runs=3, m=5, d=4) -> TwoLayer:
    rng = generator(0, "test")
    weights = torch.tensor(rng.standard_normal((runs, m, d)))
    return TwoLayer(weights, torch.tensor(rng.choice([-1.0, 1.0], (runs, m))), leaky_relu(0.2))


def test_outputs_are_the_sum_that_the_docstring_says():
    network = networks()
    x = torch.tensor(generator(1, "test").standard_normal((3, 7, 4)))
    outputs, shared = network(x), network(x[0])
    for run in range(3):
        for i in range(7):
            for points, values in ((x[run], outputs), (x[0], shared)):
                hidden = [max(u, 0.2 * u) for u in (network.weights[run] @ points[i]).tolist()]
                expected = sum(a * h for a, h in zip(network.signs[run].tolist(), hidden, strict=True)) / math.sqrt(5)
                assert values[run, i].item() == pytest.approx(expected, rel=1e-12)


def test_one_network_of_a_batch_gives_the_batchs_outputs_from_memory_of_its_own():
    network = networks()
    x = torch.tensor(generator(1, "test").standard_normal((7, 4)))
    for run in range(3):
        alone = network.alone(run)
        assert alone.weights.shape == (1, 5, 4)
        torch.testing.assert_close(alone(x)[0], network(x)[run], rtol=1e-13, atol=1e-13)
        assert alone.weights.data_ptr() % 64 == 0


def test_random_signs_are_fair_and_independent():
    signs = np.stack([output_signs(64, seed).numpy() for seed in range(500)])
    assert set(np.unique(signs)) == {-1, 1}
    assert abs(signs.mean()) < 5 / math.sqrt(signs.size)
    counts = (signs == 1).sum(1)
    assert counts.var() == pytest.approx(16, rel=5 * math.sqrt(2 / 500))  # binomial(64, 1/2), not balanced


@pytest.mark.parametrize(("width", "total"), [(6, 0), (7, -1), (1, -1)])
def test_balanced_signs(width, total):
    signs = [output_signs(width, seed, balanced=True) for seed in range(20)]
    assert {int(s.sum()) for s in signs} == {total}
    assert width < 6 or len({tuple(s.tolist()) for s in signs}) > 5


def test_a_network_has_a_neuron():
    with pytest.raises(InputError, match="width is 0: a network needs at least one hidden neuron"):
        output_signs(0, 0)


def test_shapes_are_checked_in_this_test_run():
    # The import hook of conftest.py is on: without it, this would go unnoticed until a matrix product.
    with pytest.raises(Exception, match="(?i)signs|shape|type"):
        TwoLayer(torch.zeros(2, 3, 4, dtype=torch.float64), torch.ones(2, 5, dtype=torch.float64), relu())
