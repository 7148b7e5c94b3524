"""Lines over seeds: the line is the mean, the band is all seeds, and no two lines look alike."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from livingpaper.say import plots, style
from livingpaper.say.intervals import interval


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


@pytest.fixture
def runs():
    rng = np.random.default_rng(0)
    rows = [(x, seed, kind) for x in (1, 10, 100) for seed in range(5) for kind in ("a", "b")]
    return pd.DataFrame(rows, columns=["x", "seed", "kind"]).assign(y=rng.standard_normal(len(rows)))


def test_a_line_is_the_mean_and_its_band_is_all_seeds(axes, runs):
    plots.seed_lines(axes, runs, "x", "y", "kind")
    for kind, line, band in zip(("a", "b"), axes.get_lines(), axes.collections, strict=True):
        seeds = runs[runs.kind == kind].groupby("x").y
        np.testing.assert_allclose(line.get_ydata(), seeds.mean())
        corners = pd.DataFrame(band.get_paths()[0].vertices, columns=["x", "y"]).groupby("x").y
        np.testing.assert_allclose(corners.min(), seeds.min())
        np.testing.assert_allclose(corners.max(), seeds.max())


def test_the_band_is_the_same_every_time(axes, runs):
    plots.seed_lines(axes, runs, "x", "y", "kind", ["a"])
    plots.seed_lines(axes, runs, "x", "y", "kind", ["a"])
    first, second = (band.get_paths()[0].vertices for band in axes.collections)
    np.testing.assert_array_equal(first, second)


def test_lines_differ_in_colour_dashes_and_markers_and_follow_the_order(axes, runs):
    plots.seed_lines(axes, runs, "x", "y", "kind", ["b", "a"], markers=True)
    lines = axes.get_lines()
    assert [line.get_label() for line in lines] == ["b", "a"]
    assert [line.get_color() for line in lines] == list(style.PALETTE[:2])
    assert [line.get_marker() for line in lines] == list(style.MARKERS[:2])
    assert lines[0].get_linestyle() != lines[1].get_linestyle()


def test_a_reference_line_lies_where_it_is_asked_and_looks_like_no_line_of_data(axes, runs):
    plots.seed_lines(axes, runs, "x", "y", "kind")
    plots.reference_line(axes, 0.25, linewidth=1.5)
    *data, line = axes.get_lines()
    assert set(line.get_ydata()) == {0.25}
    assert line.get_linewidth() == 1.5
    assert all(line._unscaled_dash_pattern != other._unscaled_dash_pattern for other in data)


def test_a_bar_is_the_interval_of_the_claims(axes, runs):
    plots.seed_bars(axes, runs[runs.kind == "a"], "x", "y")
    (container,) = axes.containers
    line, _, (bars,) = container
    for mean, segment, (_, values) in zip(
        line.get_ydata(), bars.get_segments(), runs[runs.kind == "a"].groupby("x").y, strict=True
    ):
        assert mean == pytest.approx(values.mean())
        np.testing.assert_allclose(segment[:, 1], interval(values.to_numpy()))


def test_a_tile_shows_the_mean_and_a_cross_where_it_is_positive(axes):
    table = pd.DataFrame({"a": [1, 10, 10, 1], "b": [5, 5, 5, 7], "share": [0.0, 0.0, 1.0, 0.0]})
    image = plots.tiles(axes, table, "a", "b", "share")
    np.testing.assert_array_equal(image.get_array().filled(np.nan), [[0, 0.5], [0, np.nan]])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "10"]
    plots.crosses(axes, table, "a", "b", "share")
    assert [text.get_position() for text in axes.texts] == [(1, 0)]


def test_a_line_on_tiles_runs_as_on_logarithmic_axes_or_on_linear_ones_from_zero(axes):
    np.testing.assert_allclose(plots.on_tiles([1, 10, 100, 1000], [1, 100]), [0, 0.5, 1, np.nan])
    np.testing.assert_allclose(plots.on_tiles([0.05, 0.1, 0.5], [0, 0.1]), [0.5, 1, np.nan])
    plots.line_on_tiles(axes, [10, 10], [0, 0.1], [1, 100], [0, 0.1])
    np.testing.assert_allclose(axes.get_lines()[0].get_xydata(), [[0.5, 0], [0.5, 1]])


def test_points_are_the_means_with_bars_over_all_seeds_and_keep_their_looks_when_another_has_no_rows(axes, runs):
    plots.seed_points(axes, runs, "x", "y", "kind", ["absent", "b", "a"])
    assert [points.get_label() for points in axes.containers] == ["b", "a"]
    for kind, look, points in zip(("b", "a"), (1, 2), axes.containers, strict=True):
        seeds = runs[runs.kind == kind].groupby("x").y
        middle, _, (bars,) = points
        np.testing.assert_allclose(middle.get_ydata(orig=False), seeds.mean())
        assert (middle.get_color(), middle.get_marker()) == (style.PALETTE[look], style.MARKERS[look])
        ends = [bar[:, 1] for bar in bars.get_segments()]
        np.testing.assert_allclose(ends, np.column_stack([seeds.min(), seeds.max()]))


def test_a_line_that_no_row_is_of_leaves_its_looks_free(axes, runs):
    plots.seed_lines(axes, runs, "x", "y", "kind", ["absent", "b"])
    (line,) = axes.get_lines()
    assert (line.get_label(), line.get_color()) == ("b", style.PALETTE[1])


def test_lines_without_bands_can_stand_for_what_theory_says(axes, runs):
    plots.seed_lines(axes, runs, "x", "y", "kind", errorbar=None, linestyle="-", label="_theory")
    assert not axes.collections
    assert {line.get_linestyle() for line in axes.get_lines()} == {"-"}
    assert {line.get_label() for line in axes.get_lines()} == {"_theory"}


def test_a_logarithmic_axis_has_the_ticks_that_are_asked_for_and_no_others(axes):
    axes.plot([1, 30], [0.1, 3])
    plots.log_ticks(axes, "y", [0.25, 2], lambda value: f"{value:.0%}")
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["25%", "200%"]
    assert not len(axes.yaxis.get_minorticklocs())
