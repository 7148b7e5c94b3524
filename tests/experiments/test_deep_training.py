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
from benign.train.problem import Rule

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
        seeds=[3], stop=Rule(0.1, fitted=True),
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


def test_training_goes_on_until_every_label_is_fitted():
    # a loss that is soon low enough, while some label is not fitted yet
    x, labels = problem()
    run = dataclasses.replace(SMALL, level=0.6)
    trained, *_ = fit_lazily([run], [x], [labels], "cpu")
    network = initialise((25, 12, 12, 1), [3], relu(), scale=0.5 ** (1 / 3))
    early = deep.train(
        network, x.unsqueeze(0), labels.unsqueeze(0), step_size=run.step_size, steps=180, batch_size=4, seeds=[3],
        stop=Rule(0.6), observe={"margins": lambda s: s.labels * s.outputs},
    )  # fmt: skip
    assert (early.final["margins"] <= 0).any()
    assert early.steps[0] < trained.steps[0] < 180
    assert (trained.final["margins"] > 0).all()


def test_what_begins_at_zero_learns_as_two_mirrored_copies_do():
    # (g(W) - g(W')) / sqrt(2) begins at zero with W = W', has the kernel of g, and both copies move apart. One step is
    # the same to first order: the rest is quadratic in the step, so that a tenth of it leaves a hundredth.
    x, labels = problem()
    start = initialise((25, 12, 12, 1), [3], relu())
    (jacobian,) = torch.autograd.functional.jacobian(lambda w: flat(start, w, x), (vector(start),))
    gaps = []
    for size in (1e-3, 1e-4):
        batch = dict(step_size=size, steps=1)
        one = deep.train(
            start, x.unsqueeze(0), labels.unsqueeze(0), offset=start(x), **batch
        ).network  # fmt: skip
        force = labels / 2 / len(labels)  # of the logistic loss at outputs 0
        move = size * jacobian.mT @ force / 2**0.5
        mirrored = (flat(start, vector(start) + move, x) - flat(start, vector(start) - move, x)) / 2**0.5
        gaps.append(float((one(x)[0] - start(x)[0] - mirrored).norm()))
        assert gaps[-1] < 0.02 * float(mirrored.norm())
    assert gaps[1] < 0.02 * gaps[0]


def vector(network):
    return torch.cat([w.flatten() for w in network.weights])


def flat(network, weights, x):
    """The outputs with all weights in one vector."""
    parts = weights.split([w.numel() for w in network.weights])
    h = x
    for layer, (s, part, w) in enumerate(zip(network.multipliers, parts, network.weights, strict=True)):
        h = s * (h.clamp(min=0) if layer else h) @ part.view(w.shape[1:]).mT
    return h[:, 0]
