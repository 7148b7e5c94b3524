"""The memory of wrong labels: the closed form against the linear system that it solves."""

import numpy as np
import pytest
from scipy.stats import norm

from benign.theory import memory


@pytest.mark.parametrize("wrong", [1.0, 0.0, 0.3, None])
def test_closed_form_against_the_linear_system(wrong):
    n, p, signal, count = 10, 50, 3.0, 2
    sides = np.repeat([-1.0, 1.0], [count, n - count])  # y y*
    x = np.hstack([signal * sides[:, None], np.sqrt(p) * np.eye(n)])  # y x, along mu and along the noise vectors
    margins = np.where(sides > 0, 1.0, np.nan if wrong is None else wrong)
    weights = np.zeros(n)
    used = ~np.isnan(margins)
    weights[used] = np.linalg.solve(x[used] @ x[used].T, margins[used])
    w = weights @ x
    expected = norm.sf(signal * w[0] / np.linalg.norm(w[1:]))  # a test point: mu and orthogonal noise of variance one
    assert memory.linear_error(n * signal**2 / p, count / n, p / n, wrong) == pytest.approx(expected)


def test_what_a_strong_signal_leaves():
    assert norm.isf(memory.linear_error(1e12, 0.1, 1.0)) == pytest.approx(0.8 / 0.6)  # (1-2 eta) / sqrt(4 eta (1-eta))
    assert norm.isf(memory.linear_error(1e12, 0.1, 1.0, 0.0)) == pytest.approx(3.0)  # sqrt((1 - eta) / eta)
    assert norm.isf(memory.linear_error(4.0, 0.1, 1.0, None)) == pytest.approx(4 * np.sqrt(0.9))  # no end
