"""SGD in the n coordinates of the sample, against SGD in all d."""

import dataclasses

import pytest
import torch

from benign.experiments.deep_classification import DeepClassification
from benign.experiments.deep_training import fit_lazily, missed, training
from benign.networks.activations import relu
from benign.networks.deep import initialise
from benign.seeds import generator
from benign.train import deep
from benign.train.problem import loss_at_most

SMALL = DeepClassification(
    n=10, d=25, separation=1.0, label_noise=0.2, seed=3, depth=3, width=12, init_noise=0.5, batch_points=4, level=0.1,
    epochs=60,
)  # fmt: skip


def problem(n=10, d=25):
    rng = generator(7, "test")
    x = torch.nn.functional.normalize(torch.tensor(rng.standard_normal((n, d))), dim=1)
    return x, torch.tensor(rng.choice([-1.0, 1.0], n))


def test_training_in_the_span_of_the_sample_is_training():
    x, labels = problem()
    trained, (finished,), (start,) = fit_lazily([SMALL], [x], [labels], "cpu")
    network = initialise((25, 12, 12, 1), [3], relu(), scale=0.5 ** (1 / 3))
    whole = deep.train(
        network, x.unsqueeze(0), labels.unsqueeze(0), step_size=4 / (3 * 0.5 ** (4 / 3)), steps=180, batch_size=4,
        seeds=[3], stop=loss_at_most(0.1),
    )  # fmt: skip
    assert 0 < trained.steps[0] == whole.steps[0] < 180
    for got, begun, expected, first in zip(
        finished.weights, start.weights, whole.network.weights, network.weights, strict=True
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-10)
        assert torch.equal(begun, first)
        assert (got - begun).abs().max() > 1e-3
    torch.testing.assert_close(trained.final["margins"][0], labels * finished(x)[0], rtol=0, atol=1e-10)


def test_the_start_has_outputs_of_the_given_size():
    run = dataclasses.replace(SMALL, depth=4, init_noise=0.3)
    x = problem(n=1)[0]
    outputs = initialise((25, 60, 60, 60, 1), range(1500), relu(), scale=run.weight_scale)(x)
    # Relative error of a standard deviation from 1500 draws, heavier tails than Gaussian: about 3 per cent.
    assert outputs.std() == pytest.approx(0.3, rel=0.12)
    assert run.kernel_scale == pytest.approx(0.3**1.5)
    assert run.step_size == pytest.approx(4.0 / (4 * 0.3**1.5))


def test_the_shares_of_missed_labels():
    x, labels = problem()
    trained, *_ = fit_lazily([dataclasses.replace(SMALL, width=4, batch_points=10, epochs=1)], [x], [labels], "cpu")
    row, margins = training(trained, 0)
    wrong = ~(margins > 0)
    assert 0 < row["training_error"] == wrong.double().mean() < 1
    assert missed(margins[wrong]) == 1
    assert row["steps_taken"] == 1


def test_nothing_is_on_no_side():
    assert missed(torch.tensor([1.0, -2.0, 0.0, torch.nan])) == 0.75
