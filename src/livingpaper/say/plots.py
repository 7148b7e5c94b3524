"""What figures over seeds share: a mean with its range, and logarithmic axes with plain numbers."""

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator


def seed_line(axes: Axes, runs: pd.DataFrame, x: str, y: str, band: float = 0.12, **line: object) -> None:
    """The mean of ``y`` over seeds against ``x``, with a band from the smallest seed to the largest.

    ``runs`` has one row for each ``x`` and seed, ``band`` is the band's opacity, ``line`` goes to the line. The axes
    keep their labels. The band is the range itself, no bootstrap: the same table gives the same picture.
    """
    labels = axes.get_xlabel(), axes.get_ylabel()
    look = {"alpha": band, "linewidth": 0}
    sns.lineplot(data=runs, x=x, y=y, errorbar=("pi", 100), err_kws=look, legend=False, ax=axes, **line)
    axes.set(xlabel=labels[0], ylabel=labels[1])


def plain_log_axis(axes: Axes, values: Sequence[float], label: str, names: Sequence[str] | None = None) -> None:
    """A logarithmic x-axis whose ticks are ``values``, written as plain numbers or as ``names``."""
    axes.set(xscale="log", xlabel=label)
    axes.set_xticks(values, [f"{value:g}" for value in values] if names is None else names)
    axes.xaxis.set_minor_locator(NullLocator())
