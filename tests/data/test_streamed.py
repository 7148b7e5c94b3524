"""Samples drawn in blocks of coordinates: the same numbers as in one piece, the right law, in bounded memory."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from benign.data import mixtures, streamed
from benign.data.grams import Grams, Points
from benign.data.noises import gaussian, named
from benign.data.streamed import BLOCK, ROWS
from benign.errors import InputError

LAWS = ["gaussian", "uniform", "laplace", "rademacher", "student_t(5)", "power(1)", "spiked(3, 10)"]
DEFAULTS = dict(
    n=5, p=2 * BLOCK + 44, signal=3.0, label_noise=0.2, seed=4, noise=gaussian(), directions=3, test_points=6
)
# Of each statistical test function below, all its comparisons together (Bonferroni); seeds were fixed beforehand.
FALSE_ALARM = 0.001


def sample(**changes) -> streamed.Streamed:
    return streamed.sample(**(DEFAULTS | changes))


def dense(sample: streamed.Streamed, **changes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The slow twin: the blocks of a sample side by side, all p coordinates at once."""
    arguments = {
        k: v
        for k, v in (DEFAULTS | changes).items()
        if k in ("p", "signal", "seed", "noise", "directions", "direction")
    }
    blocks = streamed.blocks(sample.clean.numpy(), sample.test_labels.numpy(), **arguments)
    return tuple(
        torch.cat(columns, dim=1) for columns in zip(*([part.clone() for part in b] for b in blocks), strict=True)
    )


def same(one: Grams | Points, other: Grams | Points) -> None:
    for name, tensor in vars(one).items():
        expected = getattr(other, name)
        scale = expected.abs().max().item() if expected.numel() else 1.0
        torch.testing.assert_close(tensor, expected, rtol=0, atol=1e-13 * scale, msg=name)


@pytest.mark.parametrize("direction", ["spread", "first"])
@pytest.mark.parametrize(
    ("p", "law"),
    [*((DEFAULTS["p"], law) for law in LAWS), *((p, "laplace") for p in (1, 2, BLOCK - 1, BLOCK, BLOCK + 1))],
)
def test_the_blocks_add_up_to_the_products_of_whole_vectors(p, law, direction):
    changes = dict(p=p, noise=named(law), direction=direction)
    drawn = sample(**changes)
    x, w, t = dense(drawn, **changes)
    assert (x.shape, w.shape, t.shape) == ((5, p), (3, p), (6, p))
    same(drawn.grams, Grams.of(x, w))
    same(drawn.test, Points.of(t, x, w))
    assert (drawn.signal, drawn.p) == (3.0, p)


@pytest.mark.parametrize("direction", ["spread", "first"])
def test_the_mean(direction):
    near, far = (dense(sample(signal=s), signal=s, direction=direction) for s in (0.0, 3.0))
    drawn = sample()
    mean = torch.zeros(drawn.p, dtype=torch.float64)
    if direction == "first":
        mean[0] = 3
    else:
        mean += 3 / math.sqrt(drawn.p)
    torch.testing.assert_close(far[0] - near[0], drawn.clean[:, None] * mean)
    torch.testing.assert_close(far[2] - near[2], drawn.test_labels[:, None] * mean)
    assert torch.equal(far[1], near[1])


def test_the_labels_are_those_of_the_mixture():
    for exact in (True, False):
        drawn = sample(n=50, label_noise=0.3, exact_flips=exact)
        mixture = mixtures.sample(50, 10, 1.0, 0.3, DEFAULTS["seed"], exact_flips=exact)
        assert torch.equal(drawn.clean, mixture.clean)
        assert torch.equal(drawn.labels, mixture.labels)
        assert torch.equal(drawn.flipped, mixture.flipped)
        if exact:
            assert int(drawn.flipped.sum()) == 15
    labels = sample(test_points=4000, p=1).test_labels
    assert set(labels.tolist()) == {-1, 1}
    assert stats.binomtest(int((labels > 0).sum()), 4000).pvalue > FALSE_ALARM


def test_a_seed_names_a_sample():
    one, again, other = sample(), sample(), sample(seed=5)
    for part in ("grams", "test"):
        for name, tensor in vars(getattr(one, part)).items():
            assert torch.equal(tensor, getattr(getattr(again, part), name))
            assert not torch.isclose(tensor, getattr(getattr(other, part), name), rtol=1e-9).any()


def test_label_noise_and_the_budget_change_no_vector():
    plain, noisy = sample(), sample(label_noise=0.4, budget=2**40)
    assert torch.equal(plain.grams.inputs, noisy.grams.inputs)
    assert torch.equal(plain.test.weights, noisy.test.weights)
    assert not torch.equal(plain.labels, noisy.labels)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("few", "many"), [(3, 7), (ROWS - 1, ROWS + 40), (ROWS, ROWS + 1)])
def test_test_points_are_the_first_of_many(law, few, many):
    changes = dict(noise=named(law), p=BLOCK + 9)
    less, more = (sample(test_points=count, **changes) for count in (few, many))
    assert torch.equal(less.test_labels, more.test_labels[:few])
    (x, w, t), (x_more, w_more, t_more) = dense(less, **changes), dense(more, **changes)
    assert torch.equal(x, x_more)
    assert torch.equal(w, w_more)
    assert torch.equal(t, t_more[:few])
    assert torch.equal(less.grams.inputs, more.grams.inputs)
    assert torch.equal(less.grams.cross, more.grams.cross)
    same(less.test, Points(more.test.inputs[:, :few], more.test.weights[:, :few]))


def test_none_of_the_three_parts_depends_on_the_size_of_the_others():
    few, many = sample(directions=2, n=3, test_points=0), sample(directions=20, n=30)
    (x, w, _), (x_more, w_more, _) = dense(few, directions=2), dense(many, directions=20)
    assert torch.equal(few.clean, many.clean[:3])
    assert torch.equal(x, x_more[:3])
    assert torch.equal(w, w_more[:2])
    assert [tuple(tensor.shape) for tensor in vars(few.test).values()] == [(3, 0), (2, 0)]
    alone = sample(directions=0)
    same(alone.grams, Grams(sample().grams.inputs, alone.grams.cross, alone.grams.weights))
    assert alone.grams.cross.shape == (0, 5)


@pytest.mark.parametrize("law", LAWS)
def test_the_directions_are_gaussian_whatever_the_noise_is(law):
    drawn = sample(noise=named(law))
    assert torch.equal(drawn.grams.weights, sample().grams.weights)
    assert torch.equal(drawn.grams.inputs, sample().grams.inputs) == (law == "gaussian")


# E z^4 of a coordinate: what the variance of a squared length, p (E z^4 - 1), shows of the law
@pytest.mark.slow
@pytest.mark.parametrize(
    ("law", "fourth"),
    [("gaussian", 3), ("uniform", 9 / 5), ("laplace", 6), ("rademacher", 1), ("student_t(30)", 3 * 28 / 26)],
)
def test_lengths_and_products_have_the_moments_of_the_law(law, fourth):
    p, n = BLOCK + 300, 8
    runs = [sample(n=n, p=p, signal=0.0, directions=1, seed=s, noise=named(law), test_points=n) for s in range(100)]
    lengths = torch.stack([run.grams.inputs.diagonal() for run in runs]).numpy().ravel() - p
    pairs = np.concatenate([run.grams.inputs.numpy()[np.triu_indices(n, 1)] for run in runs])
    tests = torch.stack([run.test.inputs for run in runs]).numpy().ravel()
    crosses = torch.stack([run.grams.cross for run in runs]).numpy().ravel()
    width = stats.norm.isf(FALSE_ALARM / 5 / 7 / 2)
    if law == "rademacher":
        assert (lengths == 0).all()
    else:
        variance = p * (fourth - 1)
        assert abs(lengths.mean()) < width * math.sqrt(variance / lengths.size)
        # By the central limit theorem a length is nearly normal, so its square has variance 2.
        assert abs((lengths**2).mean() / variance - 1) < width * math.sqrt(2.5 / lengths.size)
    for products in (pairs, tests, crosses):
        # Products of different pairs are uncorrelated, and nearly so their squares: Cov ~ p << Var ~ 2 p^2.
        assert abs(products.mean()) < width * math.sqrt(p / products.size)
        assert abs((products**2).mean() / p - 1) < width * math.sqrt(2.5 / products.size)


def test_memory_by_hand():
    # n = 2, m = 3, N = 5: 4 + 6 + 9 + 25 inner products, 10 vectors
    assert streamed.memory(2, 3, 5) == 8 * 44 + 8 * 256 * 10 + 2**24


MEASURE = """
import sys
from benign.data import streamed
from benign.data.noises import named

def sample(n, m, count, p):
    streamed.sample(n, p, 1.0, 0.0, 0, noise=named(sys.argv[1]), directions=m, test_points=count)

def peak():
    return 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

sample(2, 2, 2, 300)  # what the libraries take once
open("/proc/self/clear_refs", "w").write("5")  # the peak starts anew
before = peak()
sample(*map(int, sys.argv[2:]))
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of the memory is read as on Linux")
@pytest.mark.parametrize(
    ("law", "n", "m", "count", "p"), [("power(1)", 20, 10, 100, 200_000), ("laplace", 10, 10, 20_000, 1024)]
)
def test_the_memory_is_as_stated(law, n, m, count, p):
    command = [sys.executable, "-c", MEASURE, law, *map(str, (n, m, count, p))]
    occupied = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    stated = streamed.memory(n, m, count)
    whole = 8 * (n + m + count) * p
    assert 0 < occupied <= stated < whole / 2


@pytest.mark.parametrize(
    ("sizes", "budget", "message"),
    [
        (
            dict(n=100, directions=512, test_points=4000),
            2**25,
            r"100 samples, 512 directions and 4,000 test points need 48,393,\d+ bytes, and the budget is 33,554,432: "
            r"take at most 1,\d\d\d test points, or a larger budget",
        ),
        (dict(n=100, directions=3000), 2**24, "take smaller n or fewer directions, or a larger budget"),
        (dict(test_points=10**7), 2**30, "take at most"),
    ],
)
def test_too_much_memory_is_refused_with_a_remedy(sizes, budget, message):
    with pytest.raises(InputError, match=message):
        sample(**sizes, budget=budget)


def test_the_budget_is_what_the_memory_may_be():
    needed = streamed.memory(5, 3, 6)
    sample(budget=needed)
    with pytest.raises(InputError, match="take at most 5 test points"):
        sample(budget=needed - 1)
    without = streamed.memory(5, 3, 0)
    with pytest.raises(InputError, match="take at most 0 test points"):
        sample(budget=without)
    with pytest.raises(InputError, match="take smaller n or fewer directions"):
        sample(budget=without - 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(n=0), "n is 0: a sample needs at least one point"),
        (dict(p=0), "p is 0: the dimension must be at least 1"),
        (dict(signal=-1.0), "signal is -1.0: .* must be a finite number, at least 0"),
        (dict(signal=math.inf), "signal is inf"),
        (dict(signal=math.nan), "signal is nan"),
        (dict(label_noise=0.5), r"label_noise is 0.5: the share of wrong labels must lie in \[0, 0.5\)"),
        (dict(directions=-1), "directions is -1: their number must be at least 0"),
        (dict(test_points=-1), "test_points is -1: their number must be at least 0"),
        (dict(direction="second"), "direction is 'second': mu is 'spread' over all coordinates or lies on the 'first'"),
        (dict(seed=-1), "seed is -1: it must be an integer, at least 0"),
    ],
)
def test_wrong_arguments_are_explained(changes, message):
    with pytest.raises(InputError, match=message):
        sample(**changes)
