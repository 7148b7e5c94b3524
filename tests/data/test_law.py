"""The exact Gaussian reduction in law: runs in the few coordinates that matter against runs in R^p.

For each setting 600 networks are trained in either frame, on independent seeds: the frames share the streams of
labels, flips, signs and test points, so the same seeds would not do. All that is read off a run is compared, one
statistic at a time, some in pairs (by the product of their centred ranks), and all together.

False alarms: the comparisons of the two frames, all settings together, raise one with probability at most 0.001. Half
of it is shared equally by the Kolmogorov-Smirnov tests (Bonferroni), half by the omnibus tests, one a setting. All are
exact for exchangeable runs; ties, as in a test error, make a Kolmogorov-Smirnov test conservative. The seeds were fixed
before the first look.
"""

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from torch import Tensor

from benign.data import mixtures
from benign.data.mixtures import Mixture
from benign.networks.activations import named
from benign.networks.two_layer import TwoLayer, output_signs
from benign.seeds import generator
from benign.train import dense, history, neurons, span

RUNS = 600
BATCH = 100  # runs at a time: bounds the memory
STEPS = 30
TEST_POINTS = 100


@dataclass(frozen=True)
class Setting:
    n: int
    p: int
    m: int
    signal: float
    activation: str
    label_noise: float
    exact_flips: bool
    engine: ModuleType  # for the runs in R^p; those in the reduced frame take the fast one

    def sample(self, seed: int, frame: str = "reduced") -> Mixture:
        return mixtures.sample(
            self.n,
            self.p,
            self.signal,
            self.label_noise,
            seed,
            directions=self.m,
            exact_flips=self.exact_flips,
            frame=frame,
        )


SETTINGS = {  # named by where p - 1 lies
    "far below n + m": Setting(6, 2, 4, 1.0, "relu", 0.0, True, dense),
    "below n + m": Setting(8, 5, 6, 1.0, "leaky_relu(0.1)", 0.2, False, dense),
    "just below n + m": Setting(10, 16, 6, 1.5, "relu", 0.1, True, span),
    "at n + m": Setting(10, 17, 6, 1.5, "elu", 0.1, False, dense),
    "above n + m": Setting(12, 200, 8, 4.0, "elu", 0.2, True, dense),
    "far above n + m": Setting(20, 2000, 16, 8.0, "relu", 0.2, False, span),
}
PAIRS = [
    ("loss", "norm"),
    ("loss at the start", "distance"),
    ("loss", "smallest eigenvalue"),
    ("norm", "largest product"),
    ("distance", "active pairs"),
    ("test error", "smallest margin"),
]
TOGETHER = "all together"

FALSE_ALARM = 0.001
SHARE = FALSE_ALARM / 2 / len(SETTINGS)  # of a setting's omnibus test, and of all its other tests together

Sampler = Callable[[Setting, int], Mixture]


def statistics(setting: Setting, samples: Iterable[Mixture], engine: ModuleType, seeds: range) -> dict[str, Tensor]:
    """Train a network on each sample and read everything off it: one number a run for each name."""
    columns = zip(*((s.x, s.labels, s.flipped, s.directions) for s in samples), strict=True)
    x, labels, flipped, directions = map(torch.stack, columns)
    signs = torch.stack([output_signs(setting.m, seed) for seed in seeds])
    start = TwoLayer(directions / math.sqrt(setting.p), signs, named(setting.activation))
    trained = engine.train(
        start,
        x,
        labels,
        step_size=0.5 * setting.n / setting.p,
        steps=STEPS,
        observe={
            "loss": history.loss,
            "margins": history.margins,
            "norm": neurons.norm,
            "norm_21": neurons.norm_21,
            "distance": neurons.distance,
        },
        record=[0, STEPS // 5],
    )
    network, losses, final = trained.network, trained.history["loss"], trained.final
    margins, lengths = final["margins"], network.weights.norm(dim=-1)
    before, after = (weights @ x.mT > 0 for weights in (start.weights, network.weights))
    points, truth = mixtures.fresh_points(setting.signal, x.shape[-1], seeds[0], len(x) * TEST_POINTS)
    tests = truth.view(len(x), -1) * network(points.view(len(x), -1, x.shape[-1]))
    gram, off_diagonal = x @ x.mT, 1 - torch.eye(setting.n)
    first = torch.cat([x, directions], dim=1)[:, : setting.p - 1]
    return {
        "loss at the start": losses[0],
        "loss on the way": losses[1],
        "loss": final["loss"],
        "smallest margin": margins.amin(-1),
        "mean margin": margins.mean(-1),
        "margin of the first point": margins[:, 0],
        "margin of the last point": margins[:, -1],
        "margins of wrong labels": (margins * flipped).sum(-1),
        "norm": final["norm"],
        "norm_21": final["norm_21"],
        "distance": final["distance"],
        "length of the first neuron": lengths[:, 0],
        "length of the last neuron": lengths[:, -1],
        "weights along mu": (signs * network.weights[..., 0]).mean(-1),
        "active pairs": after.double().mean((1, 2)),
        "pairs that changed sides": (before ^ after).double().mean((1, 2)),
        "test error": (~(tests > 0)).double().mean(-1),
        "mean test margin": tests.mean(-1),
        "normalised test margin": tests.mean(-1) / final["norm_21"],
        "largest product": (gram * off_diagonal).abs().amax((1, 2)),
        "smallest eigenvalue": torch.linalg.eigvalsh(gram)[:, -min(setting.n, setting.p)],  # of those that are not 0
        "volume of the first vectors": torch.linalg.slogdet(first @ first.mT).logabsdet,
    }


def measured(setting: Setting, sampler: Sampler, engine: ModuleType, seeds: range) -> dict[str, np.ndarray]:
    batches = [seeds[first : first + BATCH] for first in range(0, RUNS, BATCH)]
    parts = [statistics(setting, (sampler(setting, seed) for seed in batch), engine, batch) for batch in batches]
    return {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}


@functools.cache
def in_the_reduced_frame(setting: Setting, sampler: Sampler = Setting.sample) -> dict[str, np.ndarray]:
    return measured(setting, sampler, span, range(RUNS))


@functools.cache
def in_all_coordinates(setting: Setting) -> dict[str, np.ndarray]:
    return measured(setting, lambda s, seed: s.sample(seed, "ambient"), setting.engine, range(RUNS, 2 * RUNS))


def rejections(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """The tests that tell two sets of runs apart, at their share of the false alarms."""
    values = np.stack([np.concatenate([one[name], other[name]]) for name in one], axis=1)
    # Ranks among all runs do not know which set a run is from: under the hypothesis they are exchangeable too.
    ranks = dict(zip(one, (stats.rankdata(values, axis=0) / len(values) - 0.5).T, strict=True))
    marks = ranks | {f"{a} with {b}": ranks[a] * ranks[b] for a, b in PAIRS}
    level = SHARE / len(marks)
    found = [name for name, mark in marks.items() if stats.ks_2samp(mark[:RUNS], mark[RUNS:]).pvalue <= level]
    return [*found, TOGETHER] if halves_differ(np.stack(list(marks.values()), axis=1)) else found


def halves_differ(points: np.ndarray) -> bool:
    """Whether the energy distance between the two halves of the points exceeds that of all random halves, 1/SHARE."""
    distances = cdist(points, points)
    half, rng = np.repeat([1.0, -1.0], RUNS), generator(0, "random halves")

    def energy(s: np.ndarray) -> np.ndarray:
        # For halves of equal size the distance is this / RUNS^2; s = +-1 says which half a point is in.
        return -((s @ distances) * s).sum(-1)

    # In portions, since under the hypothesis the first one decides.
    portions = math.ceil(1 / SHARE / 1000)
    return all((energy(half) > energy(rng.permuted([half] * 1000, axis=1))).all() for _ in range(portions))


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_both_frames_have_the_same_law(setting):
    assert rejections(in_the_reduced_frame(setting), in_all_coordinates(setting)) == []


def altered(change: Callable[[Tensor, Setting, np.random.Generator], None]) -> Sampler:
    """The reduced sampler with a change, in place, of the triangular factor: the vectors without their first axis."""

    def sampler(setting: Setting, seed: int) -> Mixture:
        sample = setting.sample(seed)
        vectors = torch.cat([sample.x, sample.directions])
        change(vectors[:, 1:], setting, generator(seed, "a wrong change"))
        return replace(sample, x=vectors[: setting.n], directions=vectors[setting.n :])

    return sampler


def one_degree_of_freedom_too_many(lower, setting, rng):
    lower.diagonal().square_().add_(torch.tensor(rng.chisquare(1, lower.shape[1]))).sqrt_()


def roots_of_the_degrees_for_chi(lower, setting, rng):
    lower.diagonal().copy_((setting.p - 1 - torch.arange(lower.shape[1])).sqrt())


def one_axis_too_few(lower, setting, rng):
    lower[:, -1] = 0


def weights_orthogonal_to_the_noise(lower, setting, rng):
    lower[setting.n :, : setting.n] = 0


WRONG: dict[str, tuple[str, Sampler]] = {
    "one degree of freedom too many": ("below n + m", altered(one_degree_of_freedom_too_many)),
    "roots of the degrees for chi": ("below n + m", altered(roots_of_the_degrees_for_chi)),
    "one axis too few": ("at n + m", altered(one_axis_too_few)),
    "a dimension too many": ("at n + m", lambda s, seed: replace(s, p=s.p + 1).sample(seed)),
    "weights orthogonal to the noise": ("far above n + m", altered(weights_orthogonal_to_the_noise)),
    "no signal": ("above n + m", lambda s, seed: replace(s, signal=0.0).sample(seed)),
    "a tenth more signal": ("far above n + m", lambda s, seed: replace(s, signal=1.1 * s.signal).sample(seed)),
    "half the label noise": ("above n + m", lambda s, seed: replace(s, label_noise=0.1).sample(seed)),
    "exact flips for independent ones": ("below n + m", lambda s, seed: replace(s, exact_flips=True).sample(seed)),
    "independent flips for exact ones": ("above n + m", lambda s, seed: replace(s, exact_flips=False).sample(seed)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("where", "sampler"), WRONG.values(), ids=WRONG)
def test_a_wrong_reduction_is_found(where, sampler):
    setting = SETTINGS[where]
    assert rejections(in_the_reduced_frame(setting, sampler), in_all_coordinates(setting))


@pytest.mark.slow
def test_a_wrong_dependence_is_found_where_each_law_alone_is_right():
    setting = SETTINGS["at n + m"]
    rng = generator(0, "shuffles")
    shuffled = {name: rng.permutation(values) for name, values in in_the_reduced_frame(setting).items()}
    assert TOGETHER in rejections(shuffled, in_all_coordinates(setting))
