"""Samples of two patches: their geometry, their law in either frame, and what is refused."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from benign.data.patches import TwoPatches
from benign.errors import InputError
from benign.seeds import generator

FALSE_ALARM = 0.001  # of all tests of a law together (Bonferroni); the seeds were fixed before the first look


@pytest.mark.parametrize("frame", ["reduced", "ambient"])
@pytest.mark.parametrize("noise", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("bias", [False, True])
def test_a_sample_is_the_signal_and_then_noise(frame, noise, bias):
    law = TwoPatches(50, 3.0, noise, 0.5, bias)
    sample = law.sample(7, 0.3, 0, directions=4, frame=frame)
    signal, xi = sample.x[0::2], sample.x[1::2]
    assert sample.x.shape == (14, (12 if frame == "reduced" else 50) + bias)
    assert sample.directions.shape == (4, sample.x.shape[1])
    assert torch.equal(signal[:, 0], 3 * sample.clean)
    assert signal[:, 1 : len(signal[0]) - bias].count_nonzero() == 0
    assert (xi[:, 0] == 0).all() == (noise == "orthogonal")
    assert (sample.x[:, -1] == 1).all() == bias
    assert int(sample.flipped.sum()) == 2
    x, y = law.test_points(sample.x.shape[1], 5, generator(0, "test"))
    assert torch.equal(x[0::2, 0], 3 * y)
    assert x.shape == (10, sample.x.shape[1])


@pytest.mark.parametrize("noise", ["gaussian", "orthogonal"])
def test_both_frames_have_one_law(noise):
    law, counts = TwoPatches(12, 1.5, noise, 0.5, bias=True), 500

    def seen(frame, seed):
        sample = law.sample(3, 1 / 3, seed, directions=3, frame=frame)
        x, y = law.test_points(sample.x.shape[1], 2, generator(seed, f"test, {frame}"))
        vectors = torch.cat([sample.x, sample.directions])
        # inner products of test points with what was trained are all that a network sees of them
        return np.concatenate([(vectors @ vectors.T)[np.triu_indices(9)], (vectors @ x.T).ravel(), y])

    one, other = (np.stack([seen(frame, seed) for seed in range(counts)]) for frame in ("reduced", "ambient"))
    for a, b in zip(one.T, other.T, strict=True):
        assert stats.ks_2samp(a, b).pvalue > FALSE_ALARM / one.shape[1]


def test_uniform_directions_have_the_variance_of_normal_ones():
    directions = TwoPatches(2000, 1.0, bias=True).sample(2, 0.0, 0, directions=40, frame="ambient", uniform=True)
    directions = directions.directions
    assert directions.abs().max() <= math.sqrt(3)
    assert abs(float(directions.square().mean()) - 1) < 5 * math.sqrt(4 / 5 / directions.numel())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(d=1), "d is 1: noise orthogonal"),
        (dict(signal=-1.0), "signal is -1.0"),
        (dict(signal=math.inf), "signal is inf"),
        (dict(noise="unit"), "noise is 'unit'"),
        (dict(scale=0.0), "scale is 0.0"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        TwoPatches(**dict(d=20, signal=1.0) | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(n=0), "n is 0"),
        (dict(label_noise=0.5), "label_noise is 0.5"),
        (dict(directions=-1), "directions is -1"),
        (dict(frame="polar"), "frame is 'polar'"),
        (dict(uniform=True), "need 'ambient'"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        TwoPatches(20, 1.0).sample(**dict(n=5, label_noise=0.1, seed=0) | change)
