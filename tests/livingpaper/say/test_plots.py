"""A line over seeds is their mean, its band their range; a logarithmic axis has plain numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from livingpaper.say import plots

RUNS = pd.DataFrame({"width": [1, 1, 1, 4, 4, 4], "seed": [0, 1, 2] * 2, "error": [1.0, 2.0, 6.0, 0.0, 3.0, 3.0]})


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_a_line_is_the_mean_over_seeds_and_its_band_their_range(axes):
    axes.set(xlabel="width m", ylabel="")
    plots.seed_line(axes, RUNS, "width", "error", color="k", label="errors")
    (line,) = axes.get_lines()
    assert line.get_label() == "errors" and axes.get_legend() is None
    np.testing.assert_allclose(line.get_xydata(), [[1, 3], [4, 2]])
    corners = axes.collections[0].get_paths()[0].vertices
    for x, low, high in ((1, 1, 6), (4, 0, 3)):
        heights = corners[corners[:, 0] == x, 1]
        assert (heights.min(), heights.max()) == (low, high)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("width m", "")


def test_a_logarithmic_axis_has_the_values_themselves_as_ticks(axes):
    plots.plain_log_axis(axes, [16, 0.5], "n/d", names=None)
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["16", "0.5"]
    assert len(axes.xaxis.get_minorticklocs()) == 0
    plots.plain_log_axis(axes, [16, 0.5], "n/d", names=["16", "1/2"])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["16", "1/2"]
