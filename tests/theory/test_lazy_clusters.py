"""The closed form for lazy training on two clusters, against the linear algebra that it solves."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from benign.ntk import analytic
from benign.theory.harmonics import covariance_constants
from benign.theory.lazy_clusters import Parts, parts


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8])
def test_the_constants_of_the_output_kernel(depth):
    h = 1e-5
    low, middle, high = analytic.profile(torch.tensor([-h, 0.0, h], dtype=torch.float64), depth)[0].tolist()
    value, slope = covariance_constants(depth)
    assert value == pytest.approx(middle, abs=1e-12)
    assert slope == pytest.approx((high - low) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("depth", [2, 5])
def test_the_parts_solve_the_linearised_kernel(depth):
    # 40 points, 20 of each class, two labels of each wrong: the labels' mean is 0 and all vectors are orthogonal.
    n, d, s, q, f0 = 40, 3000, 9.0, 3.0, 0.8
    rho = s**2 / (d + s**2)
    true = np.repeat([1.0, -1.0], n // 2)
    labels = true * np.where(np.arange(n) % 10 == 0, -1, 1)
    b, g = analytic.profile_constants(depth)[1:]
    a = depth - b - g * rho
    kernel = a * np.eye(n) + b + g * rho * np.outer(true, true)
    c = np.linalg.solve(kernel, labels)
    got = parts(n, d, s, 0.1, depth, f0, q)
    assert got.margin == pytest.approx(g * rho * true @ c, rel=1e-12)
    gram = (1 - rho) * np.eye(n) + rho * np.outer(true, true)
    assert got.inputs == pytest.approx(g**2 * c @ gram @ c / (d + s**2), rel=1e-12)
    # Labels with a mean: what a constant vector of labels 1/sqrt(n) makes of a test point.
    constant = b * np.sum(np.linalg.solve(kernel, np.full(n, n**-0.5)))
    assert got.labels == pytest.approx(constant**2, rel=1e-12)
    assert parts(n, d, s, 0.1, depth, f0, q, imbalance=0.36).labels == pytest.approx(0.36 * got.labels)
    assert parts(n, d, s, 0.1, depth, f0, q, imbalance=0) == got._replace(labels=0)
    assert parts(n, d, s, 0.1, depth, 0.0, q) == got._replace(initialisation=0.0)
    # f_0 at a test point of class +1 and at the sample: its shared parts are predicted, its own one is not.
    b0, g0 = covariance_constants(depth)
    a0 = 1 - b0 - g0 * rho
    cross = b + g * rho * true
    weights = np.linalg.solve(kernel, cross)
    shared = b0 * (1 - weights.sum()) ** 2 + g0 * rho * (1 - weights @ true) ** 2
    assert got.initialisation == pytest.approx((f0 / q) ** 2 * (a0 + shared), rel=1e-12)


def test_the_error_is_a_normal_tail():
    assert Parts(0.6, 0.01, 0.02, 0.06).test_error == pytest.approx(norm.sf(2.0))
