"""Kinds of pictures that several chapters draw: seaborn's, with the book's palette, dashes and bands.

Nothing here draws random numbers: a band is what the seeds span, never a bootstrap sample of them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke

from livingpaper.say import style
from livingpaper.say.intervals import interval as interval_of

ALL_SEEDS = ("pi", 100)  # seaborn's name for the interval from the smallest to the largest value
DOTTED = (0, (2, 3))  # the dashes of reference lines, which no line of data has
BAND = {"alpha": style.BAND_ALPHA, "linewidth": 0}
# White on bright tiles can be seen only with a dark edge.
EDGE = (withStroke(linewidth=3, foreground=style.TILE_INK),)


def seed_lines(
    axes: Axes,
    data: pd.DataFrame,
    x: str,
    y: str,
    hue: str,
    order: Sequence[Any] | None = None,
    *,
    markers: bool = False,
    **options: Any,
) -> None:
    """Lines of the means over seeds, in bands from the smallest to the largest seed, one for each value of ``hue``.

    ``data`` is tidy, one row a seed and point; ``order`` lists the values of ``hue`` that are drawn, the n-th with the
    n-th colour, dashes and, on request, marker of ``style``; one without rows leaves its looks to another panel. Values
    of ``y`` that are not numbers are left out. The lines are labelled for a legend or ``style.label_lines``. Further
    ``options`` are those of seaborn's ``lineplot``, as ``errorbar=None`` for lines without bands.
    """
    for rows, looks, dashes in _in_turn(data, hue, order):
        # seaborn's white edge makes small markers smaller
        looks |= {"markeredgecolor": looks["color"]} if markers else {"marker": None}
        looks |= {"linestyle": dashes, "errorbar": ALL_SEEDS, "err_kws": BAND}
        sns.lineplot(rows, x=x, y=y, ax=axes, legend=False, **looks | options)


def reference_line(axes: Axes, height: float, **options: Any) -> None:
    """A thin dotted line across the picture at a height that data are compared with."""
    axes.axhline(height, **{"color": style.INK, "linewidth": 1, "linestyle": DOTTED, **options})


def seed_bars(
    axes: Axes,
    data: pd.DataFrame,
    x: str,
    y: str,
    interval: Callable[[np.ndarray], tuple[float, float]] = interval_of,
    **options: Any,
) -> None:
    """A point at the mean of ``y`` for each value of ``x``, with a bar from the lower to the upper end of an interval.

    The interval is that of the values of ``y`` in the order of the table: by default the 95% interval of their mean,
    which every claim has. Further ``options`` are those of ``Axes.errorbar``, as ``linestyle`` to join the points.
    """
    groups = data.groupby(x)[y]
    mean = groups.mean()
    ends = np.array([interval(values.to_numpy()) for _, values in groups]).reshape(-1, 2)
    bars = [mean - ends[:, 0], ends[:, 1] - mean]
    axes.errorbar(mean.index, mean, bars, **{"linestyle": "none", "elinewidth": 1} | options)


def tiles(axes: Axes, table: pd.DataFrame, x: str, y: str, values: str, **options: Any) -> AxesImage:
    """A map of the mean of some values over two settings, one tile of equal size for each pair of them.

    Tiles have their centres at 0, 1, ...; ``line_on_tiles`` draws on them. ``options`` are those of ``Axes.imshow``.
    """
    means = table.groupby([y, x])[values].mean().unstack()
    axes.set_xticks(range(len(means.columns)), [f"{value:g}" for value in means.columns])
    axes.set_yticks(range(len(means.index)), [f"{value:g}" for value in means.index])
    axes.grid(False)
    return axes.imshow(means, origin="lower", aspect="auto", **options)


def crosses(axes: Axes, table: pd.DataFrame, x: str, y: str, values: str) -> None:
    """Crosses on the tiles where the mean of some values is positive."""
    means = table.groupby([y, x])[values].mean().unstack().to_numpy()
    looks = {"ha": "center", "va": "center", "color": style.ON_TILES, "fontsize": 13, "path_effects": EDGE}
    for row, column in zip(*np.nonzero(means > 0), strict=True):
        axes.text(column, row, "×", **looks)


def line_on_tiles(
    axes: Axes, x: np.ndarray, y: np.ndarray, columns: Sequence[float], rows: Sequence[float], **options: Any
) -> None:
    """A white line through a map whose tiles stand for increasing ``columns`` and ``rows``, in their units.

    Between the tiles' centres it runs as on logarithmic axes, or as on a linear one that begins at zero; outside them
    it is not drawn.
    """
    at = on_tiles(x, columns), on_tiles(y, rows)
    axes.plot(*at, **{"color": style.ON_TILES, "linewidth": 1.4, "linestyle": "-", "path_effects": EDGE} | options)


def on_tiles(values: np.ndarray, ticks: Sequence[float]) -> np.ndarray:
    """Where values lie on an axis of a map whose tiles stand for the increasing ``ticks``; NaN outside them."""
    scale = np.log if min(ticks) > 0 else np.asarray
    return np.interp(scale(values), scale(ticks), range(len(ticks)), left=np.nan, right=np.nan)


def least_and_largest(values: np.ndarray) -> tuple[float, float]:
    """The interval from the smallest to the largest value, for ``seed_bars`` that show all seeds."""
    return values.min(), values.max()


def seed_points(
    axes: Axes,
    data: pd.DataFrame,
    x: str,
    y: str,
    hue: str,
    order: Sequence[Any] | None = None,
    interval: Callable[[np.ndarray], tuple[float, float]] = least_and_largest,
    **options: Any,
) -> None:
    """Points at the means over seeds, with bars from the smallest to the largest seed, for each value of ``hue``.

    The n-th of the values that ``order`` lists has the n-th colour and marker of ``style``, as in ``seed_lines``, which
    may draw what theory says of the same, and the label that a legend needs. ``interval`` and further ``options`` are
    those of ``seed_bars``.
    """
    for rows, looks, _ in _in_turn(data, hue, order):
        seed_bars(axes, rows, x, y, interval, **looks | options)


def _in_turn(
    data: pd.DataFrame, hue: str, order: Sequence[Any] | None
) -> Iterator[tuple[pd.DataFrame, dict[str, Any], Any]]:
    """The rows of each value of ``hue`` that has some, with label, colour and marker, and with the dashes of a line."""
    order = data[hue].unique() if order is None else order
    for value, color, marker, dashes in zip(order, style.PALETTE, style.MARKERS, style.LINE_STYLES, strict=False):
        rows = data[data[hue] == value]
        if not rows.empty:
            yield rows, {"label": str(value), "color": color, "marker": marker}, dashes


def log_ticks(axes: Axes, which: str, values: Sequence[float], name: Callable[[float], str] = "{:g}".format) -> None:
    """Make one axis, ``which`` is "x" or "y", logarithmic, with ticks at ``values`` only, spelt by ``name``."""
    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    axis.set_ticks(values, [name(value) for value in values])
    axis.set_ticks([], minor=True)
