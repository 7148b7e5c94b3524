"""Two clusters on the unit sphere."""

import pytest
import torch
from scipy.stats import norm

from benign.experiments.infinite_width import InfiniteWidth

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
