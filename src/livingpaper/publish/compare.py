"""How two tables differ: which rows and columns came or went, and by how much numbers moved.

Types are of no account, only values: 1 and 1.0 are equal, and so are two missing ones.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy.special import stdtrit

from livingpaper.errors import InputError

SEED = "seed"
CONFIDENCE = 0.95
ROUNDING = 1e-9  # relative; what is allowed where the seeds have no spread


@dataclass(frozen=True)
class Column:
    """How the cells of one column differ, in rows that both tables have.

    ``absolute`` and ``relative`` are the largest differences of numbers, the relative one to the larger of the two;
    ``None`` if no cell holds a number in both tables. ``other`` counts cells that differ otherwise: texts, or a number
    on one side only.
    """

    name: str
    cells: int
    absolute: float | None
    relative: float | None
    other: int


@dataclass(frozen=True)
class Comparison:
    """What is different in a new table; ``band`` says whether it is inside the seed band, ``None``: there is none."""

    rows: tuple[int, int]
    rows_added: int
    rows_removed: int
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns: tuple[Column, ...]
    reordered: bool
    band: bool | None

    @property
    def identical(self) -> bool:
        """Whether both tables hold the same values, in whatever order of rows."""
        came_or_went = self.rows_added or self.rows_removed or self.columns_added or self.columns_removed
        return not (came_or_went or self.columns)

    @property
    def verdict(self) -> str:
        """``identical``, ``within the seed band`` or ``different``."""
        if self.identical:
            return "identical"
        return "within the seed band" if self.band else "different"


def read_csv(content: bytes, name: str) -> pd.DataFrame:
    """The table in a CSV file, every float exactly; ``name`` is the file's in errors."""
    try:
        return pd.read_csv(io.BytesIO(content))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {name} as a table: {error}") from None


def in_words(comparison: Comparison) -> str:
    """What differs, and by how much."""
    said = [
        f"{count} {'row' if count == 1 else 'rows'} {how}"
        for count, how in ((comparison.rows_added, "added"), (comparison.rows_removed, "removed"))
        if count
    ]
    for names, how in ((comparison.columns_added, "added"), (comparison.columns_removed, "removed")):
        if names:
            said.append(f"{'column' if len(names) == 1 else 'columns'} {', '.join(names)} {how}")
    for column in comparison.columns:
        by = "" if column.absolute is None else f", by up to {column.absolute:.3g} (relative {column.relative:.2g})"
        texts = f", {column.other} not as numbers" if column.other and by else ""
        said.append(f"{column.name}: {column.cells} {'cell' if column.cells == 1 else 'cells'}{by}{texts}")
    if comparison.reordered:
        said.append("rows in another order")
    return "; ".join(said)


def compare(old: pd.DataFrame, new: pd.DataFrame) -> Comparison:
    """Compare a new table with an old one.

    A row is known by its settings: columns whose values in one table are all among those in the other. Of three ways
    to match rows (by all such columns, by those that hold no fractions, by position) the one is taken that leaves the
    fewest cells different.

    The *seed band*, in tables with a column ``seed``: for each setting and each measured number, the 95% confidence
    interval (Student's) that the old table's seeds give for the mean. The new table is inside if its rows and columns
    are the old ones, and every mean of its seeds lies in that interval; where the seeds agree to the last digit, up to
    a relative difference of 1e-9. A setting is a column in which every seed has the same values; several rows of a seed
    in one setting count as their mean.
    """
    old, new = old.reset_index(drop=True), new.reset_index(drop=True)
    shared = [name for name in old.columns if name in new.columns]
    best = min(
        (_match(old, new, keys) for keys in _keys(old, new, shared)), key=lambda pairs: _cost(old, new, shared, pairs)
    )
    here, there = old.loc[[i for i, _ in best], shared], new.loc[[j for _, j in best], shared]
    columns = [column for name in shared if (column := _column(name, here[name], there[name]))]
    comparison = Comparison(
        rows=(len(old), len(new)),
        rows_added=len(new) - len(best),
        rows_removed=len(old) - len(best),
        columns_added=tuple(str(name) for name in new.columns if name not in old.columns),
        columns_removed=tuple(str(name) for name in old.columns if name not in new.columns),
        columns=tuple(columns),
        reordered=[j for _, j in best] != sorted(j for _, j in best),
        band=None,
    )
    if SEED not in shared or old[SEED].nunique() < 2:
        return comparison
    whole = len(old) == len(new) == len(best) and set(old.columns) == set(new.columns)
    inside = whole and not any(column.other for column in columns) and _inside(here, there, [c.name for c in columns])
    return Comparison(**{**vars(comparison), "band": inside})


def _keys(old: pd.DataFrame, new: pd.DataFrame, shared: Sequence[str]) -> list[list[str]]:
    """The sets of columns by which rows may be matched; none: by position."""
    settings = []
    for name in shared:
        before, after = set(old[name].dropna()), set(new[name].dropna())
        if before <= after or after <= before:
            settings.append(name)
    whole = [name for name in settings if not _has_fractions(old[name]) and not _has_fractions(new[name])]
    return [settings, whole, []]


def _match(old: pd.DataFrame, new: pd.DataFrame, keys: list[str]) -> list[tuple[int, int]]:
    """Pairs of row numbers, old and new, equal in all keys; the k-th of equal ones belong together."""
    places: dict[tuple, list[int]] = {}
    for j, key in enumerate(_tuples(new, keys)):
        places.setdefault(key, []).append(j)
    pairs = []
    for i, key in enumerate(_tuples(old, keys)):
        if places.get(key):
            pairs.append((i, places[key].pop(0)))
    return pairs


def _tuples(table: pd.DataFrame, keys: list[str]) -> list[tuple]:
    plain = [[None if pd.isna(value) else value for value in table[name]] for name in keys]
    return list(zip(*plain, strict=True)) if keys else [()] * len(table)


def _cost(old: pd.DataFrame, new: pd.DataFrame, shared: Sequence[str], pairs: list[tuple[int, int]]) -> int:
    unmatched = len(old) + len(new) - 2 * len(pairs)
    here, there = [i for i, _ in pairs], [j for _, j in pairs]
    return unmatched * len(shared) + sum(
        int(_differs(old[name].iloc[here], new[name].iloc[there]).sum()) for name in shared
    )


def _differs(old: pd.Series, new: pd.Series) -> np.ndarray:
    before, after = old.to_numpy(dtype=object), new.to_numpy(dtype=object)
    missing = pd.isna(before) & pd.isna(after)
    return np.array([a != b for a, b in zip(before, after, strict=True)], dtype=bool) & ~missing


def _column(name: str, old: pd.Series, new: pd.Series) -> Column | None:
    differs = _differs(old, new)
    if not differs.any():
        return None
    absolute = relative = None
    numbers = np.zeros(len(differs), dtype=bool)
    if _is_numeric(old) and _is_numeric(new):
        before, after = old.to_numpy(dtype=float, na_value=np.nan), new.to_numpy(dtype=float, na_value=np.nan)
        numbers = differs & np.isfinite(before) & np.isfinite(after)
        if numbers.any():
            gaps = np.abs(after[numbers] - before[numbers])
            absolute = float(gaps.max())
            relative = float((gaps / np.maximum(np.abs(before[numbers]), np.abs(after[numbers]))).max())
    return Column(str(name), int(differs.sum()), absolute, relative, int((differs & ~numbers).sum()))


def _inside(old: pd.DataFrame, new: pd.DataFrame, changed: Sequence[str]) -> bool:
    """Whether all means of the changed columns lie in the seed band; the rows correspond."""
    settings = [name for name in old.columns if name != SEED and name not in changed]
    seeds = old[SEED].to_numpy()
    crossed = [name for name in settings if _same_for_every_seed(old[name], seeds)]
    # where settings have seeds of their own, what occurs with several seeds is a setting
    known = crossed or [name for name in settings if (old.groupby(name, dropna=False)[SEED].nunique() > 1).all()]
    group = (
        list(zip(*([str(value) for value in old[name]] for name in known), strict=True)) if known else [()] * len(old)
    )
    for name in changed:
        rows = pd.DataFrame({"group": group, SEED: seeds, "old": old[name].to_numpy(), "new": new[name].to_numpy()})
        means = rows.groupby(["group", SEED])[["old", "new"]].mean()
        for _, each in means.groupby("group"):
            before, after, count = each["old"].mean(), each["new"].mean(), len(each)
            spread = each["old"].std() / np.sqrt(count) if count > 1 else 0.0
            width = spread * stdtrit(count - 1, (1 + CONFIDENCE) / 2) if spread else 0.0
            if not abs(after - before) <= max(width, ROUNDING * abs(before)):
                return False
    return True


def _same_for_every_seed(column: pd.Series, seeds: np.ndarray) -> bool:
    values = np.array([str(value) for value in column])
    return len({tuple(sorted(values[seeds == seed])) for seed in set(seeds)}) == 1


def _is_numeric(column: pd.Series) -> bool:
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def _has_fractions(column: pd.Series) -> bool:
    if not _is_numeric(column):
        return False
    values = column.to_numpy(dtype=float, na_value=np.nan)
    values = values[np.isfinite(values)]
    return bool((values != np.round(values)).any())
