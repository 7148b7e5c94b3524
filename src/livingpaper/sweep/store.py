"""Where finished trainings are kept: by content, checked by digest when read.

A folder holds the results of one experiment computed by one state of its code and software: its name is
the digest of those parts, which stand beside the results in ``key.json``. In it, every file is a table of
finished runs, named by its own SHA-256: a file whose content does not match its name is damaged, and is
left aside as if it were not there. Runs are found by the digest of their setting, so it makes no
difference in which batches they were computed.
"""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pandas as pd

from livingpaper.files import cache_folder, sha256, write_atomically

RUN = "_run"  # the column that says which run a row belongs to
SECONDS = "_seconds"  # the column with a run's share of its batch's wall-clock time
PAUSE = 0.5  # seconds; less than anyone minds to lose, more than a file takes
#: Which runs are in the files that this process has read or written, so that a sweep opens only those with its own:
#: what a file holds never changes, for it is named by its content.
_runs_in: dict[str, frozenset[str]] = {}


def digest(parts: object) -> str:
    """The digest of a JSON-able object, independent of the order of its keys."""
    return sha256(json.dumps(parts, sort_keys=True, default=_plain).encode())


class Store:
    """The finished runs of one experiment as computed by one state of code and software."""

    def __init__(self, parts: dict, folder: Path | None = None):
        self._parts = parts
        self._folder = (folder or cache_folder()) / "results" / digest(parts)[:32]

    def load(self, runs: Iterable[str]) -> pd.DataFrame:
        """The rows of those of the given runs that are there, whole and undamaged, with ``RUN`` and ``SECONDS``.

        They are ordered as the runs, and within a run as it gave them.
        """
        wanted, found = list(runs), [pd.DataFrame({RUN: [], SECONDS: []})]
        missing = set(wanted)
        for path in sorted(self._folder.glob("*.parquet")):
            if not missing:
                break
            if missing.isdisjoint(_runs_in.get(path.stem, missing)):
                continue
            content = path.read_bytes()
            if sha256(content) != path.stem:
                continue
            try:
                table = pd.read_parquet(BytesIO(content))
                names = table[RUN].tolist()
            except (ValueError, OSError, KeyError):  # whole, and yet no table of ours
                continue
            _runs_in[path.stem] = frozenset(names)
            table = table[[name in missing for name in names]]  # pandas would go through all that are missing
            missing -= _runs_in[path.stem]  # two builds at a time may both have computed a run
            found.append(table)
        rows = pd.concat([table for table in found if len(table)] or found, ignore_index=True)
        return rows.iloc[rows[RUN].map({run: place for place, run in enumerate(wanted)}).argsort(kind="stable")]

    def save(self, tables: dict[str, pd.DataFrame], seconds: float) -> None:
        """Keep the tables of a batch of finished runs, which took so many seconds."""
        self._write([_rows(tables, seconds)])

    @contextmanager
    def collecting(self) -> Iterator[Callable[[dict[str, pd.DataFrame], float], None]]:
        """A ``save`` for many small batches, which writes what it has when it last did so ``PAUSE`` seconds ago.

        The rest is written when the block is left, be it by an error.
        """
        waiting, written = [], -math.inf

        def save(tables: dict[str, pd.DataFrame], seconds: float) -> None:
            nonlocal written
            waiting.append(_rows(tables, seconds))
            if time.monotonic() - written > PAUSE:
                self._write(waiting)
                waiting.clear()
                written = time.monotonic()

        try:
            yield save
        finally:
            if waiting:
                self._write(waiting)

    def _write(self, batches: Iterable[pd.DataFrame]) -> None:
        rows = pd.concat(batches, ignore_index=True)
        stream = BytesIO()
        rows.to_parquet(stream, index=False)
        key = self._folder / "key.json"
        if not key.exists():
            write_atomically(key, json.dumps(self._parts, indent=1, sort_keys=True).encode())
        path = self._folder / f"{sha256(stream.getvalue())}.parquet"
        write_atomically(path, stream.getvalue())
        _runs_in[path.stem] = frozenset(rows[RUN].tolist())


def _rows(tables: dict[str, pd.DataFrame], seconds: float) -> pd.DataFrame:
    """The rows of a batch, with the run that each belongs to."""
    names = [run for run, table in tables.items() for _ in range(len(table))]
    return pd.concat(tables.values(), ignore_index=True).assign(**{RUN: names, SECONDS: seconds / len(tables)})


def _plain(value: object) -> object:
    """Plain Python for what JSON does not know: NumPy's scalars and arrays."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be part of a key")
