"""Test errors, against networks whose error has a closed form."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benign.data import mixtures
from benign.errors import InputError
from benign.measure import errors
from benign.networks.activations import named, relu
from benign.networks.two_layer import TwoLayer
from benign.seeds import generator


def linear(w: torch.Tensor) -> TwoLayer:
    """The function <w, x>, as a network: relu(<w, x>) - relu(-<w, x>), up to a positive factor."""
    signs = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    return TwoLayer(torch.stack([w, -w]).unsqueeze(0), signs, relu())


def weights(q=6) -> torch.Tensor:
    return torch.tensor(generator(1, "test").standard_normal(q)).abs()


def wrong(network: TwoLayer, signal: float, seed: int, points: int) -> int:
    margins, _ = errors.fresh_margins(network, signal, seed, points)
    return int((~(margins > 0)).sum())


def exact(w: torch.Tensor, signal: float) -> float:
    return stats.norm.sf(signal * w[0].item() / w.norm().item())


@pytest.mark.parametrize("signal", [0, 0.5, 2.0])
def test_the_count_is_binomial_with_the_closed_form_probability(signal):
    points = 40_000
    count = wrong(linear(weights()), signal, seed=0, points=points)
    assert stats.binomtest(count, points, exact(weights(), signal)).pvalue > 1e-4


def test_averaging_has_its_closed_form():
    sample = mixtures.sample(20, 300, 2.0, 0.2, 0)
    weight = sample.labels @ sample.x
    error = errors.averaging_test_error(sample.x, sample.labels, 2.0)
    assert error == pytest.approx(exact(weight, 2.0), rel=1e-12)
    count = wrong(linear(weight), 2.0, seed=0, points=40_000)
    assert stats.binomtest(count, 40_000, error).pvalue > 1e-4


def test_counts_do_not_depend_on_the_chunks(monkeypatch):
    network, count = linear(weights()), {}
    for chunk in (5_000, 7, 100_000):
        monkeypatch.setattr(errors, "CHUNK", chunk)
        count[chunk] = wrong(network, 0.5, seed=0, points=1_234)
    assert len(set(count.values())) == 1
    fewer = wrong(network, 0.5, seed=0, points=1_000)
    assert count[7] - 234 <= fewer <= count[7]  # the first of the same points


def test_points_belong_to_the_seed():
    network = linear(weights())
    counts = [wrong(network, 0.5, seed, 2_000) for seed in (0, 0, 1, 2, 3)]
    assert counts[0] == counts[1]
    assert len(set(counts)) > 2


def test_noisy_error_is_what_noisy_labels_show():
    points, noise = 40_000, 0.15
    w = weights()
    x, y = mixtures.placed(1.0, generator(0, "test").standard_normal((points, 7)))
    noisy = y * torch.tensor(generator(1, "test").choice([1.0, -1.0], p=[1 - noise, noise], size=points))
    count = int((noisy * linear(w)(x)[0] <= 0).sum())
    assert stats.binomtest(count, points, float(errors.noisy_error(exact(w, 1.0), noise))).pvalue > 1e-4
    assert errors.noisy_error(0, 0.2) == 0.2
    assert errors.noisy_error(0.5, 0.2) == 0.5


def test_wrong_arguments_are_explained():
    network = linear(weights())
    two = TwoLayer(network.weights.repeat(2, 1, 1), network.signs.repeat(2, 1), relu())
    with pytest.raises(InputError, match="2 networks and 10 points: give one network and at least one point"):
        errors.fresh_margins(two, 1.0, 0, 10)
    with pytest.raises(InputError, match="1 networks and 0 points"):
        errors.fresh_margins(network, 1.0, 0, 0)


@given(st.integers(0, 10**6), st.sampled_from(["relu", "elu", "leaky_relu(0.2)", "smoothed_leaky_relu(0.1, 3)"]))
def test_the_lipschitz_bound_holds_on_random_pairs(seed, name):
    rng = generator(seed, "test")
    signs = torch.tensor(rng.choice([-1.0, 1.0], (2, 7)))
    network = TwoLayer(torch.tensor(rng.standard_normal((2, 7, 5))), signs, named(name))
    x = torch.tensor(rng.standard_normal((50, 5)))
    z = x + torch.tensor(rng.standard_normal((50, 5)) * 10.0 ** rng.uniform(-3, 1, (50, 1)))
    slopes = (network(x) - network(z)).abs() / (x - z).norm(dim=-1)
    assert (slopes.amax(-1) <= (1 + 1e-9) / errors.normalised_margin(network, 1)).all()


def test_the_lipschitz_bound_is_attained_where_all_neurons_agree():
    w = torch.tensor([3.0, 4.0], dtype=torch.float64)
    network = TwoLayer(w.repeat(1, 4, 1), torch.ones(1, 4, dtype=torch.float64), relu())
    x = torch.stack([w, 2 * w])
    assert (network(x).diff() / 5).item() == pytest.approx(10)
    assert errors.normalised_margin(network, 20).tolist() == [2]
