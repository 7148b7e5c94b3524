"""Bounds of the Lipschitz constant of deep networks."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benign.errors import InputError
from benign.measure import lipschitz, two_layer_lipschitz
from benign.networks.activations import named, relu
from benign.networks.deep import Deep, initialise
from benign.seeds import generator


def network(widths=(5, 7, 6, 1), seeds=(1, 2), name="relu", parameterisation="ntk") -> Deep:
    return initialise(widths, list(seeds), named(name), parameterisation)


def points(seed, *shape):
    return torch.tensor(generator(seed, "test").standard_normal(shape))


@given(st.integers(0, 10**6), st.sampled_from(["relu", "elu", "leaky_relu(0.2)", "smoothed_leaky_relu(0.1, 3)"]))
def test_no_chord_is_steeper_than_the_product_and_no_lower_bound_exceeds_it(seed, name):
    nets = network(seeds=(seed, seed + 1), name=name)
    x, z = points(seed, 40, 5), points(seed + 1, 40, 5)
    above = lipschitz.upper(nets) * (1 + 1e-9)
    assert ((nets(x) - nets(z)).abs() / (x - z).norm(dim=-1) <= above.unsqueeze(1)).all()
    x = x[:6]
    below = [lipschitz.at(nets, x), lipschitz.survey(nets, x).between, lipschitz.ascent(nets, x, 5)]
    assert all((bound <= above).all() for bound in below)


@pytest.mark.parametrize("parameterisation", ["ntk", "standard"])
@pytest.mark.parametrize("name", ["relu", "elu"])
def test_gradients_by_automatic_differentiation(name, parameterisation):
    nets = network(name=name, parameterisation=parameterisation)
    for x in (points(3, 2, 9, 5), points(3, 9, 5)):
        inputs = x.expand(2, 9, 5).clone().requires_grad_()
        (expected,) = torch.autograd.grad(nets(inputs).sum(), inputs)
        found = lipschitz.gradients(nets, x)
        assert found.shape == (2, 9, 5)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(lipschitz.at(nets, x), expected.norm(dim=-1).amax(1), rtol=1e-12, atol=0)


def test_the_product_by_hand_and_where_it_is_attained():
    weights = (torch.tensor([[[3.0, 0.0], [0.0, 2.0]]]), torch.tensor([[[5.0, 1.0]]]))
    nets = Deep(tuple(w.double() for w in weights), relu())
    assert lipschitz.upper(nets).item() == pytest.approx(3 * math.sqrt(2 / 2) * math.sqrt(26), rel=1e-12)
    one = Deep((torch.tensor([[[3.0, 4.0]]]).double(), torch.tensor([[[2.0]]]).double()), relu())
    x = torch.tensor([[3.0, 4.0]]).double()
    assert lipschitz.at(one, x).item() == pytest.approx(lipschitz.upper(one).item(), rel=1e-12)
    assert lipschitz.at(one, -x).item() == 0


def test_between_is_half_way():
    # elu: the gradients of a ReLU network are the same at every multiple of a point
    nets, x = network(name="elu"), points(4, 2, 6, 5)
    halves = torch.stack([(x[:, i] + x[:, j]) / 2 for i, j in itertools.combinations(range(6), 2)], 1)
    assert halves.shape == (2, 15, 5)
    torch.testing.assert_close(lipschitz.survey(nets, x).between, lipschitz.at(nets, halves), rtol=1e-12, atol=0)
    with pytest.raises(InputError, match="nothing between fewer than 2 points"):
        lipschitz.survey(nets, x[:, :1])


def test_steepest_is_the_longest_of_the_data_and_the_points_between():
    nets, x = network(), points(4, 2, 6, 5)
    longest_at_data, _, found = lipschitz.survey(nets, x, 3)
    torch.testing.assert_close(longest_at_data, lipschitz.at(nets, x), rtol=1e-12, atol=0)
    assert found.shape == (2, 3, 5)
    longest = torch.maximum(lipschitz.at(nets, x), lipschitz.survey(nets, x).between)
    torch.testing.assert_close(lipschitz.at(nets, found), longest, rtol=1e-12, atol=0)
    assert lipschitz.survey(nets, x, 100).steepest.shape == (2, 6 + 15, 5)


def test_ascent_starts_at_the_data_and_beats_a_random_search_of_the_same_size():
    # In few dimensions random points find nearly everything; in 50 they do not. Seeds fixed beforehand.
    nets, x = network((50, 60, 60, 1), seeds=range(8)), points(5, 10, 50)
    torch.testing.assert_close(lipschitz.ascent(nets, x, 0), lipschitz.at(nets, x), rtol=1e-12, atol=0)
    found = lipschitz.ascent(nets, x, 40)
    assert (found > 1.1 * lipschitz.at(nets, points(6, 10 * 41, 50))).all()


@pytest.mark.parametrize("name", ["relu", "elu"])
def test_the_ascent_is_that_of_the_library_s_optimiser(name):
    nets, x, steps = network((20, 15, 15, 1), name=name), points(5, 2, 6, 20), 12
    found = lipschitz.ascent(nets, x, steps)
    basis = torch.linalg.qr(nets.weights[0].mT).Q
    nets, x = replace(nets, weights=(nets.weights[0] @ basis, *nets.weights[1:])), x @ basis
    lengths = x.norm(dim=-1, keepdim=True)
    best, y = lipschitz.at(nets, x), (x / lengths).requires_grad_()
    optimiser = torch.optim.Adam([y], lr=lipschitz.STEP / math.sqrt(15))
    for step in range(steps):
        optimiser.zero_grad()
        lipschitz._smoothed(nets, lengths * y, 0.02 ** (step / (steps - 1))).log().sum().neg().backward()
        optimiser.step()
        with torch.no_grad():
            y.div_(y.norm(dim=-1, keepdim=True))
            if step % lipschitz.LOOK == lipschitz.LOOK - 1:
                best = torch.maximum(best, lipschitz.at(nets, lengths * y))
    torch.testing.assert_close(found, best, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.2)"])
def test_ascent_finds_the_constant_of_two_layers(name):
    nets, x = network((20, 12, 1), seeds=range(4), name=name), points(5, 16, 20)
    exact = two_layer_lipschitz.exact(nets)
    found = lipschitz.ascent(nets, x)
    assert (found <= exact * (1 + 1e-12)).all() and (found >= 0.98 * exact).all()


def test_the_smooth_gradient_tends_to_the_true_one():
    for name in ("relu", "leaky_relu(0.2)", "linear"):
        nets, x = network(name=name), points(9, 2, 7, 5)
        smooth = lipschitz._smoothed(nets, x, 1e-9)
        torch.testing.assert_close(smooth, lipschitz.gradients(nets, x).norm(dim=-1), rtol=1e-6, atol=0)


def test_networks_alone_and_in_a_batch():
    nets, x = network((5, 30, 30, 1), seeds=(1, 2, 3)), points(7, 3, 9, 5)
    for measure in (
        lipschitz.upper,
        lambda net, *x: lipschitz.survey(net, *x).between if x else None,
        lambda net, *x: lipschitz.ascent(net, *x, 4) if x else None,
    ):
        inputs = () if measure is lipschitz.upper else (x,)
        whole = measure(nets, *inputs)
        alone = [measure(nets.alone(run), *(part[[run]] for part in inputs)) for run in range(3)]
        torch.testing.assert_close(torch.cat(alone), whole, rtol=1e-12, atol=0)


def test_a_wrong_ascent_is_explained():
    with pytest.raises(InputError, match="steps is -1"):
        lipschitz.ascent(network(), points(1, 3, 5), -1)
