"""The Lipschitz constant of two layers: all patterns against autograd, and the two bounds around it."""

import itertools
import math

import numpy as np
import pytest
import torch

from benign.errors import InputError
from benign.measure import lipschitz
from benign.measure import two_layer_lipschitz as two
from benign.networks.activations import elu, leaky_relu, relu
from benign.networks.deep import initialise
from benign.seeds import generator
from benign.train import compiled

ACTIVATIONS = [relu(), leaky_relu(0.3)]


def bounds(network, monkeypatch):
    """The two bounds, even where all patterns could be tried."""
    with monkeypatch.context() as patch:
        patch.setattr(two, "MOST", 0)
        return two.enclosed(network)


def networks(m, d=None, activation=ACTIVATIONS[0], runs=3):
    return initialise((d or m + 2, m, 1), range(runs), activation)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda activation: activation.name)
def test_every_pattern_has_a_point_with_its_gradient(activation):
    network = networks(4, activation=activation, runs=1)
    patterns = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=4)), dtype=torch.float64)
    points = torch.linalg.lstsq(network.weights[0][0], patterns.T).solution.T.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(network(points).sum(), points)
    assert two.exact(network).item() == pytest.approx(slopes.norm(dim=1).max().item())


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda activation: activation.name)
@pytest.mark.parametrize("m", [1, 2, 7, 12])
def test_the_constant_lies_between_the_bounds(m, activation, monkeypatch):
    network = networks(m, activation=activation)
    exact, (found, bound) = two.exact(network), bounds(network, monkeypatch)
    assert torch.allclose(found, exact)  # the search is good at these sizes
    assert (bound >= exact * (1 - 1e-9)).all() and (bound <= exact * math.sqrt(math.pi / 2)).all()
    assert (bound <= lipschitz.upper(network) * (1 + 1e-9)).all()


def test_wide_networks_are_enclosed_closely():
    network = networks(64, runs=2)
    found, bound = two.enclosed(network)
    assert (found <= bound).all() and (bound < 1.1 * found).all()
    assert (lipschitz.ascent(network, torch.eye(66, dtype=torch.float64)) <= found).all()


def test_vectors_are_turned_one_after_the_other():
    form = np.cov(generator(0, "test").standard_normal((9, 20)))
    slow = generator(1, "test").standard_normal((9, 5))
    fast = slow.copy()
    for i in range(9):
        pull = form[i] @ slow - form[i, i] * slow[i]
        slow[i] = pull / np.linalg.norm(pull)
    compiled.turn_each(form, fast)
    np.testing.assert_allclose(fast, slow, rtol=1e-13, atol=1e-15)


def test_the_certificate_does_not_need_a_converged_solver(monkeypatch):
    network, relaxed = networks(10), two._relaxed
    exact = two.exact(network)
    monkeypatch.setattr(two, "_relaxed", lambda forms: relaxed(forms, sweeps=1))
    assert (bounds(network, monkeypatch)[1] >= exact).all()


def test_the_bounds_are_equal_where_all_patterns_are_tried():
    small = networks(9)
    lower, upper = two.enclosed(small)
    assert torch.equal(lower, upper) and torch.equal(lower, two.exact(small))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: two.exact(networks(21)), "2\\^21 patterns"),
        (lambda: two.enclosed(networks(3, activation=elu())), "elu"),
        (lambda: two.exact(initialise((3, 4, 4, 1), [0], relu())), "3 layers"),
    ],
)
def test_what_has_no_such_constant_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()
