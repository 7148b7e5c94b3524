"""How every figure of the book looks: one palette, one set of sizes, labels at the ends of lines.

Call ``style.use()`` once, at the top of a chapter.
"""

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from scipy.optimize import isotonic_regression

# Okabe and Ito's colours (safe for the colour-blind), in an order whose neighbours differ in lightness too,
# so that they still separate in grey. Their yellow is left out: a thin yellow line on white cannot be seen.
PALETTE = ("#0072B2", "#E69F00", "#000000", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
# Colour is never the only difference: the n-th line also has the n-th dashes; the n-th markers go with them.
LINE_STYLES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1)), (0, (8, 2)), (0, (2, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

# Inches. At 96 pixels an inch a single figure is 600 pixels wide, about the text column; eleven-point type
# is then a little under the text's own size, and still eight pixels high on a 360-pixel telephone.
SINGLE = (6.25, 3.9)
WIDE = (8.2, 3.7)

INK = "#222222"
# What is drawn on the tiles of a map, whose colours say numbers, stays as it is on a dark page: these two are
# none of the values that livingpaper.say.dark looks up.
ON_TILES, TILE_INK = "#fefefe", "#212121"
BAND_ALPHA = 0.2  # for seed bands: dark enough to see, light enough for two to overlap

RC = {
    "figure.figsize": SINGLE,
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11.5,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#666666",
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.5,
    "image.cmap": "viridis",
    "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=LINE_STYLES),
    # letters as outlines: the picture is the same wherever it is opened
    "svg.fonttype": "path",
}


def use() -> None:
    """Give the running kernel the book's look; seaborn takes its palette from the same settings."""
    mpl.rcParams.update(RC)


def label_lines(axes: Axes, labels: dict[str, str] | None = None, size: float = 10) -> None:
    """Write each line's label at its right end, as near to it as labels that must not overlap can be.

    Replaces a legend: the eye need not travel. ``labels`` renames lines by their label; lines without one
    are skipped. ``size`` is the type size in points. Call it last, once scales and limits are final.
    Heights are the least-squares solution under the constraint of one line of type between neighbours.
    """
    axes.figure.draw_without_rendering()
    points_per_pixel = 72 / axes.figure.dpi
    ends = []
    for line in axes.get_lines():
        # through float: an integer array has no nan to look for
        xy = np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float)
        xy = xy[np.isfinite(xy).all(axis=1)]
        if len(xy) and not str(line.get_label()).startswith("_"):
            end = xy[xy[:, 0].argmax()]
            ends.append((axes.transData.transform(end)[1] * points_per_pixel, end, line))
    ends.sort(key=lambda item: item[0])
    if not ends:
        return
    heights = np.array([height for height, _, _ in ends])
    slots = 1.25 * size * np.arange(len(ends))
    placed = isotonic_regression(heights - slots).x + slots
    for wanted, height, (_, end, line) in zip(heights, placed, ends, strict=True):
        text = (labels or {}).get(line.get_label(), line.get_label())
        axes.annotate(
            text,
            xy=end,
            xytext=(14, height - wanted),
            textcoords="offset points",
            va="center",
            fontsize=size,
            annotation_clip=False,
            # the text is in ink, which can be read on white; the leader has the line's colour
            arrowprops={"arrowstyle": "-", "color": line.get_color(), "linewidth": 1.2, "shrinkA": 2, "shrinkB": 2},
        )
