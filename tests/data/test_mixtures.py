"""The polluted mixture in either frame; its law is in ``test_wishart`` and ``test_law``."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from benign.data import mixtures
from benign.errors import InputError
from benign.seeds import generator

# n, p, directions: p - 1 below, at and above n + directions, and the smallest dimensions
SIZES = [(4, 50, 3), (4, 8, 3), (4, 7, 3), (4, 3, 3), (6, 40, 0), (2, 1, 1), (3, 2, 2), (1, 5, 1)]
FALSE_ALARM = 0.001  # of all Kolmogorov-Smirnov tests together (Bonferroni); the seeds were fixed before the first look


@pytest.mark.parametrize(("n", "p", "m"), [*SIZES, (50, 10**9, 100)])
def test_the_reduced_frame_has_no_more_coordinates_than_it_needs(n, p, m):
    sample = mixtures.sample(n, p, 2.0, 0.2, 0, directions=m)
    assert sample.x.shape == (n, 1 + min(n + m, p - 1))
    assert sample.directions.shape == (m, sample.x.shape[1])
    assert mixtures.sample(n, min(p, 50), 2.0, 0.2, 0, directions=m, frame="ambient").x.shape == (n, min(p, 50))


def test_a_dimension_of_a_billion():
    sample = mixtures.sample(20, 10**9, 30.0, 0.1, 0, directions=10)
    lengths = (sample.x.square().sum(1) - sample.x[:, 0].square()).numpy()
    # chi-squared with 10^9 - 1 degrees of freedom: standard deviation 4.5e4
    assert (np.abs(lengths - 10**9) < 6 * math.sqrt(2e9)).all()


@pytest.mark.parametrize("frame", ["reduced", "ambient"])
def test_the_mean_lies_on_the_first_axis(frame):
    near, far = (mixtures.sample(5, 30, signal, 0.2, 7, directions=4, frame=frame) for signal in (0, 3))
    shift = torch.zeros_like(near.x)
    shift[:, 0] = 3 * near.clean
    torch.testing.assert_close(far.x - near.x, shift)
    assert torch.equal(far.directions, near.directions)
    assert (far.signal, far.p) == (3.0, 30)


def test_labels():
    sample = mixtures.sample(50, 10, 1.0, 0.3, 0)
    assert int(sample.flipped.sum()) == 15
    assert torch.equal(sample.labels, torch.where(sample.flipped, -sample.clean, sample.clean))
    assert set(sample.clean.tolist()) == {-1, 1}
    counts = {int(mixtures.sample(50, 10, 1.0, 0.3, s, exact_flips=False).flipped.sum()) for s in range(20)}
    assert len(counts) > 3
    assert not mixtures.sample(50, 10, 1.0, 0, 0).flipped.any()


def test_a_seed_names_a_sample_and_label_noise_changes_only_labels():
    one, same, other, noisy = (
        mixtures.sample(8, 20, 1.0, noise, seed, directions=2) for noise, seed in ((0, 3), (0, 3), (0, 4), (0.4, 3))
    )
    assert torch.equal(one.x, same.x)
    assert torch.equal(one.directions, same.directions)
    assert torch.equal(one.x, noisy.x)
    assert not torch.equal(one.labels, noisy.labels)
    assert not torch.equal(one.x, other.x)


def test_test_points_do_not_depend_on_how_they_are_drawn():
    x, y = mixtures.placed(2.0, generator(0, "test").standard_normal((301, 6)))
    rng = generator(0, "test")
    parts = [mixtures.placed(2.0, rng.standard_normal((count, 6))) for count in (1, 100, 200)]
    assert torch.equal(torch.cat([part[0] for part in parts]), x)
    assert torch.equal(torch.cat([part[1] for part in parts]), y)


def test_test_points_have_the_law_of_the_mixture():
    x, y = mixtures.placed(2.0, generator(0, "test").standard_normal((20_000, 4)))
    assert set(y.tolist()) == {-1, 1}
    assert abs(y.mean().item()) < 5 / math.sqrt(20_000)
    noise = x.clone()
    noise[:, 0] -= 2 * y
    for values in (*noise.T, y * noise[:, 0], *(noise[y > 0].T)):
        assert stats.kstest(values.numpy(), stats.norm.cdf).pvalue > FALSE_ALARM / 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(n=0), "n is 0: a sample needs at least one point"),
        (dict(p=0), "p is 0: the dimension must be at least 1"),
        (dict(signal=-1.0), "signal is -1.0: .* must be a finite number, at least 0"),
        (dict(signal=math.inf), "signal is inf"),
        (dict(signal=math.nan), "signal is nan"),
        (dict(label_noise=0.5), r"label_noise is 0.5: the share of wrong labels must lie in \[0, 0.5\)"),
        (dict(label_noise=math.nan), "label_noise is nan"),
        (dict(directions=-1), "directions is -1: their number must be at least 0"),
        (dict(frame="other"), "frame is 'other': it must be 'ambient' or 'reduced'"),
        (dict(seed=-1), "seed is -1: it must be an integer, at least 0"),
    ],
)
def test_wrong_arguments_are_explained(changes, message):
    with pytest.raises(InputError, match=message):
        mixtures.sample(**(dict(n=3, p=4, signal=1.0, label_noise=0.1, seed=0) | changes))
