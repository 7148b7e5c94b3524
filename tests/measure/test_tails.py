"""Tail errors: against closed forms and quadrature, against Monte Carlo where it sees, against splitting elsewhere.

A z-score beyond 4.5 has the probability 7e-6; there are about forty such comparisons in this file.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from benign.data import mixtures
from benign.data.clusters import Clusters
from benign.errors import InputError
from benign.measure import errors, tails
from benign.measure.tails import Tail, cluster_tail_error, tail_error
from benign.networks import activations
from benign.networks.activations import leaky_relu, relu
from benign.networks.two_layer import TwoLayer, output_signs
from benign.seeds import generator
from benign.theory import xu2023
from benign.train import span

Z = 4.5


def linear(width: int, q: int) -> tuple[TwoLayer, float]:
    """A network with the identity for an activation, and the distance of its boundary from mu, in units of ||mu||."""
    rng = generator(0, "test")
    weights, signs = torch.tensor(rng.standard_normal((1, width, q))), output_signs(width, 0).unsqueeze(0)
    w = signs[0] @ weights[0]
    return TwoLayer(weights, signs * w[0].sign(), leaky_relu(1.0)), abs(float(w[0] / w.norm()))


def corner(others: int, sign: float = -1.0) -> TwoLayer:
    """The function x_1 + sign (|x_2| + ... + |x_{1 + others}|), up to a positive factor, as a ReLU network."""
    axes = torch.eye(1 + others, dtype=torch.float64)
    signs = torch.tensor([1.0, *[sign] * others, -1.0, *[sign] * others], dtype=torch.float64)
    return TwoLayer(torch.cat([axes, -axes]).unsqueeze(0), signs.unsqueeze(0), relu())


def corner_error(others: int, signal: float) -> float:
    """The error of ``corner``: the law of |x_2| + ... by convolution on a grid, x_1 integrated out."""
    grid, step = np.linspace(0, 40, 8_001, retstep=True)
    one = 2 * step * stats.norm.pdf(grid)
    one[0] /= 2
    law = np.eye(1, len(grid))[0]
    for _ in range(others):
        law = np.convolve(law, one)[: len(grid)]
    # At +mu the sum works against ||mu||, at -mu with it.
    return float(law @ (stats.norm.sf(signal - grid) + stats.norm.sf(signal + grid)) / 2)


def trained(activation: str, index: float, seed: int, width: int = 128, n: int = 100, p: int = 10_000):
    """A network trained as in the book's experiments, and its signal."""
    signal = xu2023.signal_of_index(n, p, index)
    sample = mixtures.sample(n, p, signal, 0.1, seed, directions=width)
    start = xu2023.initial_scale(n, p, width) * sample.directions
    network = TwoLayer(start.unsqueeze(0), output_signs(width, seed).unsqueeze(0), activations.named(activation))
    step = xu2023.step_size(n, p)
    result = span.train(network, sample.x.unsqueeze(0), sample.labels.unsqueeze(0), step_size=step, steps=200)
    return result.network, signal


def z_score(tail: Tail, truth: float) -> float:
    return (tail.estimate - truth) / tail.standard_error


@pytest.mark.parametrize("truth", [0.3, 1e-2, 1e-8, 1e-30, 1e-200])
@pytest.mark.parametrize(("width", "q"), [(1, 1), (7, 3), (30, 40)])
def test_linear_networks_have_the_closed_form(width, q, truth):
    network, distance = linear(width, q)
    tail = tail_error(network, stats.norm.isf(truth) / distance, seed=1)
    assert tail.valid
    assert abs(z_score(tail, truth)) < Z
    assert tail.standard_error < 0.1 * truth


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_two_design_points_at_a_right_angle(sign):
    # At one of the two means the error is that of a union, 2 Q - Q^2, at the other that of an intersection, Q^2.
    # One design point would see half of it, with the best of diagnoses.
    tail = tail_error(corner(1, sign), math.sqrt(2) * stats.norm.isf(1e-7), seed=1)
    assert tail.valid
    assert abs(z_score(tail, 1e-7)) < Z


def test_four_design_points_have_the_error_of_a_quadrature():
    assert corner_error(1, 8.0) == pytest.approx(stats.norm.sf(8 / math.sqrt(2)), rel=1e-5)
    tail = tail_error(corner(2), 8.0, seed=1)
    assert tail.valid
    assert abs(z_score(tail, corner_error(2, 8.0))) < Z


def test_one_class_alone_is_half_the_error():
    # |x_1|: always right at +mu, always wrong at -mu.
    network = TwoLayer(torch.tensor([[[1.0], [-1.0]]], dtype=torch.float64), torch.ones(1, 2).double(), relu())
    assert tail_error(network, 3.0, seed=1).estimate == pytest.approx(0.5, abs=0.05)


def test_the_numbers_of_a_tail_are_those_of_its_weights():
    network, signal, count = corner(1), 5.0, 100
    parts = [tails._points(tails._Margin.of(network, [y * signal], y), 1, f"class {y}", count) for y in (1, -1)]
    classes = [torch.where(wrong, log_weights.exp(), 0.0) for wrong, log_weights, _, _ in parts]
    weights, seen = torch.cat(classes), torch.cat([seen for _, _, seen, _ in parts])
    tail = tail_error(network, signal, seed=1, points=2 * count)
    assert tail.estimate == pytest.approx(float(weights.mean()))
    assert tail.standard_error == pytest.approx(math.sqrt(sum(float(v.var()) / count for v in classes)) / 2)
    assert tail.effective_points == pytest.approx(float(weights.sum() ** 2 / (weights**2).sum()))
    assert tail.largest_share == pytest.approx(float(weights.max() / weights.sum()))
    assert tail.seen_twice == pytest.approx(float(weights[seen].sum() / weights.sum()))


@pytest.fixture(scope="module")
def repetitions() -> dict[str, tuple[float, list[Tail]]]:
    """The truth and 200 estimates of it, on a flat and on a bent boundary; 100 on this with too few points."""
    network, distance = linear(7, 3)
    bent = math.sqrt(2) * stats.norm.isf(1e-5)
    return {
        "flat": (1e-9, [tail_error(network, stats.norm.isf(1e-9) / distance, s, points=2_000) for s in range(200)]),
        "bent": (1e-5, [tail_error(corner(1), bent, s, points=4_000) for s in range(200)]),
        "few points": (1e-5, [tail_error(corner(1), bent, s, points=100) for s in range(100)]),
    }


@pytest.mark.slow
@pytest.mark.parametrize("case", ["flat", "bent", "few points"])
def test_the_estimate_is_unbiased(repetitions, case):
    truth, estimates = repetitions[case]
    assert abs(stats.ttest_1samp([tail.estimate for tail in estimates], truth).statistic) < Z


@pytest.mark.slow
@pytest.mark.parametrize("case", ["flat", "bent"])
def test_intervals_cover_and_standard_errors_are_the_spread(repetitions, case):
    truth, estimates = repetitions[case]
    assert np.mean([tail.valid for tail in estimates]) > 0.9
    covered = sum(tail.interval[0] <= truth <= tail.interval[1] for tail in estimates)
    assert stats.binomtest(covered, len(estimates), 0.95).pvalue > 1e-4
    # A sample standard deviation of 200 estimates has a relative error of about 5 %; 4.5 of these.
    spread = np.std([tail.estimate for tail in estimates], ddof=1)
    assert np.mean([tail.standard_error for tail in estimates]) == pytest.approx(spread, rel=0.23)


def test_too_few_points_are_not_valid_and_the_interval_is_that_of_the_plain_draws(repetitions):
    truth, estimates = repetitions["few points"]
    assert not any(tail.valid for tail in estimates)
    none_of_ten = 0.0, pytest.approx(1 - 0.025**0.1)
    assert all(tail.interval == none_of_ten for tail in estimates)
    for tail in estimates:  # between that many equal weights and one weight among many small ones
        assert 1 / tail.largest_share <= tail.effective_points * (1 + 1e-9)
        assert tail.effective_points <= 1 / tail.largest_share**2 * (1 + 1e-9)
    assert truth < 1 - 0.025**0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("centre", "plane", "truth"),
    [
        ((-4.0, 3.0), [[0.6], [0.8]], 0.02),  # beside the boundary
        ((2.0, -1.0), [[0.8], [-0.6]], 0.02),  # on the wrong side of the mean
        ((0.0, 0.0), [[0.6, -0.8], [0.8, 0.6]], 1e-5),  # where the wide draws do it all
    ],
)
def test_the_estimate_is_unbiased_wherever_the_centres_are(monkeypatch, centre, plane, truth):
    astray = tails._Search(torch.tensor(np.array([centre])), torch.tensor(np.array([plane])))
    monkeypatch.setattr(tails._Search, "run", lambda margin, rng: astray)
    signal = math.sqrt(2) * stats.norm.isf(truth)
    estimates = [tail_error(corner(1), signal, seed, points=1_000).estimate for seed in range(200)]
    assert abs(stats.ttest_1samp(estimates, truth).statistic) < Z


def test_the_draws_have_the_law_by_which_they_are_weighted(monkeypatch):
    centre, plane = np.array([1.0, -2.0, 0.5]), np.array([[0.6], [0.8], [0.0]])
    search = tails._Search(torch.tensor(centre[None]), torch.tensor(plane[None]))
    drawn, hidden = [], tails._Margin.hidden
    monkeypatch.setattr(tails._Search, "run", lambda margin, rng: search)
    monkeypatch.setattr(tails._Margin, "hidden", lambda self, u: drawn.append(u) or hidden(self, u))
    network, distance = linear(5, 3)
    margin = tails._Margin.of(network, [distance], 1)
    _, log_weights, _, _ = tails._points(margin, seed=0, side="class 1", count=40_000)
    (u,) = drawn
    laws = [  # the plain draws are the first of every ten, the wide ones the last two
        (0.1, [0], stats.multivariate_normal(np.zeros(3))),
        (0.7, range(1, 8), stats.multivariate_normal(centre)),
        (0.2, [8, 9], stats.multivariate_normal(centre, np.eye(3) + 8 * plane @ plane.T)),
    ]
    density = sum(weight * law.pdf(u) for weight, _, law in laws)
    assert log_weights.numpy() == pytest.approx(laws[0][2].logpdf(u) - np.log(density))
    for _, parts, law in laws:
        draws = u[np.isin(np.arange(len(u)) % 10, parts)].numpy() - law.mean
        lengths = np.sum(draws @ np.linalg.inv(law.cov) * draws, axis=-1)
        assert stats.kstest(lengths, stats.chi2(3).cdf).pvalue > 1e-5
        along = draws @ plane / np.sqrt(plane.T @ law.cov @ plane)
        assert abs(along.mean()) < Z / math.sqrt(len(along))
        assert abs(along.var() - 1) < Z * math.sqrt(2 / len(along))


def test_many_design_points_are_too_many_and_it_shows():
    # 16 corners: each search finds some of them, and nothing but the comparison of the two says so.
    tail = tail_error(corner(4), 14.0, seed=1)
    assert tail.effective_points > 100
    assert tail.largest_share < 0.05
    assert tail.seen_twice < 0.9
    assert not tail.valid
    assert tail.interval == (0.0, pytest.approx(1 - 0.025**0.001))
    # 1024 corners: most of them are found by neither.
    lost = tail_error(corner(10), 26.0, seed=1)
    assert lost.estimate < corner_error(10, 26.0) / 3
    assert lost.seen_twice < 0.1
    assert not lost.valid


@pytest.mark.parametrize(
    ("effective", "share", "twice", "valid"),
    [(100.0, 0.05, 0.9, True), (99.0, 0.05, 0.9, False), (100.0, 0.06, 0.9, False), (100.0, 0.05, 0.89, False)],
)
def test_the_rule_of_validity(effective, share, twice, valid):
    assert Tail(1e-6, 1e-7, (0.0, 1.0), effective, share, twice).valid == valid


def test_the_interval_is_normal_on_the_logarithmic_scale():
    tail = tail_error(corner(1), 6.0, seed=1)
    half = 1.959964 * tail.standard_error / tail.estimate
    assert np.log(tail.interval) == pytest.approx([math.log(tail.estimate) - half, math.log(tail.estimate) + half])


def test_a_search_finds_the_design_point_and_the_plane_of_the_two_kinds_of_neurons():
    network, distance = linear(7, 3)
    margin = tails._Margin.of(network, [-5.0], -1)
    search = tails._Search.run(margin, generator(0, "test"))
    exact, smoothed = search.centres.split(2 * tails.STARTS)
    assert margin(margin.hidden(exact)).abs().max() < 1e-9
    assert exact.norm(dim=-1).numpy() == pytest.approx(5.0 * distance)
    assert smoothed.norm(dim=-1).numpy() == pytest.approx(5.0 * distance, abs=0.5)  # 0 but for a median of 125 draws
    for kind in (margin.signs > 0, margin.signs < 0):
        gradient = margin.factor @ kind.double()
        for plane in search.planes:
            assert torch.allclose(plane @ (plane.T @ gradient), gradient)
            assert torch.allclose(plane.T @ plane, torch.eye(2).double())


@pytest.mark.parametrize(("activation", "index", "least"), [("relu", 16, 1_100), ("leaky_relu(0.1)", 60, 800)])
def test_points_are_not_wasted_on_trained_networks(activation, index, least):
    # A quarter less of 10,000 than in a first run, which in the first case had 600 without the smoothing, 800 with
    # nothing else and 1,000 with a single iteration, and in the second case 90 with a single iteration.
    network, signal = trained(activation, index, seed=0)
    assert np.mean([tail_error(network, signal, seed).effective_points for seed in range(4)]) > least


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "index"),
    [("relu", 12), ("relu", 25), ("leaky_relu(0.1)", 12), ("leaky_relu(0.1)", 25), ("elu", 12), ("elu", 25)],
)
def test_trained_networks_agree_with_monte_carlo(activation, index):
    network, signal = trained(activation, index, seed=0)
    tail = tail_error(network, signal, seed=0)
    points = 100_000
    wrong = int((~(errors.fresh_margins(network, signal, 0, points)[0] > 0)).sum())
    assert tail.valid
    assert 20 < wrong < 0.03 * points
    spread = math.hypot(tail.standard_error, math.sqrt(tail.estimate / points))
    assert abs(tail.estimate - wrong / points) < Z * spread


def splitting(network: TwoLayer, signal: float, seed: int, particles: int = 600, moves: int = 6) -> float:
    """The error by multilevel splitting (Cerou & Guyader 2007): it knows of no centre, and looks everywhere.

    The product of the shares of a population that pass from one level of the margin to the next; in between it moves
    by z cos(angle) + N(0, I) sin(angle), accepted below the level, which keeps the normal law given that.
    """
    rng = generator(seed, "test splitting")
    mu = torch.zeros(network.weights.shape[-1], dtype=torch.float64)
    mu[0] = signal
    z, y = torch.tensor(rng.standard_normal((particles, len(mu)))), torch.ones(particles, dtype=torch.float64)
    y[::2] = -1
    margins, error, angle = y * network(y.unsqueeze(-1) * mu + z)[0], 1.0, 1.0
    while True:
        level = max(float(margins.quantile(0.25)), 0.0)
        below = torch.where(margins <= level)[0]
        error *= len(below) / particles
        if level == 0:
            return error
        chosen = below[torch.tensor(rng.permutation(np.resize(np.arange(len(below)), particles)))]
        z, y, margins = z[chosen], y[chosen], margins[chosen]
        for _ in range(moves):
            moved = math.cos(angle) * z + math.sin(angle) * torch.tensor(rng.standard_normal(z.shape))
            there = y * network(y.unsqueeze(-1) * mu + moved)[0]
            accepted = there <= level
            z, margins = torch.where(accepted.unsqueeze(-1), moved, z), torch.where(accepted, there, margins)
            angle *= math.exp(min(float(accepted.double().mean()) - 0.35, 0.3))


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_trained_networks_agree_with_splitting_where_monte_carlo_sees_nothing(activation):
    network, signal = trained(activation, index=60, seed=0, width=64, n=60, p=1_000_000)
    tail = tail_error(network, signal, seed=0)
    other = [splitting(network, signal, seed) for seed in range(16)]
    assert tail.valid
    assert tail.estimate < 1e-5
    spread = math.hypot(tail.standard_error, stats.sem(other))  # known from 16 repetitions: 15 degrees of freedom
    assert abs(tail.estimate - np.mean(other)) < stats.t.isf(1e-4 / 2, 15) * spread  # false alarms: 1e-4


def test_the_estimate_belongs_to_the_network_and_the_seed():
    one, signal = trained("relu", 25, seed=0, width=64)
    other, _ = trained("relu", 25, seed=1, width=64)
    both = TwoLayer(torch.cat([other.weights, one.weights]), torch.cat([other.signs, one.signs]), one.activation)
    tail = tail_error(one, signal, seed=3)
    assert tail_error(both.alone(1), signal, seed=3) == tail
    assert tail_error(both.alone(0), signal, seed=3) != tail
    assert tail_error(one, signal, seed=4) != tail


def test_an_error_below_all_numbers_is_zero_and_not_valid():
    network, distance = linear(1, 1)
    tail = tail_error(network, 40 / distance, seed=0)  # 1e-350, of which the points see plenty
    assert tail.estimate == 0
    assert not tail.valid
    assert tail.interval == (0.0, pytest.approx(1 - 0.025**0.001))


def test_large_errors_need_no_tail():
    # Without a signal half of all points are wrong, and the draws should stay where they are.
    tail = tail_error(corner(1), 0.0, seed=1)
    assert abs(z_score(tail, 0.5)) < Z
    assert tail.effective_points > 4_000


def test_diverged_and_vanishing_networks_are_wrong_everywhere():
    network, _ = linear(3, 3)
    broken = TwoLayer(network.weights * math.nan, network.signs, network.activation)
    assert tail_error(broken, 1.0, seed=0).interval == (1.0, 1.0)
    zero = TwoLayer(network.weights * 0, network.signs, network.activation)
    estimates = [tail_error(zero, 1.0, seed, points=1_000).estimate for seed in range(5)]
    assert max(estimates) == 1
    assert min(estimates) > 0.9


@pytest.mark.parametrize("noise", ["gaussian", "orthogonal"])
def test_several_clusters_have_the_mean_of_their_closed_forms(noise):
    # A linear network: <w, mu_k + scale z> is normal. The means are neither opposite nor of one length.
    network, _ = linear(7, 6)
    w = network.signs[0] @ network.weights[0] / math.sqrt(7)
    gram = [[900.0, -300.0, 100.0], [-300.0, 900.0, -50.0], [100.0, -50.0, 400.0]]
    law = Clusters.of(100, gram, [1, -1, 1], noise, scale=2.0, signal=5.0)
    means = law.means.copy()
    means *= np.sign(law.labels * (means @ w[:3].numpy()))[:, None]  # on the right sides
    law = replace(law, means=means)
    depths = law.labels * (means @ w[:3].numpy()) / (2 * float(w[3 * (noise == "orthogonal") :].norm()))
    truth, tail = stats.norm.sf(depths).mean(), cluster_tail_error(network, law, seed=1, points=6_000)
    assert tail.valid
    assert abs(tail.estimate - truth) < Z * tail.standard_error < 0.5 * truth
    assert truth < 1e-5


def test_two_opposite_clusters_are_the_mixture():
    network, signal = trained("relu", 16, seed=0)
    law = Clusters.of(10_000, [[1.0, -1.0], [-1.0, 1.0]], [1, -1], signal=signal)
    one, other = tail_error(network, signal, 0), cluster_tail_error(network, law, 0)
    assert one.estimate != other.estimate  # other draws
    assert abs(one.estimate - other.estimate) < Z * math.hypot(one.standard_error, other.standard_error)


def test_wrong_arguments_are_explained():
    network, _ = linear(3, 3)
    two = TwoLayer(network.weights.repeat(2, 1, 1), network.signs.repeat(2, 1), network.activation)
    with pytest.raises(InputError, match=r"2 networks: give one, as network.alone\(run\) does"):
        tail_error(two, 1.0, 0)
    for points in (0, -20, 30):
        with pytest.raises(InputError, match=f"points is {points}: it must be a positive multiple of 20"):
            tail_error(network, 1.0, 0, points)
    for signal in (-1.0, math.inf, math.nan):
        with pytest.raises(InputError, match=rf"signal is {signal}: \|\|mu\|\| must be a finite number, at least 0"):
            tail_error(network, signal, 0)
    law = Clusters.of(3, [[1.0]], [1], "unit")
    with pytest.raises(InputError, match="noise is 'unit': it must be Gaussian"):
        cluster_tail_error(network, law, 0)
    with pytest.raises(InputError, match="points is 15: it must be a positive multiple of 10"):
        cluster_tail_error(network, replace(law, noise="gaussian"), 0, 15)
