"""Moments of the reduced sample's Gram matrix against Wishart's, in dimensions from 1 to 10^9.

The Gram matrix G of k standard Gaussian vectors of R^p, here samples and directions together, is Wishart(p, I_k). The
mean of each moment over many samples is compared with its exact value, in units of its exact standard error; every
entry by itself, since no two rows of a triangular factor are alike.

False alarms: all comparisons together raise one with probability about 0.001 (Bonferroni). A standardised mean is taken
to follow Pearson's type III law with its skewness, estimated: the normal law's tail is too thin for squares and
determinants. The seeds were fixed before the first look, each dimension has its own.
"""

import functools
import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from benign.data import mixtures

N, M = 3, 2
K = N + M
DIMENSIONS = [1, 2, K, K + 1, 40, 1000, 10**9]  # p - 1 below, at and above k
DRAWS = 2000
FALSE_ALARM = 0.001
SHARE = FALSE_ALARM / 2 / len(DIMENSIONS)  # of one test: there are two in each dimension

#: Values of some entries, shape (draws, entries), with their exact mean and variance.
Moment = tuple[np.ndarray, float, float]


def signal(p: int) -> float:
    """The length of mu for which ||mu||^2 is the standard deviation of a product <z_i, z_k>."""
    return p**0.25


@functools.cache
def draws(p: int) -> np.ndarray:
    """The vectors y_i x_i = mu + y_i z_i of the samples, then the directions w_j, shape (draws, k, q)."""
    first = DIMENSIONS.index(p) * DRAWS
    samples = [mixtures.sample(N, p, signal(p), 0.0, seed, directions=M) for seed in range(first, first + DRAWS)]
    return torch.stack([torch.cat([s.labels.unsqueeze(1) * s.x, s.directions]) for s in samples]).numpy()


def without_signal(p: int) -> np.ndarray:
    vectors = draws(p).copy()
    vectors[:, :N, 0] -= signal(p)
    return vectors


def of_noise(vectors: np.ndarray, p: int) -> dict[str, Moment]:
    """Moments of Wishart(p, I_k)."""
    gram = vectors @ vectors.transpose(0, 2, 1)
    i, j = np.triu_indices(K, 1)
    lengths, products = gram[:, range(K), range(K)], gram[:, i, j]
    a, b, c = np.array(list(itertools.combinations(range(K), 3))).T
    found = {
        "G_ii": (lengths, p, 2 * p),
        "G_ij": (products, 0, p),
        "(G_ii - p)^2": ((lengths - p) ** 2, 2 * p, 8 * p**2 + 48 * p),
        "G_ij^2": (products**2, p, 2 * p**2 + 6 * p),
        "G_ij G_jk": (gram[:, a, b] * gram[:, b, c], 0, p * (p + 2)),
        "G_ij G_jk G_ki": (gram[:, a, b] * gram[:, b, c] * gram[:, c, a], p, p * (p + 2) * (p + 8) - p**2),
    }
    for size in range(2, min(K, p) + 1):
        # E det G = p (p - 1) ... (p - size + 1) and E (det G)^2: det G is a product of chi^2 with these degrees.
        degrees = np.arange(p, p - size, -1.0)
        ratio = np.linalg.det(gram[:, :size, :size] / degrees.prod() ** (1 / size))
        found[f"det G / E det G, {size} vectors"] = (ratio[:, None], 1, np.prod(1 + 2 / degrees) - 1)
    if p >= 40:  # the powers of an inverse have finite means in large dimensions only
        inverse = (p - K - 1) * np.linalg.inv(gram)
        found["G^-1_ii"] = (inverse[:, range(K), range(K)], 1, 2 / (p - K - 3))
        found["G^-1_ij"] = (inverse[:, i, j], 0, (p - K - 1) / (p - K) / (p - K - 3))
    return found


def of_clusters(vectors: np.ndarray, p: int, signal: float) -> dict[str, Moment]:
    """Moments of the products among the samples x_i = y_i mu + z_i, the directions w_j and mu."""
    s2 = signal**2
    x, w = vectors[:, :N], vectors[:, N:]  # y_i x_i and w_j
    i, j = np.triu_indices(N, 1)
    gram = x @ x.transpose(0, 2, 1)
    return {
        "y_i <x_i, mu>": (signal * x[..., 0], s2, s2),
        "<w_j, mu>": (signal * w[..., 0], 0, s2),
        "||x_i||^2": (gram[:, range(N), range(N)], p + s2, 2 * p + 4 * s2),
        "y_i y_k <x_i, x_k>": (gram[:, i, j], s2, p + 2 * s2),
        "y_i <x_i, w_j>": ((x @ w.transpose(0, 2, 1)).reshape(len(x), -1), 0, p + s2),
    }


def rejections(moments: dict[str, Moment]) -> dict[str, float]:
    """The moments that are not what they should be, with the least p-value of their entries."""
    level = SHARE / sum(values.shape[1] for values, _, _ in moments.values())
    least = {}
    for name, (values, mean, variance) in moments.items():
        z = (values.mean(0) - mean) / math.sqrt(variance / len(values))
        law = stats.pearson3(stats.skew(values) / math.sqrt(len(values)))
        least[name] = 2 * np.minimum(law.cdf(z), law.sf(z)).min()
    return {name: p for name, p in least.items() if p <= level}


@pytest.mark.parametrize("p", DIMENSIONS)
def test_moments_are_wisharts(p):
    assert rejections(of_noise(without_signal(p), p)) == {}


@pytest.mark.parametrize("p", DIMENSIONS)
def test_moments_with_a_signal(p):
    assert rejections(of_clusters(draws(p), p, signal(p))) == {}


@pytest.mark.parametrize("p", DIMENSIONS)
def test_the_vectors_span_what_they_can(p):
    assert (np.linalg.matrix_rank(draws(p)) == min(K, p)).all()


@pytest.mark.parametrize("p", DIMENSIONS[1:])
def test_a_wrong_factor_is_found(p):
    vectors = without_signal(p)
    i = np.arange(vectors.shape[2] - 1)
    vectors[:, i, 1 + i] = np.sqrt(p - 1 - i)  # in place of chi with as many degrees of freedom
    assert rejections(of_noise(vectors, p))


@pytest.mark.parametrize("wrong", [39, 41])
def test_a_wrong_dimension_is_found(wrong):
    assert rejections(of_noise(without_signal(40), wrong))


def test_a_wrong_signal_is_found():
    assert rejections(of_clusters(draws(1000), 1000, 1.1 * signal(1000)))
