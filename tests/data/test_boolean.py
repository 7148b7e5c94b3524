"""Boolean rare-weak data: the law of each coordinate, and blocks that do not depend on how many follow."""

import numpy as np
import pytest
from scipy import stats

from benign.data import boolean
from benign.data.boolean import BLOCK


def whole(n=400, p=2 * BLOCK + 5, relevant=300, edge=0.2, seed=3):
    """The slow twin: all coordinates at once."""
    return np.hstack(list(boolean.blocks(n, p, relevant, edge, seed)))


def test_the_law():
    x = whole()
    assert x.shape == (400, 2 * BLOCK + 5)
    assert set(np.unique(x)) == {-1, 1}
    for columns, chance in ((x[:, :300], 0.7), (x[:, 300:], 0.5)):
        assert stats.binomtest(int((columns > 0).sum()), columns.size, chance).pvalue > 1e-3
    # independent: off the diagonal, the mean square of inner products of the fair part is its number of coordinates
    fair = x[:, 300:]
    products = (fair @ fair.T)[np.triu_indices(400, 1)]
    assert np.mean(products**2) / fair.shape[1] == pytest.approx(1, abs=0.03)


def test_more_coordinates_begin_with_the_same():
    assert np.array_equal(whole()[:, : BLOCK + 7], whole(p=BLOCK + 7))
    assert not np.array_equal(whole(), whole(seed=4))
    assert (whole(edge=0.5)[:, :300] == 1).all()
