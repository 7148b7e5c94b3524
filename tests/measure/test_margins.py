"""Margins and the Lipschitz bound."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benign.measure import margins
from benign.networks.activations import named, relu
from benign.networks.two_layer import TwoLayer
from benign.seeds import generator


def networks(seed=0, runs=2, m=7, d=5, name="relu") -> TwoLayer:
    rng = generator(seed, "test")
    signs = torch.tensor(rng.choice([-1.0, 1.0], (runs, m)))
    return TwoLayer(torch.tensor(rng.standard_normal((runs, m, d))), signs, named(name))


@given(st.integers(0, 10**6), st.sampled_from(["relu", "elu", "leaky_relu(0.2)", "smoothed_leaky_relu(0.1, 3)"]))
def test_the_lipschitz_bound_holds_on_random_pairs(seed, name):
    network = networks(seed, name=name)
    rng = generator(seed, "pairs")
    x = torch.tensor(rng.standard_normal((50, 5)))
    z = x + torch.tensor(rng.standard_normal((50, 5)) * 10.0 ** rng.uniform(-3, 1, (50, 1)))
    slopes = (network(x) - network(z)).abs() / (x - z).norm(dim=-1)
    assert (slopes.amax(-1) <= margins.lipschitz_bound(network) * (1 + 1e-9)).all()


def test_the_lipschitz_bound_is_attained_where_all_neurons_agree():
    w = torch.tensor([3.0, 4.0], dtype=torch.float64)
    network = TwoLayer(w.repeat(1, 4, 1), torch.ones(1, 4, dtype=torch.float64), relu())
    assert margins.lipschitz_bound(network).tolist() == [4 * 5 / 2]
    x = torch.stack([w, 2 * w])
    assert (network(x).diff() / 5).item() == pytest.approx(10)
    assert margins.normalised_margin(network, 20).tolist() == [2]
