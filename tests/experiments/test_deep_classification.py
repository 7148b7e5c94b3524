"""Small deep networks: the read-outs against automatic differentiation, and runs against batches."""

import dataclasses
import math

import pandas as pd
import pytest
import torch

from benign.experiments.deep_classification import DeepClassification, DeepDigits, laziness
from benign.experiments.deep_training import fit_lazily
from benign.experiments.separation import Separation
from benign.networks.activations import relu
from benign.networks.deep import initialise
from benign.seeds import generator

SMALL = DeepClassification(n=24, d=80, separation=5.0, label_noise=0.125, seed=0, width=20, test_points=200)


def test_the_table():
    (table,) = DeepClassification.run([SMALL])
    (row,) = table.itertuples()
    assert row.loss <= 0.05
    assert row.training_error == row.training_error_flipped == 0
    assert row.steps_taken % 2 == 0  # whole epochs of two mini-batches
    assert row.test_error < 0.3 < row.initial_error < 0.7
    for name in ("distance", "kernel_change", "flipped", "flipped_test", "output_difference", "disagreement"):
        assert getattr(row, name) > 0


def test_errors_alone_are_those_of_the_whole_table():
    (table,) = DeepClassification.run([SMALL])
    (errors,) = DeepClassification.run([dataclasses.replace(SMALL, measure_laziness=False)])
    assert "kernel_change" in table and "kernel_change" not in errors
    pd.testing.assert_frame_equal(errors, table[errors.columns], check_exact=True)


def test_far_clusters_are_learned_and_no_noise_gives_no_flipped_labels():
    (table,) = DeepClassification.run([dataclasses.replace(SMALL, separation=30.0, label_noise=0.0)])
    assert table.test_error[0] == 0
    assert math.isnan(table.training_error_flipped[0])


def test_balanced_labels_and_a_start_that_says_nothing():
    run = dataclasses.replace(SMALL, centred=True, balanced=True, width=200)
    (table,), (x, labels, clean) = DeepClassification.run([run]), run.sample()
    assert labels.sum() == clean.sum() == 0 and (labels != clean).sum() == 4
    assert table.loss[0] <= 0.05
    _, (network,), (start,) = fit_lazily([run], [x], [labels], "cpu")
    fresh, y = run.fresh()
    assert table.test_error[0] == float((y * (network(fresh) - start(fresh))[0] <= 0).double().mean())
    assert mean_loss(labels * (network(x) - start(x))[0]) == pytest.approx(table.loss[0], rel=1e-9)


def mean_loss(margins):
    return float(torch.nn.functional.softplus(-margins).mean())


@pytest.mark.parametrize("centred", [False, True])
def test_the_read_outs_by_brute_force(centred):
    rng = generator(1, "test")
    draw = lambda *shape: torch.tensor(rng.standard_normal(shape))  # noqa: E731
    start = initialise((6, 5, 5, 1), [4], relu())
    network = dataclasses.replace(start, weights=tuple(w + 0.4 * draw(*w.shape) for w in start.weights))
    x, x_test = draw(7, 6), draw(9, 6)
    scales = (1.0, math.sqrt(2 / 5), math.sqrt(2 / 5))

    def outputs(weights, points):
        h, pre = points, []
        for s, w in zip(scales, weights, strict=True):
            pre.append(s * h @ w[0].mT)
            h = pre[-1].clamp(min=0)
        return pre[-1][:, 0], pre[:-1]

    def jacobian(weights, points):
        parts = torch.autograd.functional.jacobian(lambda *w: outputs(w, points)[0], tuple(weights))
        return torch.cat([part.flatten(1) for part in parts], 1)

    moves = torch.cat([(w - w0).flatten() for w, w0 in zip(network.weights, start.weights, strict=True)])
    length = torch.cat([w0.flatten() for w0 in start.weights]).norm()
    kernels = [jacobian(net.weights, x) @ jacobian(net.weights, x).mT for net in (network, start)]

    def switched(points):
        both = [torch.cat([u > 0 for u in outputs(net.weights, points)[1]], 1) for net in (network, start)]
        return (both[0] != both[1]).double().mean()

    now, then = (outputs(net.weights, x_test)[0] for net in (network, start))
    if centred:
        now, then = now - then, 0 * then
    linear = then + jacobian(start.weights, x_test) @ moves
    labels, y_test = draw(7).sign(), draw(9).sign()
    expected = {
        "distance": moves.norm() / length,
        "kernel_change": (kernels[0] - kernels[1]).norm() / kernels[1].norm(),
        "flipped": switched(x),
        "flipped_test": switched(x_test),
        "output_difference": (now - linear).norm() / (now - then).norm(),
        "disagreement": ((now > 0) != (linear > 0)).double().mean(),
    }
    run = dataclasses.replace(SMALL, centred=centred, n=7, batch_points=7)
    said = network(x_test)[0], start(x_test)[0]
    measured = laziness(run, network, start, x, labels, x_test, y_test, *said)
    measured.pop("tangent_test_error")
    assert measured == pytest.approx({name: float(value) for name, value in expected.items()}, rel=1e-10)


def test_the_trained_tangent_model_by_gradient_descent_in_weight_space():
    run = dataclasses.replace(SMALL, epochs=6, batch_points=24, level=1e-9, width=5)
    (x, labels, _), (x_test, y_test) = run.sample(), run.fresh()
    start = initialise((80, 5, 5, 1), [0], relu())
    said = start(x_test)[0]
    got = laziness(run, start, start, x, labels, x_test, y_test, said, said)["tangent_test_error"]

    def features(points):
        hs, signals = start.factors(points)
        pairs = zip(start.multipliers, hs, signals, strict=True)
        return torch.cat([s * (b[0].unsqueeze(2) * h[0].unsqueeze(1)).flatten(1) for s, h, b in pairs], 1)

    moves = torch.zeros(features(x).shape[1], dtype=torch.float64)
    for _ in range(6):
        margins = labels * (start(x)[0] + features(x) @ moves)
        moves += run.step_size * (features(x) * (labels * torch.sigmoid(-margins)).unsqueeze(1)).mean(0)
    outputs = start(x_test)[0] + features(x_test) @ moves
    assert got == float((y_test * outputs <= 0).double().mean())


def test_the_table_of_digits():
    run = DeepDigits(negative=3, positive=8, n=40, label_noise=0.2, seed=0, width=24)
    (table,) = DeepDigits.run([run])
    (row,) = table.itertuples()
    assert row.loss <= 0.05
    assert row.training_error == row.training_error_flipped == 0
    (p,) = Separation.problems([Separation(negative=3, positive=8, n=40, label_noise=0.2, seed=0)])
    _, (network,), _ = fit_lazily([run], [p.x], [p.labels], "cpu")
    assert row.test_error == float((p.labels_test * network(p.x_test)[0] <= 0).double().mean())
    assert 0.05 < row.test_error < 0.5
    assert torch.equal(p.x.norm(dim=1).round(decimals=12), torch.ones(40, dtype=torch.float64))
