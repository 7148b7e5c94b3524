"""Training in the coordinates of the sample against training in R^d."""

import pytest
import torch

from benign.networks.activations import leaky_relu
from benign.networks.deep import initialise
from benign.seeds import generator
from benign.train import deep, deep_span, history
from benign.train.problem import loss_at_most


@pytest.mark.parametrize("parameterisation", ["ntk", "standard"])
@pytest.mark.parametrize("d", [5, 30])  # fewer and more coordinates than points
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_training_in_the_coordinates_of_the_sample_is_training(d, parameterisation, decay):
    rng = generator(11, "test")
    x = torch.tensor(rng.standard_normal((2, 8, d))) / d**0.5
    labels = torch.tensor(rng.choice([-1.0, 1.0], (2, 8)))
    start = initialise((d, 7, 6, 1), [0, 1], leaky_relu(0.2), parameterisation=parameterisation)
    options = dict(
        step_size=torch.tensor([0.9, 0.1], dtype=torch.float64), steps=40, observe={"loss": history.loss},
        stop=loss_at_most(0.65), weight_decay=torch.tensor([0.5 * decay, decay], dtype=torch.float64),
    )  # fmt: skip
    trained, finished = deep_span.train(start, list(x), list(labels), **options)
    whole = deep.train(start, x, labels, **options)
    torch.testing.assert_close(trained.final["loss"], whole.final["loss"], rtol=0, atol=1e-12)
    for run, network in enumerate(finished):
        for got, expected in zip(network.weights, whole.network.weights, strict=True):
            torch.testing.assert_close(got, expected[[run]], rtol=0, atol=1e-12)
    assert torch.equal(trained.steps, whole.steps) and trained.steps.unique().numel() == 2
    assert (whole.network.weights[1] - start.weights[1]).abs().max() > 1e-2
