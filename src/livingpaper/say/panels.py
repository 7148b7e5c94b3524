"""The panels of a figure: the letters that name them, and the column in which a telephone shows them.

The column is as wide as a telephone's text. Type keeps its size and a panel its height; its colour bar lies below it,
and so does its legend, where it covers nothing. What is about several panels stands above them all, where a reader
begins. A chapter draws the wide figure and need not know.
"""

import itertools
import math
import string
import textwrap
from collections.abc import Iterable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.offsetbox import VPacker
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox, ScaledTranslation

WIDTH = 342 / 96  # inches; the text of a telephone of 390 pixels
NAME = 1.1  # inches that the name of a row of a map may take
NOTE = 0.6  # inches; a longer text in a panel moves where it is cut, a shorter one makes the panel narrower
SMALLEST = 9.5  # points; the small text of a page
LEAST = 8.3  # points, eleven pixels: what stands on tiles, side by side
MARGIN, GAP, BAR = 0.06, 0.14, 0.12  # inches around all, between things, and across a colour bar
_NO_BREAK = "\u00a0"


def of(figure: Figure) -> list[list[Axes]]:
    """The panels in reading order; axes that lie over one another are one panel."""
    found: dict[tuple[float, float], list[Axes]] = {}
    for axes in figure.axes:
        if axes.get_visible() and not _is_bar(axes):
            place = axes.get_position(original=True)
            found.setdefault((round(-place.y1, 2), round(place.x0, 2)), []).append(axes)
    return [found[place] for place in sorted(found)]


def letter(figure: Figure) -> list[str]:
    """Name the panels a, b, ..., if there are several, above the numbers of their vertical axes; the names."""
    panels = of(figure)
    names = list(string.ascii_lowercase[: len(panels)]) if len(panels) > 1 else []
    for name, (axes, *_) in zip(names, panels, strict=False):
        at = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
        axes.annotate(name, (0, 1), (-6, 6), ha="right", fontsize=12, fontweight="bold", **at)
    return names


def stack(figure: Figure) -> None:
    """Lay the panels of a drawn figure, whose layout engine is gone, into one column."""
    panels = of(figure)
    shapes = [(axes.bbox.height / figure.dpi, axes.bbox.height / axes.bbox.width) for axes, *_ in panels]
    every = [*itertools.chain(*panels)]
    bars = dict(_laid_down(axes) for axes in figure.axes if _is_bar(axes))
    legends = {axes: legend for axes in every if (legend := axes.get_legend())}
    above = [*figure.legends, *_about_all(legends, every)]
    inside = {axes: [text for text in axes.texts if _within(_extent(text), _box(axes))] for axes in every}
    for text in itertools.chain(*inside.values()):
        text.set_in_layout(False)  # words in a panel take no room beside it
    for axes in every:
        _tell(axes)
    _share_out(figure, every)
    for text in figure.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), SMALLEST))

    # in any place of about the right size, to see how much room what is around each takes
    figure.set_size_inches(WIDTH, 8)
    for panel, (height, ratio) in zip(panels, shapes, strict=True):
        for axes in panel:
            tall = height if axes.get_aspect() == "auto" else 0.73 * WIDTH * ratio
            axes.set_position((0.22, 0.2, 0.73, tall / 8))
    for axes in bars:
        axes.set(position=(0.22, 0.2, 0.73, BAR / 8), box_aspect=None)
    for axes in every:
        for text in list(inside[axes]):
            if _extent(text).x1 > _box(axes).x1 and _extent(text).width < NOTE:
                inside[axes].remove(text)
                text.set_in_layout(True)
        names = axes.get_yticklabels()
        if any([_wrap(name, NAME) for name in names]):
            axes.set_yticks(axes.get_yticks(), [name.get_text() for name in names])
        _thin(axes)
    for legend in [*figure.legends, *legends.values()]:
        _fit(legend)
        legend.set_in_layout(False)
    sides = [_around(panel) for panel in panels]
    for bar in bars:
        _wrap(bar.xaxis.label, WIDTH - 1)
    around = {bar: _around([bar]) for bar in bars}
    every_side = [*sides, *around.values()]
    left, right = (MARGIN + max(side[end] for side in every_side) for end in (0, 2))
    width = WIDTH - left - right
    for at, panel in enumerate(panels):
        room = width + 2 * min(left, right) - 2 * MARGIN
        if any([_wrap(text, room) for axes in panel for text in (axes.title, axes.xaxis.label)]):
            sides[at] = _around(panel)

    # From the top down, in inches: what is about all panels, then each with what is its own.
    y = MARGIN
    places: dict[Artist, tuple[float, float]] = {}  # top and height

    def put(thing: Artist, height: float, above: float = 0, below: float = 0) -> None:
        nonlocal y
        places[thing] = y + above, height
        y += above + height + below

    title = figure._suptitle
    if title:
        _wrap(title, WIDTH - 2 * MARGIN)
        put(title, _extent(title).height, below=GAP)
    for legend in above:
        put(legend, _extent(legend).height, below=GAP)
    for bar, parents in bars.items():
        if len(parents) > 1:
            put(bar, BAR, below=around[bar][1] + GAP)
    for (axes, *others), side, (height, ratio) in zip(panels, sides, shapes, strict=True):
        put(axes, height if axes.get_aspect() == "auto" else width * ratio, side[3], side[1])
        places |= dict.fromkeys(others, places[axes])
        for bar, parents in bars.items():
            if parents == [axes]:
                put(bar, BAR, GAP, around[bar][1])
        for one in (axes, *others):
            if one in legends and legends[one] not in above:
                put(legends[one], _extent(legends[one]).height, above=GAP / 2)
        y += GAP

    total = y - GAP + MARGIN
    figure.set_size_inches(WIDTH, total)
    for thing, (top, height) in places.items():
        if isinstance(thing, Axes):
            thing.set_position((left / WIDTH, 1 - (top + height) / total, width / WIDTH, height / total))
        elif isinstance(thing, Text):
            thing.set(va="top", position=(0.5, 1 - top / total))
        else:
            thing.borderaxespad = 0
            thing.set_loc("upper center")
            thing.set_bbox_to_anchor((0.5, 1 - top / total), transform=figure.transFigure)
    for axes in every:
        _thin(axes)
        _apart(inside[axes])
        for text in inside[axes]:
            _keep(text, _box(axes).x0, WIDTH - MARGIN)


def _is_bar(axes: Axes) -> bool:
    return hasattr(axes, "_colorbar_info")


def _laid_down(axes: Axes) -> tuple[Axes, list[Axes]]:
    """A colour bar that lies, in the place of one that stands, for beside the panels it would make them narrower; and
    the panels that it is about."""
    bar, parents = axes._colorbar, axes._colorbar_info["parents"]
    if bar.orientation == "vertical":
        axis, figure, mappable, small = bar.long_axis, axes.figure, bar.mappable, len(bar.minorlocator())
        looks = {"orientation": "horizontal", "extend": bar.extend, "label": axis.get_label_text()}
        told = {tick: label.get_text() for tick, label in zip(bar.get_ticks(), axis.get_ticklabels(), strict=True)}
        low, high = sorted(axis.get_view_interval())  # a tick beyond them would move them
        told = {tick: text for tick, text in told.items() if low <= tick <= high}
        bar.remove()
        axes = figure.add_axes((0.22, 0.2, 0.73, 0.6))
        bar = figure.colorbar(mappable, cax=axes, **looks)
        bar.set_ticks([*told], labels=[*told.values()])
        if not small:
            bar.minorticks_off()
    return axes, parents


def _about_all(legends: dict[Axes, Legend], every: Iterable[Axes]) -> list[Legend]:
    """The only legend in a panel of a figure, if another panel shares an axis or shows the like of what it names."""
    if len(legends) != 1:
        return []
    ((axes, legend),) = legends.items()
    others = [one for one in every if one is not axes]
    alike = _colours(legend.legend_handles) & _colours(
        itertools.chain(*([*one.lines, *one.collections, *one.patches] for one in others))
    )
    shared = any(
        group.joined(axes, one) for group in (axes.get_shared_x_axes(), axes.get_shared_y_axes()) for one in others
    )
    return [legend] if alike or shared else []


def _colours(artists: Iterable[Artist]) -> set[str]:
    """The colours of lines, points and bars, but for greys, which frames and references have too."""
    found: set[str] = set()
    for artist in artists:
        for name in ("color", "facecolor", "edgecolor", "markerfacecolor"):
            if hasattr(artist, f"get_{name}"):
                found |= {to_hex(colour) for colour in to_rgba_array(getattr(artist, f"get_{name}")())}
    return {colour for colour in found if len({colour[1:3], colour[3:5], colour[5:]}) > 1}


def _tell(axes: Axes) -> None:
    """Give a panel the labels that it left to another one of its row or column, with which it shares an axis."""
    for which, place, side in (("x", "x0", "labelbottom"), ("y", "y0", "labelleft")):

        def distance(other: Axes, place: str = place) -> float:
            here, there = axes.get_position(original=True), other.get_position(original=True)
            return abs(getattr(here, place) - getattr(there, place))

        siblings = sorted(getattr(axes, f"get_shared_{which}_axes")().get_siblings(axes), key=distance)
        axis, *others = [getattr(one, f"{which}axis") for one in (axes, *siblings)]
        told = [other.get_label_text() for other in (axis, *others) if other.label.get_visible()]
        axis.set_label_text(next(filter(None, told), ""), visible=True)
        if any(other.get_tick_params().get(side, True) for other in others):
            axes.tick_params(axis=which, which="both", **{side: True})


def _share_out(figure: Figure, every: list[Axes]) -> None:
    """Give each panel what the figure, or its first panel, says for all of them: labels, and the names of rows."""
    for which in ("x", "y"):
        label = getattr(figure, f"_sup{which}label")
        if label is not None:
            for axes in every:
                axes.set(**{f"{which}label": getattr(axes, f"get_{which}label")() or label.get_text()})
            label.set_visible(False)
    rows, names = every[0].get_yticks(), [name.get_text() for name in every[0].get_yticklabels()]
    for axes in every[1:]:
        if np.array_equal(axes.get_yticks(), rows) and not any(name.get_text() for name in axes.get_yticklabels()):
            axes.set_yticks(rows, names)


def _around(panel: Iterable[Axes]) -> np.ndarray:
    """How far what belongs to a panel reaches beyond its axes: left, below, right and above, in inches."""
    beyond = []
    for axes in panel:
        inner, outer = axes.bbox, axes.get_tightbbox(for_layout_only=True)
        beyond.append(np.maximum([*(inner.p0 - outer.p0), *(outer.p1 - inner.p1)], 0) / axes.figure.dpi)
    return np.max(beyond, axis=0)


def _box(axes: Axes) -> Bbox:
    return axes.bbox.transformed(axes.figure.dpi_scale_trans.inverted())


def _within(extent: Bbox, box: Bbox) -> bool:
    return extent.overlaps(box) and box.x0 - GAP < extent.x0 and extent.x1 < box.x1 + GAP


def _extent(artist: Text | Legend) -> Bbox:
    """The room that a text takes, in inches, without its arrow: measured anew, for its last pen was a file's."""
    renderer = artist.figure._get_renderer()
    if isinstance(artist, Annotation):
        artist.update_positions(renderer)
    kind = Text if isinstance(artist, Text) else Legend
    return kind.get_window_extent(artist, renderer).transformed(artist.figure.dpi_scale_trans.inverted())


def _keep(text: Text, left: float, right: float) -> None:
    """Move a text sideways until it lies between two places, in inches; broken into lines, it need not move far."""
    extent = _extent(text)
    if extent.x0 < left or extent.x1 > right:
        _wrap(text, max(min(extent.x1, right) - max(extent.x0, left), 0.4 * (right - left)))
        extent = _extent(text)
    aside = max(left - extent.x0, 0) or min(right - extent.x1, 0)
    if aside and isinstance(text, Annotation):
        if text.anncoords == "offset points":
            text.xyann = text.xyann[0] + 72 * aside, text.xyann[1]
    elif aside:
        text.set_transform(text.get_transform() + ScaledTranslation(aside, 0, text.figure.dpi_scale_trans))


def _apart(texts: list[Text]) -> None:
    """Write what stands side by side in a panel, as on its tiles, as small as it may be if it would touch."""
    boxes = sorted((_extent(text) for text in texts), key=lambda box: (round(box.y0, 2), box.x0))
    if any(
        left.y0 < right.y1 and right.y0 < left.y1 and right.x0 < left.x1 for left, right in itertools.pairwise(boxes)
    ):
        for text in texts:
            text.set_fontsize(LEAST)


def _wrap(text: Text, width: float) -> bool:
    """Break a text into lines that are not wider than that, at no space within a formula; whether it was wider."""
    parts = text.get_text().split("$")
    parts[1::2] = [part.replace(" ", _NO_BREAK) for part in parts[1::2]]
    words = "$".join(parts).replace(" = ", f"{_NO_BREAK}={_NO_BREAK}")
    longest = len(words)
    while (extent := _extent(text).width) > width and longest > 8:
        longest = min(longest - 1, math.ceil(longest * width / extent))
        lines = textwrap.wrap(words, longest, break_long_words=False)
        text.set_text("\n".join(lines).replace(_NO_BREAK, " "))
    return longest < len(words)


def _fit(legend: Legend) -> None:
    """Give a legend as many columns as fit."""
    for text in legend.get_texts():
        _wrap(text, WIDTH - 0.7)
    renderer = legend.figure._get_renderer()
    columns = legend.get_children()[0].get_children()[1]
    old = columns.get_children()
    items = [item for column in old for item in column.get_children()]
    sep = renderer.points_to_pixels(columns.sep)
    widest = max(item.get_bbox(renderer).width for item in items)
    room = legend.figure.dpi * (WIDTH - 4 * MARGIN)
    rows = math.ceil(len(items) / max(1, int((room + sep) // (widest + sep))))
    looks = {"pad": 0, "sep": old[0].sep, "align": old[0].align}
    columns._children = [VPacker(children=items[first : first + rows], **looks) for first in range(0, len(items), rows)]
    columns.set_figure(legend.figure)


def _thin(axes: Axes) -> None:
    """Leave numbers of the horizontal axis out where they touch: those between the ticks first, then every second."""
    axes.xaxis.get_tightbbox()  # puts the ticks where they are to be
    major, minor = (
        [tick.label1 for tick in ticks if tick.label1.get_visible() and tick.label1.get_text()]
        for ticks in (axes.xaxis.get_major_ticks(), axes.xaxis.get_minor_ticks())
    )
    ends = sorted((_extent(label) for label in major + minor if not label.get_rotation()), key=lambda box: box.x0)
    if any(right.x0 < left.x1 + MARGIN for left, right in itertools.pairwise(ends)):
        for label in minor or major[1::2]:
            label.set_visible(False)
