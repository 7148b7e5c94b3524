"""Pictures that answer: what a tile or a point of a figure stands for, and the command that computes it again.

A mark is placed by the axes that it is drawn in, told by the runs behind it, and computed again from their settings.
"""

import dataclasses
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.figure
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from livingpaper import settings
from livingpaper.errors import InputError

POINT = 14 / 96  # inches; the side of the square that stands for a point
LISTED = 8  # values of so many seeds are told one by one, of more by their ends


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The tiles, or the points, of one axes, with the runs behind each.

    ``axes``        where they are drawn;
    ``runs``        a table of a sweep: all settings of each run, its seed, what was measured;
    ``experiment``  what was swept;
    ``x``, ``y``    tiles: the columns that place them, in increasing order (a categorical's own); points: the columns
                    with their coordinates, of which ``y`` may differ between seeds: the mean over them is drawn;
    ``settings``    the columns that tell marks apart, with their words, e.g. ``{"ratio": "p/n"}``;
    ``values``      the columns that are told, with their words;
    ``name``        what sets these marks apart from others of the same figure, e.g. the title of a panel;
    ``tiles``       whether they are tiles, one for each pair of an ``x`` and a ``y``, or points;
    ``mean``        how seeds are summed up: ``arithmetic`` or ``geometric``, which leaves out what is not positive.

    Raises ``InputError`` when a column is not there, or a mark has runs of several settings.
    """

    axes: Axes
    runs: pd.DataFrame
    experiment: type
    x: str
    y: str
    settings: Mapping[str, str]
    values: Mapping[str, str]
    name: str = ""
    tiles: bool = True
    mean: str = "arithmetic"

    def __post_init__(self) -> None:
        for column in dict.fromkeys([self.x, self.y, *self.settings, *self.values, "seed", *self._fields()]):
            if column not in self.runs:
                raise InputError(f"marks {self.name!r}: the runs have no column {column!r}: pass the sweep's table")
        if self.mean not in ("arithmetic", "geometric"):
            raise InputError(f"marks {self.name!r}: mean is {self.mean!r}: it must be arithmetic or geometric")

    def __iter__(self) -> Iterator[tuple[Bbox, pd.DataFrame]]:
        """Each mark: its box in the axes' data (a point's has no extent), and its runs."""
        place = {column: _positions(self.runs[column]) for column in (self.x, self.y)} if self.tiles else {}
        for _, runs in self.runs.groupby(list(self.settings), observed=True, sort=False):
            x, y = (runs[column] for column in (self.x, self.y))
            if self.tiles:
                left, low = place[self.x][x.iloc[0]] - 0.5, place[self.y][y.iloc[0]] - 0.5
                yield Bbox.from_bounds(left, low, 1, 1), runs
            else:
                at = float(x.iloc[0]), self._average(y)
                yield Bbox([at, at]), runs

    def tell(self, runs: pd.DataFrame) -> dict:
        """What a mark shows: its setting, its numbers with their seeds, and the command that computes it again."""
        setting = ", ".join(f"{words} = {_number(runs[column].iloc[0])}" for column, words in self.settings.items())
        seeds = runs.seed.tolist()
        numbers = [f"{words}: {self._numbers(runs[column])}" for column, words in self.values.items()]
        return {
            "setting": f"{self.name}: {setting}" if self.name else setting,
            "numbers": numbers,
            "seeds": f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds, {min(seeds)} to {max(seeds)}",
            "command": self._command(runs),
        }

    def _numbers(self, values: pd.Series) -> str:
        if all(isinstance(value, bool | np.bool_) for value in values) and len(values) > 1:
            return f"{int(values.sum())} of {len(values)}"
        if values.nunique() == 1:
            return _number(values.iloc[0])
        told = (
            ", ".join(map(_number, values))
            if len(values) <= LISTED
            else f"{_number(values.min())} to {_number(values.max())}"
        )
        return f"{_number(self._average(values))} ({told})"

    def _average(self, values: pd.Series) -> float:
        if self.mean == "arithmetic":
            return float(values.mean())
        return float(np.exp(np.log(values[values > 0]).mean()))

    def _command(self, runs: pd.DataFrame) -> str:
        arguments = []
        for name, default in self._fields().items():
            value = runs[name].iloc[0]
            if not all(other == value for other in runs[name]):
                raise InputError(
                    f"marks {self.name!r}: a mark has runs of several {name}: name the column among its settings"
                )
            value = value.item() if hasattr(value, "item") else value
            if value != default:
                arguments.append(f"{name}={value if isinstance(value, str) else repr(value)}")
        seeds = runs.seed.tolist()
        first = seeds[0]
        if seeds != list(range(first, first + len(seeds))):
            raise InputError(f"marks {self.name!r}: a mark has the seeds {seeds}: they must follow one another")
        experiment = f"{self.experiment.__module__.rpartition('.')[2]}.{self.experiment.__name__}"
        arguments += ["--seeds", str(len(seeds)), *(["--first-seed", str(first)] if first else [])]
        return shlex.join([settings.read().command, "train", experiment, *arguments])

    def _fields(self) -> dict[str, object]:
        fields = dataclasses.fields(self.experiment)
        return {field.name: field.default for field in fields if field.name != "seed"}


def places(figure: matplotlib.figure.Figure, marks: Sequence[Marks], seen: Bbox) -> list[list[float] | None]:
    """Where each mark is, in parts of the picture from its upper left corner; None where it is not drawn.

    ``seen`` is the part of the figure that the picture shows, in inches; the layout is that of the last drawing.
    """
    to_inches = figure.dpi_scale_trans.inverted()
    found: list[list[float] | None] = []
    for group in marks:
        for box, _ in group:
            drawn = box.transformed(group.axes.transData)
            # neither a zero on a logarithmic axis nor what is beyond the axes' limits is drawn
            if not group.axes.bbox.padded(1).contains((drawn.x0 + drawn.x1) / 2, (drawn.y0 + drawn.y1) / 2):
                found.append(None)
                continue
            drawn = drawn.transformed(to_inches)
            if not group.tiles:
                drawn = Bbox.from_bounds(drawn.x0 - POINT / 2, drawn.y0 - POINT / 2, POINT, POINT)
            left, right = sorted((drawn.x0, drawn.x1))
            low, high = sorted((drawn.y0, drawn.y1))
            place = (left - seen.x0, seen.y1 - high, right - left, high - low)
            sides = (seen.width, seen.height, seen.width, seen.height)
            found.append([round(float(part / side), 5) for part, side in zip(place, sides, strict=True)])
    return found


def described(marks: Sequence[Marks], wide: Sequence, narrow: Sequence) -> list[dict]:
    """What the page needs of each mark: its place in the wide and in the narrow picture, and its words."""
    runs = [(group, runs) for group in marks for _, runs in group]
    return [
        {"at": at, "narrow": stacked} | group.tell(behind)
        for (group, behind), at, stacked in zip(runs, wide, narrow, strict=True)
        if at and stacked
    ]


def _positions(values: pd.Series) -> dict:
    """Where a map with one row, or column, for each value has it."""
    ordered = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else sorted(values.unique())
    return {value: position for position, value in enumerate(ordered)}


def _number(value: object) -> str:
    if isinstance(value, str | bool | np.bool_):
        return str(value)
    return f"{value:,d}" if isinstance(value, int | np.integer) else f"{value:.4g}"
