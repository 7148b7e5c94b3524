"""Clusters with any means: their geometry, their law in either frame, and what is refused."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from benign.data import mixtures
from benign.data.clusters import Clusters
from benign.errors import InputError
from benign.seeds import generator

XOR = [[9.0, -9.0, 0.0, 0.0], [-9.0, 9.0, 0.0, 0.0], [0.0, 0.0, 9.0, -9.0], [0.0, 0.0, -9.0, 9.0]]
LABELS = [1, 1, -1, -1]
PAIR = [[4.0, -4.0], [-4.0, 4.0]]
FALSE_ALARM = 0.001  # of all tests of a law together (Bonferroni); the seeds were fixed before the first look


def three(p=40, noise="gaussian", scale=1.0):
    """Three means that span two dimensions."""
    vectors = np.array([[2.0, 0.0], [0.5, 1.0], [-1.0, 3.0]])
    return Clusters.of(p, (vectors @ vectors.T).tolist(), [1, -1, 1], noise, scale)


@pytest.mark.parametrize("gram", [XOR, PAIR, [[5.0]], (np.ones((3, 2)) @ np.ones((2, 3))).tolist(), [[0.0] * 2] * 2])
def test_the_means_have_the_inner_products_that_were_asked_for(gram):
    law = Clusters.of(50, gram, [1, -1, 1, -1][: len(gram)])
    np.testing.assert_allclose(law.means @ law.means.T, gram, atol=1e-12)
    assert law.means.shape[1] == np.linalg.matrix_rank(np.array(gram))


@pytest.mark.parametrize(("n", "p", "m"), [(4, 50, 3), (4, 9, 3), (4, 3, 3), (6, 40, 0), (50, 10**9, 100)])
def test_the_reduced_frame_has_no_more_coordinates_than_it_needs(n, p, m):
    sample = three(p).sample(n, 0.2, 0, directions=m)
    assert sample.x.shape == (n, 2 + min(n + m, p - 2))
    assert sample.directions.shape == (m, sample.x.shape[1])
    assert three(min(p, 60)).sample(n, 0.2, 0, directions=m, frame="ambient").x.shape == (n, min(p, 60))


@pytest.mark.parametrize("frame", ["reduced", "ambient"])
@pytest.mark.parametrize("noise", ["gaussian", "orthogonal", "unit"])
def test_a_point_is_the_mean_of_its_cluster_plus_noise(frame, noise):
    sample = three(noise=noise, scale=0.5).sample(30, 0.2, 1, directions=5, frame=frame)
    z = (sample.x[:, :2].numpy() - sample.law.means[sample.cluster]) / 0.5
    assert (abs(z).max() > 0.1) == (noise == "gaussian")
    lengths = sample.x[:, 2:].norm(dim=1) / 0.5
    assert torch.allclose(lengths, torch.ones(30, dtype=torch.float64)) == (noise == "unit")
    assert np.array_equal(sample.clean.numpy(), np.array([1, -1, 1])[sample.cluster])
    assert int(sample.flipped.sum()) == 6
    assert sample.directions[:, :2].abs().min() > 0  # the directions are standard normal in every coordinate


def test_two_opposite_means_are_the_mixture():
    law = Clusters.of(300, PAIR, [1, -1])
    counts = 400
    pairs = [law.sample(5, 0.2, seed, directions=2) for seed in range(counts)]
    singles = [mixtures.sample(5, 300, 2.0, 0.2, seed, directions=2) for seed in range(counts)]

    def seen(sample):
        vectors = torch.cat([sample.labels.unsqueeze(1) * sample.x, sample.directions])
        return (vectors @ vectors.T)[np.triu_indices(len(vectors))].numpy()

    one, other = (np.stack([seen(sample) for sample in samples]) for samples in (pairs, singles))
    for a, b in zip(one.T, other.T, strict=True):
        assert stats.ks_2samp(a, b).pvalue > FALSE_ALARM / one.shape[1]


@pytest.mark.parametrize("noise", ["gaussian", "orthogonal", "unit"])
def test_both_frames_have_one_law(noise):
    law, counts = three(12, noise), 500

    def seen(frame, seed):
        sample = law.sample(4, 0.25, seed, directions=3, frame=frame, balanced=False)
        x, y = law.placed(generator(seed, f"test, {frame}").standard_normal((2, 2 + sample.x.shape[1])))
        vectors = torch.cat([sample.x, sample.directions, x])
        # inner products of test points with what was trained are all that a network sees of them
        return np.concatenate([(vectors[:7] @ vectors[:7].T)[np.triu_indices(7)], (vectors[:7] @ x.T).ravel(), y])

    one, other = (np.stack([seen(frame, seed) for seed in range(counts)]) for frame in ("reduced", "ambient"))
    for a, b in zip(one.T, other.T, strict=True):
        assert stats.ks_2samp(a, b).pvalue > FALSE_ALARM / one.shape[1]


@pytest.mark.parametrize("noise", ["gaussian", "unit"])
def test_test_points_do_not_depend_on_how_they_are_drawn(noise):
    law = three(10**6, noise)
    x, y = law.placed(generator(0, "test").standard_normal((301, 11)))
    rng = generator(0, "test")
    parts = [law.placed(rng.standard_normal((count, 11))) for count in (1, 100, 200)]
    assert torch.equal(torch.cat([part[0] for part in parts]), x)
    assert torch.equal(torch.cat([part[1] for part in parts]), y)


def test_a_unit_test_point_keeps_what_lies_outside_the_frame():
    law = three(10**6, "unit")
    x, _ = law.placed(generator(0, "test").standard_normal((500, 104)))
    inside = x[:, 2:].square().sum(1).numpy()  # a share of 100 in 10^6 of a squared length of one
    assert abs(inside.mean() * 1e4 - 1) < 5 * math.sqrt(2 / 100 / 500)


def test_balanced_clusters_have_one_size():
    sample = Clusters.of(30, XOR, LABELS).sample(20, 0.0, 0, balanced=True)
    assert np.bincount(sample.cluster).tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(gram=[[1.0, 2.0], [2.0, 1.0]]), "no eigenvalue below 0, and has -1"),
        (dict(gram=[[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
        (dict(gram=[[1.0, math.nan], [math.nan, 1.0]]), "finite"),
        (dict(gram=[[1.0, 0.0]]), r"gram is \[\[1.0, 0.0\]\]: .* K x K"),
        (dict(gram=[]), "gram is"),
        (dict(p=1, gram=[[1.0, 0.0], [0.0, 1.0]]), "p is 1: it must be at least 2"),
        (dict(classes=[1]), "each of the 2 clusters"),
        (dict(classes=[1, 0]), "one of -1 and"),
        (dict(noise="uniform"), "noise is 'uniform'"),
        (dict(noise="unit", p=1), "which span all 1"),
        (dict(scale=0.0), "scale is 0"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    arguments = dict(p=20, gram=PAIR, classes=[1, -1]) | change
    with pytest.raises(InputError, match=message):
        Clusters.of(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(n=0), "n is 0"),
        (dict(label_noise=0.5), "label_noise is 0.5"),
        (dict(balanced=True), "need a multiple of 2"),
        (dict(frame="polar"), "frame is 'polar'"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(change, message):
    arguments = dict(n=5, label_noise=0.1, seed=0) | change
    with pytest.raises(InputError, match=message):
        Clusters.of(20, PAIR, [1, -1]).sample(**arguments)
