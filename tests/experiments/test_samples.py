"""Two clusters on the unit sphere."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import norm

from benign.experiments.infinite_width import InfiniteWidth
from benign.experiments.samples import DigitPair
from benign.experiments.separation import Separation

SMALL = InfiniteWidth(n=40, d=60, separation=1.5, label_noise=0.1, seed=0, test_points=4000)


def test_inputs_have_unit_length_and_some_labels_are_wrong():
    x, labels, clean = SMALL.sample()
    assert x.shape == (40, 60)
    torch.testing.assert_close(x.norm(dim=1), torch.ones(40, dtype=torch.float64))
    assert (labels != clean).sum() == 4


def test_the_bayes_error_is_the_normal_tail_of_the_separation():
    x, y = SMALL.fresh()
    assert x.shape == (4000, 60)
    torch.testing.assert_close(x.norm(dim=1), torch.ones(4000, dtype=torch.float64))
    # The direction of mu is known to the Bayes rule. False alarm beyond four standard deviations: 6e-5.
    p = norm.sf(1.5)
    assert float((y * x[:, 0] <= 0).double().mean()) == pytest.approx(p, abs=4 * (p * (1 - p) / 4000) ** 0.5)


def test_labels_can_be_balanced_and_wrong_ones_too():
    def sums(**options):
        samples = (dataclasses.replace(SMALL, seed=seed, **options).sample() for seed in range(20))
        return np.array([[float(part.sum()) for part in (labels, clean)] for _, labels, clean in samples])

    assert not sums(balanced=True).any()
    labels, clean = sums(balanced=True, balanced_noise=False).T
    assert not clean.any() and labels.any()
    labels, clean = sums().T
    assert labels.any() and clean.any()


def test_wrong_labels_of_images_can_be_balanced():
    runs = [Separation(negative=3, positive=8, n=20, label_noise=0.2, seed=seed) for seed in range(8)]
    balanced = [dataclasses.replace(run, balanced=True) for run in runs]
    sums = [[float(p.labels.sum()) for p in DigitPair.problems(batch)] for batch in (runs, balanced)]
    assert any(sums[0]) and not any(sums[1])
