"""Bounds of the Lipschitz constant of deep networks."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benign.errors import InputError
from benign.measure import lipschitz
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
    below = [lipschitz.at(nets, x), lipschitz.between(nets, x), lipschitz.ascent(nets, x, 0.5, 5)]
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
    torch.testing.assert_close(lipschitz.between(nets, x), lipschitz.at(nets, halves), rtol=1e-12, atol=0)
    with pytest.raises(InputError, match="nothing between fewer than 2 points"):
        lipschitz.between(nets, x[:, :1])


def test_ascent_starts_at_the_data_and_beats_a_random_search_of_the_same_size():
    # In few dimensions random points find nearly everything; in 50 they do not. Seeds fixed beforehand.
    nets, x = network((50, 60, 60, 1), seeds=range(8)), points(5, 10, 50)
    torch.testing.assert_close(lipschitz.ascent(nets, x, 1.0, 0), lipschitz.at(nets, x), rtol=0, atol=0)
    found = lipschitz.ascent(nets, x, 1.0, 30)
    assert (found > lipschitz.at(nets, points(6, 10 * 61, 50))).all()


def test_ascent_climbs_to_the_steepest_place_of_a_saturating_function():
    # f(x) = elu(10 x) - elu(10 x - 10) / 2 rises with slope 10 on (0, 1), with 5 beyond, and is flat far below 0.
    first = torch.tensor([[[10.0], [-10.0]]]).double()
    nets = Deep((first, torch.tensor([[[1.0, 1.0]]]).double()), named("elu"), "standard")
    x = torch.tensor([[-0.1]]).double()
    before, after = lipschitz.at(nets, x), lipschitz.ascent(nets, x, 0.05, 60)
    assert after > before
    assert after == pytest.approx(10, rel=0.01)


def test_networks_alone_and_in_a_batch():
    nets, x = network((5, 30, 30, 1), seeds=(1, 2, 3)), points(7, 3, 9, 5)
    for measure in (
        lipschitz.upper,
        lambda net, *x: lipschitz.between(net, *x) if x else None,
        lambda net, *x: lipschitz.ascent(net, *x, 0.2, 4) if x else None,
    ):
        inputs = () if measure is lipschitz.upper else (x,)
        whole = measure(nets, *inputs)
        alone = [measure(nets.alone(run), *(part[[run]] for part in inputs)) for run in range(3)]
        torch.testing.assert_close(torch.cat(alone), whole, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("radius", "steps"), [(0, 3), (-1.0, 3), (math.inf, 3), (0.1, -1)])
def test_a_wrong_ascent_is_explained(radius, steps):
    with pytest.raises(InputError, match="positive radius and at least 0 steps"):
        lipschitz.ascent(network(), points(1, 3, 5), radius, steps)
