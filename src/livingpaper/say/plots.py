"""Kinds of pictures that several chapters draw: seaborn's, with the book's palette, dashes and bands.

Nothing here draws random numbers: a band is what the seeds span, never a bootstrap sample of them.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from livingpaper.say import style

ALL_SEEDS = ("pi", 100)  # seaborn's name for the interval from the smallest to the largest value
DOTTED = (0, (2, 3))  # the dashes of reference lines, which no line of data has
BAND = {"alpha": style.BAND_ALPHA, "linewidth": 0}


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
    n-th colour, dashes and, on request, marker of ``style``. Values that are not numbers are left out. The lines are
    labelled for a legend or ``style.label_lines``. Further ``options`` are those of seaborn's ``lineplot``.
    """
    order = list(data[hue].unique() if order is None else order)
    for value, color, dashes, marker in zip(order, style.PALETTE, style.LINE_STYLES, style.MARKERS, strict=False):
        looks = {"color": color, "linestyle": dashes, "marker": marker if markers else None}
        # without an edge: seaborn's white one makes small markers smaller
        looks |= {"markeredgewidth": 0} if markers else {}
        sns.lineplot(
            data[data[hue] == value], x=x, y=y, ax=axes, label=str(value), legend=False, errorbar=ALL_SEEDS,
            err_kws=BAND, **looks | options,
        )  # fmt: skip


def reference_line(axes: Axes, height: float, **options: Any) -> None:
    """A thin dotted line across the picture at a height that data are compared with."""
    axes.axhline(height, **{"color": style.INK, "linewidth": 1, "linestyle": DOTTED, **options})
