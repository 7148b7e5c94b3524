"""The semidefinite certificate of deep networks: against pairs of inputs, two layers, the product, and its matrix."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benign.measure import certified_lipschitz, lipschitz, two_layer_lipschitz
from benign.measure.certified_lipschitz import certified
from benign.networks.activations import named
from benign.networks.deep import initialise
from benign.seeds import generator

NAMES = ["relu", "leaky_relu(0.3)", "elu", "smoothed_leaky_relu(0.1, 3)", "linear"]


def networks(widths, name="relu", runs=2, first=0):
    return initialise(widths, range(first, first + runs), named(name))


@given(st.integers(0, 10**6), st.sampled_from(NAMES), st.integers(0, 4))
def test_nothing_is_steeper_after_any_number_of_steps(seed, name, steps):
    nets = networks((6, 9, 8, 1), name, first=seed)
    x = torch.tensor(generator(seed, "test").standard_normal((60, 6)))
    bound = certified(nets, steps)
    assert (lipschitz.at(nets, x) <= bound * (1 + 1e-9)).all()
    values, apart = nets(x), torch.cdist(x, x)
    chords = (values.unsqueeze(1) - values.unsqueeze(2)).abs() / apart.fill_diagonal_(math.inf)
    assert (chords.amax((1, 2)) <= bound * (1 + 1e-9)).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_it_is_between_what_is_found_and_the_product(depth, name):
    nets = networks((30, *[20] * (depth - 1), 1), name)
    x = torch.tensor(generator(1, "test").standard_normal((16, 30)))
    first, better = certified(nets, 0), certified(nets)
    assert (lipschitz.ascent(nets, x) <= better * (1 + 1e-9)).all()
    assert (better <= first * (1 + 1e-9)).all()
    assert (first <= lipschitz.upper(nets) * (1 + 1e-9)).all()


@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.3)"])
def test_of_two_layers_it_is_the_other_relaxation(name):
    nets = networks((40, 30, 1), name)
    torch.testing.assert_close(certified(nets, 200), two_layer_lipschitz.enclosed(nets)[1], rtol=1e-3, atol=0)


def test_a_network_without_neurons_and_a_linear_one_are_exact():
    one = networks((7, 1))
    torch.testing.assert_close(certified(one), lipschitz.upper(one), rtol=1e-12, atol=0)
    nets = networks((7, 5, 1), "linear")
    whole = (nets.weights[1] @ nets.weights[0]).norm(dim=(1, 2)) * nets.multipliers[1]
    torch.testing.assert_close(certified(nets, 100), whole, rtol=0.02, atol=0)


@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.3)"])
def test_elimination_against_the_whole_matrix(name):
    """The bound is where the least eigenvalue of the quadratic form in (h_0, h_1, h_2) is zero."""
    nets = networks((4, 5, 3, 1), name, runs=1)
    gamma = nets.activation.parameters[0]
    w = [s * part[0] for s, part in zip(nets.multipliers, nets.weights, strict=True)]
    search = certified_lipschitz._Multipliers(w, gamma)
    search.improve(5)
    rho = search.log_bound(certain=True).exp()
    weights = []  # T_l as elimination has them
    below = torch.eye(4, dtype=torch.float64)
    for part, shape, share in zip(w, search.shapes, search.shares, strict=False):
        root = (shape.detach() / 2).exp()
        k = root.unsqueeze(1) * (part @ torch.linalg.solve(below, part.mT)) * root
        size = 2 * torch.sigmoid(share.detach()) / (1 - gamma) ** 2 / torch.linalg.eigvalsh(k)[-1]
        t = torch.diag(root**2 * size)
        inner = torch.linalg.solve(below + 2 * gamma * part.mT @ t @ part, part.mT)
        below = 2 * t - (1 + gamma) ** 2 * t @ part @ inner @ t
        weights.append(t)
    t1, t2 = weights
    form = torch.zeros(12, 12, dtype=torch.float64)
    a, b, c = slice(0, 4), slice(4, 9), slice(9, 12)
    form[a, a] = rho**2 * torch.eye(4, dtype=torch.float64) + 2 * gamma * rho**2 * w[0].mT @ t1 @ w[0]
    form[a, b] = -(1 + gamma) * rho**2 * w[0].mT @ t1
    form[b, b] = rho**2 * (2 * t1 + 2 * gamma * w[1].mT @ t2 @ w[1])
    form[b, c] = -(1 + gamma) * rho**2 * w[1].mT @ t2
    form[c, c] = 2 * rho**2 * t2 - w[2].mT @ w[2]
    form = torch.triu(form) + torch.triu(form, 1).mT
    assert abs(torch.linalg.eigvalsh(form)[0]) < 1e-9 * rho**2
