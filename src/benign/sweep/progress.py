"""How far a long computation is: a bar for a person, a file for the build."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

VARIABLE = "BENIGN_PROGRESS"  # names the file in which a build looks for the progress of a chapter


class Progress:
    """A count of finished runs out of a total."""

    def __init__(self, label: str, total: int):
        self.label, self.total, self.done = label, total, 0
        path = os.environ.get(VARIABLE)
        self._path = Path(path) if path else None
        self._bar = None if path else tqdm(total=total, desc=label, unit="run", leave=False)
        self._written = 0.0

    def advance(self, count: int) -> None:
        """Add ``count`` finished runs."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._written > 0.2 or self.done == self.total:
            self._written = time.monotonic()
            # A plain write: a torn line is at worst one stale display.
            self._path.write_text(json.dumps({"label": self.label, "done": self.done, "total": self.total}))

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


@contextmanager
def progress(label: str, total: int) -> Iterator[Progress]:
    """A progress display for the length of a block."""
    display = Progress(label, total)
    try:
        yield display
    finally:
        display.close()
