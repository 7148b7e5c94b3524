"""Small networks beside their linearisations and kernel machines."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import torch

from benign import seeds
from benign.data import mixtures
from benign.experiments import laziness
from benign.experiments.laziness import Laziness
from benign.networks import activations
from benign.networks.two_layer import TwoLayer, output_signs
from benign.ntk import empirical
from benign.train import dense
from benign.train.problem import loss_at_most
from livingpaper.sweep import grid, sweep

SMALL = Laziness(
    n=10, p=200, signal_index=6.0, label_noise=0.2, seed=0, width=8, step=1.0, init_scale=20.0, steps=2000, level=0.2,
    test_points=300,
)  # fmt: skip


def run(**changes) -> pd.Series:
    (table,) = Laziness.run([dataclasses.replace(SMALL, **changes)])
    assert len(table) == 1
    return table.iloc[0]


def test_the_table():
    row = run()
    assert row.index.tolist() == [
        "steps_taken", "initial_norm",
        "first_loss", "first_training_error", "first_distance", "first_visible_distance", "first_flipped",
        "first_kernel_change", "first_kernel_change_between", "first_alignment", "first_obedient",
        "loss", "training_error", "distance", "visible_distance", "flipped",
        "kernel_change", "kernel_change_between", "alignment", "obedient",
        "linearised_loss", "machine_loss", "linearised_distance",
        "test_error", "linearised_test_error", "machine_test_error", "regression_test_error",
        "test_flipped", "silent", "disagreement", "output_difference",
        "weight_of_wrong", "weight_of_others", "awake_at_right", "awake_at_wrong", "averaging_test_error",
    ]  # fmt: skip
    assert not row.isna().any()
    # All stop at the same loss, to within the last step.
    for name in ("loss", "linearised_loss", "machine_loss"):
        assert 0.15 < row[name] <= 0.2
    assert row.first_loss < math.log(2)
    assert row.visible_distance > row.distance
    assert run(label_noise=0.0)[["weight_of_wrong", "awake_at_wrong"]].isna().all()


@pytest.mark.parametrize("start", ["paired", "independent"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.3)"])
def test_every_measurement_against_its_definition(start, activation):
    """Dense gradient descent on the weights of the network and of its linearisation, and sums written out."""
    setting = dataclasses.replace(SMALL, start=start, activation=activation)
    row, sample = run(start=start, activation=activation), setting.sample()
    initial = setting.network(sample)
    x, y, signs, n, m = sample.x, sample.labels, initial.signs[0], SMALL.n, SMALL.width
    trained = dense.train(
        initial, x.unsqueeze(0), y.unsqueeze(0), step_size=setting.step_size, steps=2000, stop=loss_at_most(0.2)
    )
    network = trained.network
    assert row.steps_taken == int(trained.steps[0])
    w0, w = initial.weights[0], network.weights[0]
    assert row.distance == pytest.approx(float((w - w0).norm() / w0.norm()), rel=1e-8)
    onto = x.T @ torch.linalg.solve(x @ x.T, x)
    assert row.visible_distance == pytest.approx(float((w - w0).norm() / (w0 @ onto).norm()), rel=1e-8)
    active, before = w @ x.T > 0, w0 @ x.T > 0
    assert row.flipped == float((active != before).double().mean())
    kernels = [torch.zeros(n, n).double() for _ in range(2)]
    for kernel, weights in zip(kernels, (w0, w), strict=True):
        slopes = initial.activation.derivative(weights @ x.T)
        for i in range(n):
            for k in range(n):
                kernel[i, k] = (x[i] @ x[k]) * (slopes[:, i] * slopes[:, k]).mean()
    assert row.kernel_change == pytest.approx(float((kernels[1] - kernels[0]).norm() / kernels[0].norm()), rel=1e-8)
    off = [kernel - torch.diag(kernel.diagonal()) for kernel in kernels]
    assert row.kernel_change_between == pytest.approx(float((off[1] - off[0]).norm() / off[0].norm()), rel=1e-8)
    target = torch.outer(y, y) - torch.eye(n).double()
    aligned = (off[1] * target).sum() / off[1].norm() / target.norm()
    assert row.alignment == pytest.approx(float(aligned), rel=1e-8)
    right_sign = torch.outer(signs, y) > 0
    assert row.obedient == pytest.approx(float((active == right_sign).double().mean()))
    wrong = sample.flipped.expand(m, n)
    assert row.awake_at_wrong == pytest.approx(float(active[right_sign & wrong].double().mean()))
    assert row.awake_at_right == pytest.approx(float(active[right_sign & ~wrong].double().mean()))

    features = (signs[:, None, None] * initial.activation.derivative(w0 @ x.T)[:, :, None] * x).permute(1, 0, 2)
    features = features.reshape(n, -1) / math.sqrt(m)  # the gradients of f_0(x_i)
    f0, theta = initial(x)[0], torch.zeros(features.shape[1]).double()
    while True:
        margins = y * (f0 + features @ theta)
        if torch.nn.functional.softplus(-margins).mean() <= 0.2:
            break
        theta += setting.step_size / n * features.T @ (y * torch.sigmoid(-margins))
    assert row.linearised_loss == pytest.approx(float(torch.nn.functional.softplus(-margins).mean()), rel=1e-8)
    assert row.linearised_distance == pytest.approx(float(theta.norm()), rel=1e-8)

    points, clean = mixtures.fresh_points(setting.signal, x.shape[1], 0, 300)
    outputs = network(points)[0]
    slopes = initial.activation.derivative(w0 @ points.T)
    linearised = initial(points)[0] + torch.einsum(
        "j,jk,kd,jd->k", signs / math.sqrt(m), slopes, points, theta.reshape(m, -1)
    )
    assert row.test_error == float((clean * outputs <= 0).double().mean())
    assert row.linearised_test_error == float((clean * linearised <= 0).double().mean())
    assert row.disagreement == float(((outputs > 0) != (linearised > 0)).double().mean())
    assert row.silent == float(((w @ points.T).amax(0) <= 0).double().mean())
    assert activation != "relu" or row.silent == float((outputs == 0).double().mean())
    assert row.output_difference == pytest.approx(float((outputs - linearised).norm() / linearised.norm()), rel=1e-7)
    assert row.test_flipped == float(((w @ points.T > 0) != (w0 @ points.T > 0)).double().mean())

    coefficients = torch.linalg.solve(x @ x.T, x @ (w - w0).T).T
    psi = [[], []], [[], []]
    for point, label in zip(points, clean, strict=True):
        now = initial.activation.derivative(w @ point)
        for i in range(n):
            weight = float(y[i] * (signs * now * coefficients[:, i]).sum())
            psi[0][int(sample.flipped[i])].append(weight)
            psi[1][int(y[i] != label)].append(weight)
    for pair, name in zip(psi, ("weight_of_wrong", "weight_of_others"), strict=True):
        assert row[name] == pytest.approx(np.mean(pair[1]) / np.mean(pair[0]), rel=1e-7)


def test_after_one_step():
    """With one step allowed, the end is the state after the first step."""
    row = run(steps=1)
    first = row[[name for name in row.index if name.startswith("first_")]]
    np.testing.assert_array_equal(first, row[[name.removeprefix("first_") for name in first.index]])
    np.testing.assert_array_equal(first, run()[first.index])


def test_the_scale_of_the_start_is_a_multiplier_of_the_output():
    """Descent from s W(0) is descent from W(0) on s f with the step size over s^2 (Chizat, Oyallon & Bach 2019)."""
    scale = 50.0
    row = run(init_scale=scale)
    setting = dataclasses.replace(SMALL, init_scale=1.0)
    sample = setting.sample()
    network = setting.network(sample)
    weights, signs, x, y = network.weights[0].clone().requires_grad_(), network.signs[0], sample.x, sample.labels

    def model(points):
        return scale * (signs @ torch.relu(weights @ points.T)) / math.sqrt(SMALL.width)

    taken = 0
    while True:
        loss = torch.nn.functional.softplus(-y * model(x)).mean()
        if loss <= 0.2:
            break
        (gradient,) = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            weights -= setting.step_size / scale**2 * gradient
        taken += 1
    assert row.steps_taken == taken
    assert row.loss == pytest.approx(float(loss.detach()), rel=1e-9)
    points, clean = mixtures.fresh_points(setting.signal, x.shape[1], 0, 300)
    assert row.test_error == float((clean * model(points).detach() <= 0).double().mean())


def test_a_paired_start_is_zero_and_its_linearisation_knows_no_scale():
    sample = SMALL.sample()
    network = SMALL.network(sample)
    assert network.weights.shape == (1, 8, 1 + 10 + 4)
    assert network(sample.x).abs().max() < 1e-15
    columns = ["linearised_loss", "linearised_distance", "linearised_test_error", "machine_test_error"]
    tiny, huge = run(init_scale=0.01), run(init_scale=1e5)
    np.testing.assert_allclose(tiny[columns].astype(float), huge[columns].astype(float), rtol=1e-9)
    # The network does know it: lazy at one end, and something else at the other.
    assert huge.output_difference < 0.01 < 0.1 < tiny.output_difference
    assert huge.disagreement == 0
    assert huge.distance * huge.initial_norm == pytest.approx(huge.linearised_distance, rel=0.01)
    independent = dataclasses.replace(SMALL, start="independent")
    assert independent.network(independent.sample())(sample.x[:, :1].expand(-1, 1 + 10 + 8)).abs().max() > 0


def test_the_kernel_machine():
    """Its kernel is that of a very wide layer, and a test point counts with its whole length."""
    for activation in ("relu", "leaky_relu(0.3)"):
        setting = dataclasses.replace(SMALL, activation=activation)
        rng = seeds.generator(0, "kernel machine")
        x, z, m = torch.tensor(rng.standard_normal((5, 6))), torch.tensor(rng.standard_normal((4, 6))), 200_000
        weights, signs = torch.tensor(rng.standard_normal((1, m, 6))), output_signs(m, 0).unsqueeze(0)
        wide = TwoLayer(weights, signs, activations.named(activation))
        limit = laziness.limit_kernel(setting, x, z)
        # Entries are <z, x> times a mean over m neurons of numbers in [0, 1]: five standard deviations of at most 1/2.
        bound = 5 * 0.5 / math.sqrt(m) * (z @ x.T).abs()
        assert ((empirical.kernel(wide, z, x)[0] - limit).abs() <= bound).all()
        # In a frame that holds x, the rest of z is seen through its length only.
        rotation = torch.linalg.qr(x.T).Q  # five of six axes
        rest = z.square().sum(-1) - (z @ rotation).square().sum(-1)
        reduced = laziness.limit_kernel(setting, x @ rotation, z @ rotation, rest)
        torch.testing.assert_close(reduced, limit, rtol=1e-9, atol=1e-12)
        own = laziness.limit_kernel(setting, x)
        torch.testing.assert_close(own, own.T, rtol=1e-12, atol=0)


def test_a_sweep_over_starts_and_levels():
    """Runs that cannot be stacked, or that end at another loss, come in batches of their own.

    Of 32 neurons some can fit every sample; of 8 perhaps none, and training would take all its steps.
    """
    setting = {field.name: getattr(SMALL, field.name) for field in dataclasses.fields(SMALL)}
    del setting["seed"]
    settings = grid(**setting | dict(start=["paired", "independent"], level=[0.2, 0.4], width=32))
    table = sweep(Laziness, settings, seeds=2)
    assert len(table) == 8
    assert (table.loss <= table.level).all()
    assert table[table.level == 0.4].loss.min() > 0.2
