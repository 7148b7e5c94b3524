"""Small deep networks on pairs of digits."""

import torch

from benign.data import images
from benign.experiments.deep_classification import DeepDigits
from benign.experiments.deep_training import fit
from benign.experiments.separation import Separation

SMALL = DeepDigits(negative=3, positive=8, n=40, label_noise=0.2, seed=0, width=24)


def test_the_table():
    (table,) = DeepDigits.run([SMALL])
    (row,) = table.itertuples()
    assert row.loss <= 0.05
    assert row.training_error == row.training_error_flipped == 0
    p = Separation(negative=3, positive=8, n=40, label_noise=0.2, seed=0).problem(images.load())
    _, (network,), _ = fit([SMALL], 24, [p.x], [p.labels])
    assert row.test_error == float((p.labels_test * network(p.x_test)[0] <= 0).double().mean())
    assert 0.05 < row.test_error < 0.5
    assert torch.equal(p.x.norm(dim=1).round(decimals=12), torch.ones(40, dtype=torch.float64))
