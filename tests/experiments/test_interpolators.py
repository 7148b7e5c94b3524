"""Interpolators of two clusters: the table, training in all coordinates, and runs against batches."""

import dataclasses
import math

import pytest
import torch

from benign.data import images, mixtures
from benign.experiments import outcomes
from benign.experiments.interpolators import ClusterInterpolator, DigitInterpolator, interpolate
from benign.measure import lipschitz
from benign.networks.activations import relu
from benign.networks.deep import initialise
from benign.train import deep

SMALL = ClusterInterpolator(n=20, d=50, separation=4.0, label_noise=0.1, seed=0, width=12, test_points=300)


def test_the_table_against_training_in_all_coordinates():
    run = dataclasses.replace(SMALL, seed=1, init_noise=8.0)
    sample = mixtures.sample(20, 50, 4.0, 0.1, 1, frame="ambient")
    x = sample.x / math.sqrt(50)
    start = initialise((50, 12, 12, 1), [1], relu(), scale=2.0)

    def over(margins, losses):
        return (margins > 0).all(-1) & (losses.mean(-1) <= 0.05)

    trained = deep.train(start, x[None], sample.labels[None], step_size=2.0 / (3 * 2.0**4), steps=run.steps, stop=over)
    network = trained.network
    (table,) = ClusterInterpolator.run([run])
    (row,) = table.itertuples()
    assert row.steps_taken == int(trained.steps)
    margins = sample.labels * network(x)[0]
    assert row.loss == pytest.approx(float(torch.log1p(torch.exp(-margins)).mean()), rel=1e-8)
    assert row.loss <= 0.05
    assert row.training_error == 0
    assert row.mean_margin == pytest.approx(float(margins.mean()), rel=1e-8)
    assert row.least_margin == pytest.approx(float(margins.min()), rel=1e-8)

    # f as a function of v, by automatic differentiation
    unit = math.sqrt(50)
    v = sample.x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(v / unit).sum(), v)
    assert row.at_data == pytest.approx(float(gradient.norm(dim=1).max()), rel=1e-8)
    assert row.upper == pytest.approx(float(lipschitz.upper(network)) / unit, rel=1e-8)
    assert row.between_data == pytest.approx(float(lipschitz.survey(network, x).between) / unit, rel=1e-8)
    assert row.lower == max(row.at_data, row.between_data, row.by_ascent) <= row.upper

    test, y = mixtures.fresh_points(4.0, 50, 1, 300)
    margins = y * network(test / unit)[0]
    assert row.test_error == float((margins <= 0).double().mean())
    assert 0 < row.test_error < 0.5
    assert row.margin_positive == pytest.approx(float(margins[y > 0].mean()), rel=1e-8)
    assert row.margin_negative == pytest.approx(float(margins[y < 0].mean()), rel=1e-8)
    assert row.median_positive == pytest.approx(float(margins[y > 0].median()), rel=1e-8)
    assert row.median_negative == pytest.approx(float(margins[y < 0].median()), rel=1e-8)


def test_a_small_start_has_the_step_size_of_a_start_of_one():
    sizes = [dataclasses.replace(SMALL, init_noise=scale).step_size for scale in (0.01, 1.0, 8.0)]
    assert sizes == pytest.approx([2 / 3, 2 / 3, 2 / 48])


def test_stopping_at_the_first_fit():
    (early,), (late,) = (ClusterInterpolator.run([dataclasses.replace(SMALL, level=level)]) for level in (1.0, 0.01))
    assert early.training_error[0] == late.training_error[0] == 0
    assert early.steps_taken[0] < late.steps_taken[0]
    (before,) = ClusterInterpolator.run([dataclasses.replace(SMALL, level=1.0, steps=int(early.steps_taken[0]) - 1)])
    assert before.training_error[0] > 0


def test_weight_decay_pulls_every_layer_towards_zero():
    run = dataclasses.replace(SMALL, level=1e-9, steps=40, weight_decay=0.01)
    sample = mixtures.sample(20, 50, 4.0, 0.1, 0, frame="ambient")
    x = sample.x / math.sqrt(50)
    start = initialise((50, 12, 12, 1), [0], relu())
    trained = deep.train(start, x[None], sample.labels[None], step_size=2 / 3, steps=40, weight_decay=0.01)
    _, (network,) = interpolate([run], [x], [sample.labels])
    for got, expected in zip(network.weights, trained.network.weights, strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-10)
    (plain,), (decayed,) = (ClusterInterpolator.run([r]) for r in (dataclasses.replace(run, weight_decay=0.0), run))
    assert decayed.upper[0] < plain.upper[0]


def test_draws_change_the_start_and_not_the_sample():
    x = mixtures.sample(20, 50, 4.0, 0.1, 0, frame="ambient").x / math.sqrt(50)
    y = mixtures.sample(20, 50, 4.0, 0.1, 0, frame="ambient").labels
    runs = [dataclasses.replace(SMALL, draw=draw) for draw in (0, 1)]
    _, (one, other) = interpolate(runs, [x, x], [y, y])
    assert not torch.equal(one.weights[1], other.weights[1])
    tables = ClusterInterpolator.run(runs)
    assert tables[0].test_error[0] != tables[1].test_error[0]


def test_the_table_of_digits():
    run = DigitInterpolator(negative=3, positive=8, n=24, label_noise=0.125, seed=0, width=32)
    (table,) = DigitInterpolator.run([run])
    (row,) = table.itertuples()
    p = images.problem(images.load(), (3, 8), 24, label_noise=0.125, seed=0)
    _, (network,) = interpolate([run], [p.x], [p.labels])
    assert row.training_error == float((p.labels * network(p.x)[0] <= 0).double().mean()) == 0
    assert row.test_error == float((p.labels_test * network(p.x_test)[0] <= 0).double().mean())
    assert 0.02 < row.test_error < 0.5
    assert outcomes.read(table).mean() == row.test_error
    assert row.at_data == float(lipschitz.at(network, p.x))
    assert row.at_data < row.lower < row.upper


def test_a_centred_start_is_the_difference_of_two_networks():
    run = dataclasses.replace(SMALL, centred=True, depth=2, certify=True)
    x, labels, _ = run.sample()
    trained, (function,) = interpolate([run], [x], [labels])
    assert function.widths == (50, 24, 1)
    _, (at_start,) = interpolate([dataclasses.replace(run, steps=1, step=1e-12)], [x], [labels])
    assert at_start(x).abs().max() < 1e-9
    margins = labels * function(x)[0]
    torch.testing.assert_close(margins, trained.final["margins"][0], rtol=1e-9, atol=1e-9)
    (row,) = ClusterInterpolator.run([run])[0].itertuples()
    assert row.training_error == 0
    assert row.lower <= row.certified <= row.upper


def test_a_certificate_on_request():
    run = dataclasses.replace(SMALL, certify=True)
    (three,), (two,), (without,) = (
        ClusterInterpolator.run([r]) for r in (run, dataclasses.replace(run, depth=2), SMALL)
    )
    assert "certified" not in without
    assert three.lower[0] < three.certified[0] < three.upper[0]
    assert two.lower[0] == two.certified[0]  # twelve neurons: all patterns
    assert 0.95 < two.by_ascent[0] / two.certified[0] <= 1 + 1e-12
