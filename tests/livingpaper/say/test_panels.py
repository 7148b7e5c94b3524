"""Panels: lettered, and below one another for a telephone, where nothing is lost, cut or covered."""

import io
import itertools

import matplotlib.figure
import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

from livingpaper.say import panels, style

LONG = "a title that is longer than a telephone is wide, with $x = 1$ in it"


@pytest.fixture(autouse=True)
def looks():
    with plt.rc_context(style.RC):
        yield


def a_picture(rows=2, columns=2, **options):
    picture = matplotlib.figure.Figure(figsize=style.WIDE)
    grid = picture.subplots(rows, columns, squeeze=False, **options)
    for axes in grid.flat:
        for k in range(3):
            axes.plot([1, 2], [k, 9 + k], label=f"line {k}")
        axes.set_title(LONG)
    return picture, grid


def drawn(picture):
    """As ``say.figure`` leaves it when the wide files are written."""
    picture.draw_without_rendering()
    picture.set_layout_engine(None)
    picture.savefig(io.StringIO(), format="svg")
    return picture


def stacked(picture):
    panels.stack(drawn(picture))
    picture.draw_without_rendering()
    sheet, seen = picture.bbox, picture.get_tightbbox().transformed(picture.dpi_scale_trans)
    assert sheet.width == pytest.approx(panels.WIDTH * picture.dpi)
    assert sheet.x0 <= seen.x0 and seen.x1 <= sheet.x1 and sheet.y0 <= seen.y0 and seen.y1 <= sheet.y1, (sheet, seen)
    return picture


def boxes(picture):
    return [axes.get_tightbbox() for axes in picture.axes] + [legend.get_window_extent() for legend in legends(picture)]


def legends(picture):
    return [*picture.legends, *filter(None, (axes.get_legend() for axes in picture.axes))]


def meet(one, other):
    return one.padded(-1).overlaps(other.padded(-1))


def test_several_panels_are_lettered_in_reading_order_and_colour_bars_are_none():
    picture, grid = a_picture()
    picture.colorbar(grid[0, 1].scatter([1], [1], c=[1]), ax=grid[0, 1])
    panels.letter(picture)
    drawn(picture)
    assert [[text.get_text() for text in axes.texts] for axes in grid.flat] == [["a"], ["b"], ["c"], ["d"]]
    for axes in grid.flat:
        (letter,) = axes.texts
        others = [axes.bbox, *(label.get_window_extent() for label in axes.get_yticklabels())]
        assert not any(letter.get_window_extent().overlaps(other) for other in others)


def test_a_single_panel_has_no_letter():
    picture, ((axes,),) = a_picture(1, 1)
    axes.twinx()
    panels.letter(picture)
    assert not axes.texts and len(panels.of(picture)) == 1


@pytest.mark.parametrize("share", [True, False])
def test_panels_stand_in_one_column_with_all_that_is_theirs(share):
    picture, grid = a_picture(sharex=share, sharey=share)
    for axes in grid[:, 0]:
        axes.set_ylabel("error")
    for axes in grid[1]:
        axes.set_xlabel("time")
    picture.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    grid[0, 1].legend(loc="upper left")
    heights = [axes.bbox.height for axes in drawn(picture).axes]
    picture = stacked(picture)
    tops = [axes.bbox.y1 for axes in grid.flat]
    assert tops == sorted(tops, reverse=True) and len({axes.bbox.x0 for axes in grid.flat}) == 1
    assert [axes.bbox.height for axes in grid.flat] == pytest.approx(heights)
    # nothing covers anything: neither a panel another one, nor a legend any of them
    assert not any(meet(one, other) for one, other in itertools.combinations(boxes(picture), 2))
    assert len(legends(picture)) == 2
    if share:
        for axes in grid.flat:
            assert (axes.get_xlabel(), axes.get_ylabel()) == ("time", "error")
            assert all(any(label.get_visible() for label in labels)
                       for labels in (axes.get_xticklabels(), axes.get_yticklabels()))  # fmt: skip
    assert all("$x = 1$" in axes.get_title() and "\n" in axes.get_title() for axes in grid.flat)


@pytest.mark.parametrize("location", ["right", "bottom"])
@pytest.mark.parametrize("shared", [True, False])
def test_a_colour_bar_lies_below_its_panel_or_above_all(location, shared):
    picture, grid = a_picture(1, 2)
    picture.suptitle(LONG)
    points = grid[0, 0].scatter([1, 2], [1, 2], c=[0, 1])
    bar = picture.colorbar(points, ax=grid if shared else grid[0, 0], location=location, label="error")
    bar.set_ticks([0.25, 0.5], labels=["low", "high"])
    picture = stacked(picture)
    first, last = grid[0, 0].bbox, grid[0, 1].bbox
    bar = picture.axes[-1]
    assert len(picture.axes) == 3 and bar.bbox.width == pytest.approx(first.width)
    assert bar.get_xlabel() == "error" and [label.get_text() for label in bar.get_xticklabels()] == ["low", "high"]
    if shared:  # where a reader begins
        assert bar.bbox.y0 > first.y1
    else:
        assert bar.bbox.y1 < first.y0 and bar.bbox.y0 > last.y1
    assert not any(meet(one, other) for one, other in itertools.combinations(boxes(picture), 2))


def test_a_legend_of_panels_with_one_axis_stands_above_them():
    picture, grid = a_picture(1, 2, sharey=True)
    grid[0, 0].legend(grid[0, 0].lines[:1], ["a line"])
    for line in grid[0, 1].lines:
        line.set_color("#777777")
    picture = stacked(picture)
    assert grid[0, 0].get_legend().get_window_extent().y0 > grid[0, 0].bbox.y1


def test_what_is_said_once_for_all_panels_is_said_at_each():
    picture, grid = a_picture(1, 2)
    picture.supylabel("of both")
    grid[0, 0].set_yticks([2, 8], ["one", "another"])
    grid[0, 1].set_yticks([2, 8], ["", ""])
    stacked(picture)
    for axes in grid.flat:
        assert axes.get_ylabel() == "of both" and axes.get_yticklabels()[1].get_text() == "another"


def test_numbers_on_tiles_do_not_touch():
    picture, ((axes,),) = a_picture(1, 1)
    tiles = [axes.text(1 + k / 13, 2, ".99", ha="center") for k in range(13)]
    stacked(picture)
    ends = [text.get_window_extent() for text in tiles]
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(ends))
    assert min(text.get_fontsize() for text in tiles) == panels.LEAST


def test_a_short_word_at_the_end_of_a_line_stays_there():
    picture, ((axes,),) = a_picture(1, 1)
    text = axes.text(2.04, 5, "s = 0.5")
    stacked(picture)
    assert text.get_window_extent().x0 >= axes.transData.transform((2, 5))[0]


@pytest.mark.parametrize("alike", [True, False])
def test_a_legend_that_names_what_all_panels_show_stands_above_them(alike):
    picture, grid = a_picture(1, 2)
    grid[0, 0].legend()
    if not alike:  # nothing of what the legend names is in the other panel
        for line in grid[0, 1].lines:
            line.set_color("#777777")
    picture = stacked(picture)
    legend = grid[0, 0].get_legend().get_window_extent()
    assert bool(legend.y0 > grid[0, 0].bbox.y1) is alike
    assert bool(legend.y1 < grid[0, 0].bbox.y0) is not alike
    assert not any(meet(one, other) for one, other in itertools.combinations(boxes(picture), 2))


def test_a_legend_gets_the_columns_that_fit():
    picture, ((axes,),) = a_picture(1, 1)
    axes.legend([f"a name of some length, {k}" for k in range(3)], ncols=3)
    picture = stacked(picture)
    texts = axes.get_legend().get_texts()
    assert [text.get_text() for text in texts] == [f"a name of some length, {k}" for k in range(3)]
    ends = [text.get_window_extent() for text in texts]  # of three, two do not fit side by side
    assert len({round(end.x0) for end in ends}) == 1 and ends[0].y0 > ends[1].y0 > ends[2].y0


def test_long_names_of_rows_break():
    picture, ((axes,),) = a_picture(1, 1)
    axes.set_yticks([2, 8], ["every neuron is active at last", "short"])
    stacked(picture)
    assert "\n" in axes.get_yticklabels()[0].get_text() and axes.bbox.width > 0.6 * picture.bbox.width


def test_numbers_of_an_axis_do_not_touch():
    picture, ((axes,),) = a_picture(1, 1)
    axes.set_xticks([1 + k / 12 for k in range(13)], [f"{k}000" for k in range(13)])
    stacked(picture)
    shown = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_visible()]
    assert len(shown) >= 4 and all(left.x1 < right.x0 for left, right in itertools.pairwise(shown))


def test_letters_are_not_smaller_than_a_pages_small_text():
    picture, ((axes,),) = a_picture(1, 1)
    axes.text(1, 1, "small", fontsize=6)
    assert min(text.get_fontsize() for text in stacked(picture).findobj(Text)) >= panels.SMALLEST


def test_words_in_a_panel_stay_on_the_sheet_and_take_no_room_beside_it():
    picture, ((axes,),) = a_picture(1, 1)
    axes.text(1.6, 5, "some words that need much room")
    axes.annotate("more of them, aside", (1.2, 2), (-60, 0), textcoords="offset points")
    stacked(picture)
    assert axes.bbox.width > 0.8 * picture.bbox.width
    assert all(axes.bbox.x0 - 1 < text.get_window_extent().x0 for text in axes.texts)
