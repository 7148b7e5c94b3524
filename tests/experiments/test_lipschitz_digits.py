"""Interpolators of pairs of digits."""

from benign.data import images
from benign.experiments.interpolators import DigitInterpolator, fit
from benign.measure import lipschitz

SMALL = DigitInterpolator(negative=3, positive=8, n=24, label_noise=0.125, seed=0, width=32)


def test_the_table():
    (table,) = DigitInterpolator.run([SMALL])
    (row,) = table.itertuples()
    p = images.problem(images.load(), (3, 8), 24, label_noise=0.125, seed=0)
    _, (network,) = fit([SMALL], [p.x], [p.labels])
    assert row.training_error == float((p.labels * network(p.x)[0] <= 0).double().mean()) == 0
    assert row.test_error == float((p.labels_test * network(p.x_test)[0] <= 0).double().mean())
    assert 0.02 < row.test_error < 0.5
    assert row.at_data == float(lipschitz.at(network, p.x))
    assert row.at_data < row.lower < row.upper
