"""The empirical kernel: against automatic differentiation, and against the analytic kernel as the width grows."""

import math

import pytest
import second_device
import torch

from benign.errors import InputError
from benign.networks.activations import named
from benign.networks.deep import Deep, initialise
from benign.networks.two_layer import TwoLayer
from benign.ntk import analytic, empirical
from benign.seeds import generator


def gaussian(*shape, seed=0):
    return torch.tensor(generator(seed, "test").standard_normal(shape))


def two_layer(runs=3, m=21, d=5, name="relu"):
    signs = torch.tensor(generator(1, "test").choice([-1.0, 1.0], (runs, m)))
    return TwoLayer(gaussian(runs, m, d), signs, named(name))


def by_jacobians(network: Deep, x, z):
    """The kernel of each run by torch.func: the slow, obvious twin."""
    matrices = []
    for run in range(len(network.weights[0])):

        def outputs(weights, points):
            return Deep(weights, network.activation, network.parameterisation)(points)[0]

        weights = network.alone(run).weights
        at_x, at_z = (
            torch.func.jacrev(outputs)(weights, points if points.ndim == 2 else points[run]) for points in (x, z)
        )
        matrices.append(sum(a.flatten(1) @ b.flatten(1).T for a, b in zip(at_x, at_z, strict=True)))
    return torch.stack(matrices)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("parameterisation", ["ntk", "standard"])
@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.1)", "elu"])
@pytest.mark.parametrize("widths", [(5, 1), (5, 7, 1), (5, 20, 9, 1), (5, 6, 7, 8, 1)])
def test_kernel_is_the_product_of_jacobians(widths, name, parameterisation, shared):
    network = initialise(widths, [0, 1], named(name), parameterisation)
    x, z = gaussian(2, 6, 5), gaussian(2, 4, 5, seed=1)
    if shared:
        x, z = x[0], z[0]
    close = dict(rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(empirical.kernel(network, x, z), by_jacobians(network, x, z), **close)
    torch.testing.assert_close(empirical.kernel(network, x), by_jacobians(network, x, x), **close)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("z", [None, gaussian(4, 5, seed=1)])
def test_a_second_device_computes_the_same(z, dtype, monkeypatch):
    monkeypatch.setattr(second_device, "LACKS", {torch.float64} - {dtype})
    deep, wide, x = initialise((5, 7, 6, 1), [0, 1], named("elu")).to(dtype), two_layer(runs=2), gaussian(2, 6, 5)
    wide = TwoLayer(wide.weights.to(dtype), wide.signs.to(dtype), wide.activation)
    points = [None if part is None else part.to(dtype) for part in (x, z)]
    moved = [None if part is None else part.to("second_device") for part in points]
    for network in (deep, wide):
        here, there = empirical.kernel(network, *points), empirical.kernel(network.to("second_device"), *moved)
        assert torch.equal(there.cpu(), here)


@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.1)", "smoothed_leaky_relu(0.1, 2)"])
def test_two_layer_kernel_is_the_product_of_jacobians(name):
    network = two_layer(name=name)
    x, z = gaussian(3, 6, 5), gaussian(4, 5, seed=1)
    found, symmetric = empirical.kernel(network, x, z), empirical.kernel(network, x)
    for run in range(3):

        def outputs(weights, points, run=run):
            return TwoLayer(weights, network.signs[[run]], network.activation)(points)[0]

        at_x, at_z = (torch.func.jacrev(outputs)(network.weights[[run]], points).flatten(1) for points in (x[run], z))
        torch.testing.assert_close(found[run], at_x @ at_z.T, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(symmetric[run], at_x @ at_x.T, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("rows", [1, 7, 1000])
@pytest.mark.parametrize("make", [lambda: initialise((5, 20, 9, 1), [0, 1], named("relu")), two_layer])
def test_blocks_do_not_matter_and_the_matrix_is_symmetric(make, rows, monkeypatch):
    network, x, z = make(), gaussian(150, 5), gaussian(31, 5, seed=1)
    wholes = empirical.kernel(network, x), empirical.kernel(network, x, z)
    monkeypatch.setattr(empirical, "ROWS", rows)
    parts = empirical.kernel(network, x), empirical.kernel(network, x, z)
    for part, whole in zip(parts, wholes, strict=True):
        torch.testing.assert_close(part, whole, rtol=1e-12, atol=1e-13)
    for matrix in (wholes[0], parts[0]):
        assert torch.equal(matrix, matrix.mT)
    torch.testing.assert_close(wholes[0], empirical.kernel(network, x, x), rtol=1e-12, atol=1e-13)
    assert torch.linalg.eigvalsh(wholes[0]).min() > -1e-11


@pytest.mark.parametrize("make", [lambda: initialise((5, 33, 9, 1), range(3), named("relu")), two_layer])
def test_a_run_alone_has_the_kernel_that_it_has_in_the_batch_to_the_last_bit(make):
    network, x = make(), gaussian(150, 5)
    batch = empirical.kernel(network, x)
    for run in range(3):
        assert torch.equal(empirical.kernel(network.alone(run), x)[0], batch[run])


@pytest.mark.parametrize(("depth", "slope"), [(2, 0.1), (3, 0), (3, 0.1), (5, 0)])
def test_error_falls_like_one_over_the_root_of_the_width(depth, slope):
    """In 100 networks of each width. The slope's own spread is about 0.03, its window 0.1 around -1/2."""
    x = torch.nn.functional.normalize(gaussian(5, 4)) * torch.tensor([[1.0], [1.0], [0.5], [2.0], [1.0]])
    limit = analytic.kernel(x, depth=depth, slope=slope)
    widths, errors = (32, 64, 128, 256), []
    for width in widths:
        network = initialise((4, *[width] * (depth - 1), 1), range(100), named(f"leaky_relu({slope})"))
        errors.append((empirical.kernel(network, x) - limit).square().mean().sqrt().item())
    xs = torch.tensor(widths, dtype=torch.float64).log()
    ys = torch.tensor(errors, dtype=torch.float64).log()
    fitted = ((xs - xs.mean()) * (ys - ys.mean())).sum() / (xs - xs.mean()).square().sum()
    assert fitted.item() == pytest.approx(-0.5, abs=0.1)
    assert errors[-1] < 0.2 * limit.abs().max()


@pytest.mark.parametrize("slope", [0, 0.1])
def test_the_two_layer_kernel_tends_to_its_part_of_the_analytic_one(slope):
    # E sigma'(u) sigma'(v) <x, z> = kappa0(rho) <x, z> / c, with standard normal first-layer weights.
    x, m = gaussian(4, 3), 200_000
    network = TwoLayer(gaussian(1, m, 3, seed=2), torch.ones(1, m, dtype=torch.float64), named(f"leaky_relu({slope})"))
    unit = torch.nn.functional.normalize(x)
    limit = analytic.kappa0((unit @ unit.T).clamp(-1, 1), slope) * (x @ x.T) * (1 + slope**2) / 2
    # The terms are bounded by |<x, z>|: five standard errors.
    error = (empirical.kernel(network, x)[0] - limit).abs() / (x @ x.T).abs()
    assert error.max() < 5 * 0.5 / math.sqrt(m)


def test_covariance_of_the_outputs_is_the_nngp_kernel():
    # With two layers it is so at every width.
    x, runs = gaussian(3, 4), 4000
    outputs = initialise((4, 8, 1), range(runs), named("leaky_relu(0.1)"))(x)
    products = outputs.unsqueeze(2) * outputs.unsqueeze(1)
    error = products.mean(0) - analytic.kernel(x, depth=2, slope=0.1, kind="nngp")
    assert (error.abs() < 4 * products.std(0) / math.sqrt(runs)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: empirical.kernel(two_layer(d=6), x),
            r"x has the shape \(4, 5\): it must be \(3, n, 6\), or \(n, 6\)",
        ),
        (lambda x: empirical.kernel(two_layer(), x.expand(2, 4, 5)), r"x has the shape \(2, 4, 5\)"),
        (lambda x: empirical.kernel(initialise((6, 3, 1), [0], named("relu")), x), "x has the shape"),
    ],
)
def test_errors_say_what_was_wrong(call, message):
    with pytest.raises(InputError, match=message):
        call(gaussian(4, 5))
