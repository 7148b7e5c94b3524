"""Label noise from gaps, against the kernel on the circle and against its own approximations."""

import numpy as np
import pytest
import torch

from benign.ntk import analytic
from benign.seeds import generator
from benign.theory import circle


def points(angles):
    return torch.from_numpy(np.stack([np.cos(angles), np.sin(angles)], 1))


def by_kernel(angles, places):
    """The mean of ||a||^2 at these places."""
    x, z = points(angles), points(places)
    a = torch.linalg.solve(analytic.kernel(x, depth=2), analytic.kernel(x, z, depth=2))
    return float(a.square().sum(0).mean())


@pytest.mark.parametrize("seed", range(3))
def test_it_is_that_of_the_kernel_for_dense_points(seed):
    """Four hundred points; test points are equidistant, so that only the approximation is left."""
    angles = generator(seed, "test").uniform(0, 2 * np.pi, 400)
    places = 2 * np.pi * (np.arange(4000) + 0.5) / 4000
    assert circle.label_noise(angles) == pytest.approx(by_kernel(angles, places), rel=0.01)


def test_the_kernel_is_even_but_for_the_linear_kernel():
    rho = torch.linspace(-1, 1, 21).double()
    value, mirrored = (analytic.profile(r, 2)[1] for r in (rho, -rho))
    torch.testing.assert_close(value - mirrored, 2 * rho)


def test_one_pair_of_opposite_points():
    """With a pair much the closest its labels decide one coefficient, b = (y_j - y_i) / 2 along the pair, of variance
    1/2, and the gaps of the others are regular: the other coefficient has little noise."""
    n = 2000
    regular = np.pi * np.arange(n) / n + np.pi * (np.arange(n) // 2 % 2)  # sides + + - - + + - -
    pair = np.array([0.3, 0.3 + np.pi + 1e-9])
    found = circle.label_noise(np.concatenate([regular, pair]))
    assert found - circle.label_noise(regular) == pytest.approx(5 / 3 * 1 / 2 * 1 / 2, rel=0.05)


def test_the_mean_excess_is_that_of_the_largest_pair():
    """5 / (6 log n), at ten thousand points, over 150 samples: to within a quarter."""
    n = 10_000
    excess = [circle.label_noise(generator(seed, "test").uniform(0, 2 * np.pi, n)) - 2 / 3 for seed in range(150)]
    assert min(excess) > 0
    assert np.mean(excess) == pytest.approx(5 / (6 * np.log(n)), rel=0.25)
