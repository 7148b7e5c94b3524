"""Kernel regression: against the differential equation that it solves, linear algebra, and Monte Carlo."""

import math

import pytest
import second_device  # noqa: F401  # registers it
import torch

from benign.errors import InputError
from benign.networks.activations import leaky_relu
from benign.networks.two_layer import TwoLayer
from benign.ntk import analytic, empirical, regression
from benign.seeds import generator


def gaussian(*shape, seed=0):
    return torch.tensor(generator(seed, "test").standard_normal(shape))


def problem(n=6, k=4, d=3, seed=0):
    """Training inputs, other inputs, labels, K and the kernel between the two."""
    x, z, labels = gaussian(n, d, seed=seed), gaussian(k, d, seed=seed + 1), gaussian(n, seed=seed + 2)
    return x, z, labels, analytic.kernel(x, depth=3), analytic.kernel(z, x, depth=3)


def euler(matrix, labels, start, time, steps):
    """Explicit Euler for f' = -(1/n) K (f - y) on the sample."""
    for _ in range(steps):
        start = start + matrix @ (labels - start) * (time / steps / len(labels))
    return start


@pytest.mark.parametrize("time", [0.3, 5.0, 40.0])
def test_flow_is_the_limit_of_explicit_euler_steps(time):
    _, _, labels, matrix, _ = problem()
    start = gaussian(6, seed=7)
    coarse, fine = (euler(matrix, labels, start, time, steps) for steps in (2000, 4000))
    limit = 2 * fine - coarse  # Richardson: an error of order h^2
    found = labels - regression.factor(matrix).residuals(labels - start, time)
    torch.testing.assert_close(found, limit, rtol=0, atol=1e-5)
    # Euler's own error, of first order, is far larger than what is left: the comparison has teeth.
    assert (fine - found).abs().max() > 100 * (limit - found).abs().max()


def test_time_is_step_size_times_steps_of_gradient_descent_on_the_mean_loss():
    # With slope 1 the two-layer network is linear in its weights: its kernel never moves.
    x, labels = gaussian(6, 8), gaussian(6, seed=2)
    signs = torch.tensor([[1.0, -1.0, 1.0]], dtype=torch.float64)
    start = TwoLayer(gaussian(1, 3, 8, seed=3), signs, leaky_relu(1))
    weights, step_size, steps = start.weights.clone().requires_grad_(), 2e-3, 500
    for _ in range(steps):
        loss = (TwoLayer(weights, signs, leaky_relu(1))(x)[0] - labels).square().mean() / 2
        weights = (weights - step_size * torch.autograd.grad(loss, weights)[0]).detach().requires_grad_()
    trained = TwoLayer(weights.detach(), signs, leaky_relu(1))(x)
    left = regression.factor(empirical.kernel(start, x)).residuals(labels - start(x), step_size * steps)
    torch.testing.assert_close(labels - left, trained, rtol=0, atol=2 * step_size)


def test_the_end_interpolates_and_is_kernel_regression():
    _, _, labels, matrix, cross = problem()
    start, other = gaussian(6, seed=7), gaussian(4, seed=8)
    solution = regression.factor(matrix)
    torch.testing.assert_close(solution.predict(matrix, labels, initial=(start, start)), labels)
    expected = other + cross @ torch.linalg.solve(matrix, labels - start)
    torch.testing.assert_close(solution.predict(cross, labels, initial=(other, start)), expected)
    torch.testing.assert_close(solution.predict(cross, labels), cross @ torch.linalg.solve(matrix, labels))
    torch.testing.assert_close(solution.coefficients(labels), torch.linalg.solve(matrix, labels))
    assert solution.residuals(labels, 1e6).abs().max() < 1e-9
    torch.testing.assert_close(solution.residuals(labels, 0), labels)


def test_influence_is_the_derivative_in_the_labels():
    _, _, labels, matrix, cross = problem()
    solution = regression.factor(matrix)
    influence = solution.influence(cross)
    torch.testing.assert_close(influence @ labels, solution.predict(cross, labels), rtol=1e-10, atol=1e-10)
    basis = torch.eye(6, dtype=torch.float64)
    columns = torch.stack([solution.predict(cross, e) for e in basis], 1)
    torch.testing.assert_close(influence, columns, rtol=1e-10, atol=1e-10)


def test_smallest_eigenvalue():
    *_, matrix, _ = problem()
    found = regression.factor(matrix).smallest_eigenvalue.item()
    assert found == pytest.approx(1 / torch.linalg.matrix_norm(matrix.inverse(), 2).item(), rel=1e-9)


def singular():
    x, z, labels, *_ = problem()
    x[3] = 2 * x[1]
    return labels, analytic.kernel(x, depth=3), analytic.kernel(z, x, depth=3)


def test_a_singular_kernel_has_a_flow_at_finite_times():
    labels, matrix, _ = singular()
    decay = torch.matrix_exp(-7.0 / 6 * matrix)
    found = regression.factor(matrix).residuals(labels, 7.0)
    torch.testing.assert_close(found, decay @ labels, rtol=1e-10, atol=1e-10)


def test_an_eigenvalue_that_is_negative_by_rounding_is_zero():
    solution = regression.factor(torch.tensor([[1.0, 0.0], [0.0, -1e-17]], dtype=torch.float64))
    assert solution.smallest_eigenvalue == 0
    late = solution.residuals(torch.ones(2, dtype=torch.float64), 1e20)  # not exp(500)
    assert late.tolist() == [0, 1]


def test_an_eigenvalue_that_is_positive_by_rounding_has_no_limit():
    solution = regression.factor(torch.tensor([[1.0, 0.0], [0.0, 1e-17]], dtype=torch.float64))
    with pytest.raises(InputError, match="the smallest is 1e-17 and the largest 1"):
        solution.coefficients(torch.ones(2, dtype=torch.float64))


def test_a_singular_kernel_has_no_limit_and_the_error_says_so():
    labels, matrix, cross = singular()
    solution = regression.factor(matrix)
    for call in (
        lambda: solution.predict(cross, labels),
        lambda: solution.influence(cross),
    ):
        with pytest.raises(
            InputError, match="singular to rounding: of n = 6 eigenvalues the smallest is .* Remove inputs"
        ):
            call()


def test_split_against_monte_carlo():
    """100 000 draws of labels and of initial functions; every mean within four standard errors of its closed form."""
    x, z, _, matrix, cross = problem()
    draws, variance = 100_000, 0.3
    target = gaussian(4, seed=3), gaussian(6, seed=4)
    kinds = dict(depth=3, kind="nngp")
    sigma, sigma_cross = analytic.kernel(x, **kinds), analytic.kernel(z, x, **kinds)
    solution = regression.factor(matrix)
    split = solution.split(
        cross,
        target=target,
        noise_variance=variance,
        sigma=sigma,
        sigma_cross=sigma_cross,
        sigma_diagonal=analytic.diagonal(z, **kinds),
    )
    noise = math.sqrt(variance) * gaussian(draws, 6, seed=5)
    root = torch.linalg.cholesky(analytic.kernel(torch.cat([x, z]), **kinds))
    initial = gaussian(draws, 10, seed=6) @ root.T
    quiet, still = torch.zeros_like(noise), torch.zeros_like(initial)
    for part, labels_noise, start, goal in (
        (split.label_noise, noise, still, 0),
        (split.initialisation, quiet, initial, 0),
        (split.bias, quiet[:1], still[:1], 1),
        (split.bias + split.label_noise + split.initialisation, noise, initial, 1),
    ):
        labels = goal * target[1] + labels_noise
        shape = (len(labels), -1, -1)
        flow = regression.Factored(solution.eigenvalues.expand(shape[:2]), solution.eigenvectors.expand(shape))
        outputs = flow.predict(cross.expand(shape), labels, initial=(start[:, 6:], start[:, :6]))
        squared = (outputs - goal * target[0]).square()
        error = squared.std(0) / math.sqrt(draws) if len(labels) > 1 else 1e-10
        assert ((squared.mean(0) - part).abs() < 4 * error).all()


def test_on_the_sample_the_split_is_the_label_noise():
    x, _, _, matrix, _ = problem()
    sigma = analytic.kernel(x, depth=3, kind="nngp")
    target = gaussian(6, seed=4)
    split = regression.factor(matrix).split(
        matrix,
        target=(target, target),
        noise_variance=0.3,
        sigma=sigma,
        sigma_cross=sigma,
        sigma_diagonal=sigma.diag(),
    )
    for part, expected in ((split.bias, 0.0), (split.label_noise, 0.3), (split.initialisation, 0.0)):
        torch.testing.assert_close(part, torch.full_like(part, expected), rtol=1e-9, atol=1e-9)


def test_a_batch_is_its_runs():
    runs = [problem(seed=10 * seed) for seed in range(3)]
    labels, matrices, crosses = (torch.stack([run[place] for run in runs]) for place in (2, 3, 4))
    batch = regression.factor(matrices)
    predicted, left = batch.predict(crosses, labels), batch.residuals(labels, 4.0)
    influence = batch.influence(crosses)
    for run in range(3):
        alone = regression.factor(matrices[run])
        close = dict(rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(batch.smallest_eigenvalue[run], alone.smallest_eigenvalue)
        torch.testing.assert_close(predicted[run], alone.predict(crosses[run], labels[run]), **close)
        torch.testing.assert_close(left[run], alone.residuals(labels[run], 4.0), **close)
        torch.testing.assert_close(influence[run], alone.influence(crosses[run]), **close)
    one = regression.factor(matrices[0])
    torch.testing.assert_close(one.predict(crosses[0], labels)[1], one.predict(crosses[0], labels[1]))


@pytest.mark.parametrize("time", [-1.0, math.nan])
def test_time_starts_at_zero(time):
    _, _, labels, matrix, _ = problem()
    with pytest.raises(InputError, match=f"time is {time}: gradient flow starts at time 0"):
        regression.factor(matrix).residuals(labels, time)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], "has the eigenvalue -1: a kernel has none below zero"),
        ([[1.0, 0.5], [0.4, 1.0]], "is not symmetric"),
        ([[1.0, math.nan], [math.nan, 1.0]], "has an entry that is not finite"),
    ],
)
def test_a_kernel_matrix_is_symmetric_and_positive_semidefinite(entries, message):
    with pytest.raises(InputError, match=message):
        regression.factor(torch.tensor(entries, dtype=torch.float64))


def test_a_second_device_computes_the_same():
    def found(device):
        x, z, labels, matrix, cross = (part.to(device) for part in problem())
        solution = regression.factor(matrix)
        split = solution.split(
            cross, target=(z[:, 0], x[:, 0]), noise_variance=0.5, sigma=matrix, sigma_cross=cross,
            sigma_diagonal=analytic.diagonal(z, depth=3),
        )  # fmt: skip
        left = solution.residuals(labels, 0.3)
        return left, solution.predict(cross, labels, initial=(z[:, 1], x[:, 1])), *vars(split).values()

    for here, there in zip(found("cpu"), found("second_device"), strict=True):
        assert torch.equal(there.cpu(), here)
