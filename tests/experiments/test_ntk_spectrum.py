"""The smallest eigenvalue for small samples, against a Rayleigh quotient and the laws of the inputs."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from benign.data import images
from benign.experiments import ntk_spectrum
from benign.experiments.ntk_spectrum import FiniteWidth, Spectrum
from benign.networks import activations, deep
from benign.ntk import analytic

SMALL = Spectrum(n=12, d=20, depth=3, seed=0)
NARROW = FiniteWidth(n=6, d=10, depth=3, width=12, seed=0)


def run(**changes) -> pd.Series:
    (table,) = Spectrum.run([dataclasses.replace(SMALL, **changes)])
    assert len(table) == 1
    return table.iloc[0]


@pytest.mark.parametrize("inputs", ["sphere", "gaussian", "mnist", "mnist-gaussian"])
def test_every_measurement_against_its_definition(inputs):
    changes = {"inputs": inputs} | ({"d": 784} if "mnist" in inputs else {})
    row, x = run(**changes), dataclasses.replace(SMALL, **changes).draw().numpy()
    assert row.index.tolist() == ["smallest", "pair", "closest", "shortest", "seen", "directions"]
    lengths = np.linalg.norm(x, axis=1)
    kernel = analytic.kernel(torch.from_numpy(x), depth=3).numpy()
    values, vectors = np.linalg.eigh(kernel)
    assert row.smallest == pytest.approx(values[0], rel=1e-9)
    bounds, cosines = [], []
    for i, j in itertools.combinations(range(12), 2):
        v = np.zeros(12)
        v[i], v[j] = 0.5**0.5, -(0.5**0.5)
        bounds.append(v @ kernel @ v)
        cosines.append(x[i] @ x[j] / lengths[i] / lengths[j])
    assert row.pair == pytest.approx(min(bounds), rel=1e-9)
    assert row.closest == pytest.approx(max(cosines), rel=1e-9)
    assert row.shortest == pytest.approx(min(lengths**2), rel=1e-9)
    assert row.seen == pytest.approx(vectors[:, 0] ** 2 @ lengths**2, rel=1e-6)
    directions = analytic.kernel(torch.from_numpy(x / lengths[:, None]), depth=3).numpy()
    assert row.directions == pytest.approx(np.linalg.eigvalsh(directions)[0], rel=1e-6)
    assert 0 < row.smallest <= row.pair
    assert row.shortest * row.directions * (1 - 1e-9) <= row.smallest <= max(lengths**2) * row.directions * (1 + 1e-9)


def test_the_laws_of_the_inputs():
    gaussian, sphere = (Spectrum(n=2000, d=30, depth=2, seed=1, inputs=kind).draw() for kind in ("gaussian", "sphere"))
    assert torch.allclose(torch.nn.functional.normalize(gaussian, dim=1), sphere)
    assert torch.allclose(sphere.norm(dim=1), torch.ones(2000).double())
    # 900 entries of variance 1/30 over 2000 points: five standard errors of the second moment, 3 sigma a point
    assert (gaussian.T @ gaussian / 2000 - torch.eye(30) / 30).abs().max() < 5 * 2**0.5 / 30 / 2000**0.5


def test_images_are_unit_vectors_of_the_sample_without_repetition():
    x = Spectrum(n=4000, d=784, depth=2, seed=0, inputs="mnist").draw().numpy()
    pixels = images.load().train_images.reshape(4000, -1).astype(float)
    pixels /= np.linalg.norm(pixels, axis=1, keepdims=True)
    order = [np.lexsort(rows.round(12).T) for rows in (x, pixels)]
    assert np.allclose(x[order[0]], pixels[order[1]])


def test_coarser_images_are_means_of_squares_of_pixels():
    fine = images.load().train_images[:50].astype(float)
    for d, side in ((196, 2), (49, 4)):
        corners = range(0, 28, side)
        expected = np.array([
            [image[i : i + side, j : j + side].mean() for i in corners for j in corners] for image in fine
        ])  # fmt: skip
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        assert np.allclose(ntk_spectrum._digits(d)[:50], expected)
        assert Spectrum(n=30, d=d, depth=2, seed=0, inputs="mnist").draw().shape == (30, d)


def test_the_gaussian_double_of_the_images_has_their_moments():
    mean, root = ntk_spectrum._moments(784)
    x = Spectrum(n=4000, d=784, depth=2, seed=0, inputs="mnist").draw()
    assert torch.allclose(mean, x.mean(0))
    assert torch.allclose(root.T @ root, torch.cov(x.T, correction=0), atol=1e-12)
    double = Spectrum(n=1000, d=784, depth=2, seed=0, inputs="mnist-gaussian").draw()
    assert torch.allclose(double.norm(dim=1), torch.ones(1000).double())
    # The lengths before the division are close to one, so that the mean stays; its entries err by at most 0.01.
    assert (double.mean(0) - mean).abs().max() < 0.02


def network(**changes) -> pd.Series:
    (table,) = FiniteWidth.run([dataclasses.replace(NARROW, **changes)])
    assert len(table) == 1
    return table.iloc[0]


def test_every_measurement_of_networks_against_automatic_differentiation():
    row = network()
    x = Spectrum(n=6, d=10, depth=3, seed=0).draw()  # the same inputs
    weights = [w[0].clone().requires_grad_() for w in deep.initialise((10, 12, 12, 1), [0], activations.relu()).weights]
    scales = (1.0, (2 / 12) ** 0.5, (2 / 12) ** 0.5)
    gradients = []
    for point in x:
        h = point
        for layer, (w, s) in enumerate(zip(weights, scales, strict=True)):
            h = s * (w @ (h.relu() if layer else h))
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(h[0], weights)]))
    found = torch.stack(gradients) @ torch.stack(gradients).T
    limit = analytic.kernel(x, depth=3)
    assert row.index.tolist() == ["smallest", "limit", "difference", "scale"]
    assert row.smallest == pytest.approx(float(torch.linalg.eigvalsh(found)[0]))
    assert row.limit == pytest.approx(float(torch.linalg.eigvalsh(limit)[0]))
    assert row.difference == pytest.approx(float((found - limit).norm() / limit.norm()))
    assert row.scale == pytest.approx(float(found.trace() / limit.trace()))


def test_networks_of_the_same_seed_have_the_same_inputs():
    assert network(width=5).limit == network(width=50).limit != network(seed=1).limit


def test_the_difference_falls_like_the_root_of_the_width():
    """Over 30 seeds the mean has a relative standard error of about 5 per cent: 3 sigma on the ratio is below 0.5."""
    means = [np.mean([network(width=m, seed=s).difference for s in range(30)]) for m in (32, 288)]
    assert means[0] / means[1] == pytest.approx(3, abs=0.7)
