"""Small networks against their explicit training and the kernel's prediction."""

import dataclasses
import math

import pytest
import torch

from benign.experiments import ntk_regression
from benign.experiments.ntk_regression_networks import NetworkSplit
from benign.experiments.samples import sphere
from benign.networks import activations, deep
from benign.ntk import analytic
from benign.seeds import generator

SMALL = NetworkSplit(
    n=6, d=4, depth=3, width=16, target="2", noise_variance=0.2, seed=3, networks=4, level=1e-4, test_points=10
)


def table(**changes):
    (found,) = NetworkSplit.run([dataclasses.replace(SMALL, **changes)])
    return found


def problem(run):
    x = sphere(run.n, run.d, run.seed, "inputs on the sphere")
    z = sphere(run.test_points, run.d, run.seed, "test points on the sphere")
    clean, goal = (ntk_regression.targets(p, run.target)[:, 0] for p in (x, z))
    noise = torch.from_numpy(generator(run.seed, "label noise").standard_normal(run.n))
    return x, z, clean + math.sqrt(run.noise_variance) * noise, goal


def test_the_table():
    found = table()
    assert found.columns.tolist() == [
        "ensemble", "error", "predicted", "machine_error", "initialisation", "loss", "steps_taken",
    ]  # fmt: skip
    assert found.ensemble.tolist() == [1, 2, 4]
    assert (found.loss <= 1e-4).all()
    assert (found.steps_taken < SMALL.steps).all()
    assert found.error.is_monotonic_decreasing  # squares are convex


def test_errors_against_explicit_gradient_descent():
    x, z, labels, goal = problem(SMALL)
    kernel = analytic.kernel(x, depth=3)
    step = SMALL.n / float(torch.linalg.eigvalsh(kernel)[-1])
    outputs = []
    for member in range(4):
        start = deep.initialise((4, 16, 16, 1), [3 * 4 + member], activations.named("relu"))
        weights = [w.clone().requires_grad_() for w in start.weights]

        def f(p, weights=weights):
            return deep.Deep(tuple(weights), activations.named("relu"))(p)[0]

        while (loss := (f(x) - labels).square().mean() / 2) > 1e-4:
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for w, g in zip(weights, gradients, strict=True):
                    w -= step * g
        outputs.append(f(z).detach())
    a, b, c, d = outputs
    expected = [
        [(o - goal).square().mean() for o in outputs],
        [((a + b) / 2 - goal).square().mean(), ((c + d) / 2 - goal).square().mean()],
        [((a + b + c + d) / 4 - goal).square().mean()],
    ]
    assert table().error.tolist() == pytest.approx([float(torch.stack(e).mean()) for e in expected], rel=1e-7)


def test_the_prediction_against_its_definition():
    x, z, labels, goal = problem(SMALL)
    a = torch.linalg.solve(analytic.kernel(x, depth=3), analytic.kernel(x, z, depth=3)).T
    sigma = analytic.kernel(torch.cat([z, x]), depth=3, kind="nngp")
    both = torch.cat([torch.eye(10).double(), -a], 1)  # f(z) - a^T f(X)
    start = float((both @ sigma @ both.T).diagonal().mean())
    machine = float((a @ labels - goal).square().mean())
    found = table()
    assert found.machine_error[0] == pytest.approx(machine, rel=1e-9)
    assert found.initialisation[0] == pytest.approx(start, rel=1e-9)
    assert found.predicted.tolist() == pytest.approx([machine + start / e for e in (1, 2, 4)], rel=1e-9)


def test_wide_networks_have_the_predicted_error():
    """Width 512, 128 starts on one sample: within four standard errors, plus the finite width's own three per cent."""
    run = NetworkSplit(
        n=8, d=6, depth=2, width=512, target="1", noise_variance=0.1, seed=0, networks=128, test_points=100
    )
    (found,) = NetworkSplit.run([run])
    single = found.iloc[0]
    # The mean over points of a squared Gaussian start has at most the relative deviation sqrt(2) of one point.
    margin = 4 * math.sqrt(2 / 128) * single.initialisation * 0.5 + 0.03 * single.predicted
    assert single.error == pytest.approx(single.predicted, abs=margin)
    assert found.iloc[-1].error == pytest.approx(found.iloc[-1].predicted, rel=0.1)
