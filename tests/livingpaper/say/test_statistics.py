"""The one of several settings' means that a claim is about."""

import numpy as np
import pandas as pd
import pytest

from livingpaper.say import statistics

RATIOS = np.array([[0.7, 1.3, 1.0], [0.9, 1.1, 1.1]])  # the means are 0.8, 1.2 and 1.05


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("least", 0.8), ("most", 1.2), ("largest_deviation", 0.2), ("largest_factor", 1.25), ("farthest", 0.8)],
)
def test_the_one_of_the_means_that_counts(statistic, value):
    assert getattr(statistics, statistic)(RATIOS) == pytest.approx(value)


def test_a_row_a_seed_and_a_column_a_setting():
    runs = pd.DataFrame({"seed": [1, 0, 0, 1, 1], "n": [9, 3, 9, 3, 3], "error": [0.4, 0.1, 0.2, 0.3, 0.5]})
    table = statistics.by_seed(runs, "n", "error")
    assert (list(table.index), list(table.columns)) == ([0, 1], [3, 9])
    assert table.to_numpy() == pytest.approx(np.array([[0.1, 0.2], [0.4, 0.4]]))
