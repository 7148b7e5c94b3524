"""How far a long computation is: a bar for a person, a file for the build."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from IPython.display import clear_output
from tqdm import tqdm

VARIABLE = "LIVINGPAPER_PROGRESS"  # names the file in which a build looks for the progress of a chapter


class Progress:
    """A count of finished runs out of a total."""

    def __init__(self, label: str, total: int):
        self.label, self.total, self.done = label, total, 0
        self._doing = ""
        self._started = self._shown = time.monotonic()

    def advance(self, count: int) -> None:
        """Add ``count`` finished runs."""
        self.done += count
        if time.monotonic() - self._shown > 0.3 or self.done == self.total:
            self._shown = time.monotonic()
            self._show()

    def say(self, doing: str) -> None:
        """Show beside the label what is done instead of runs, or no longer."""
        self._doing = f", {doing}" if doing else ""
        self._show()

    def _show(self) -> None:
        label = self.label + self._doing
        if path := os.environ.get(VARIABLE):
            # A plain write: a torn line is at worst one stale display, and so is none, on a full disk.
            with suppress(OSError):
                Path(path).write_text(json.dumps({"label": label, "done": self.done, "total": self.total}))
            return
        elapsed = self._shown - self._started
        meter = tqdm.format_meter(self.done, self.total, elapsed, prefix=label, unit=" runs", ncols=79)
        if "ipykernel" in sys.modules:
            # Not on stderr, which a build takes for a warning, and gone when the work is done.
            clear_output(wait=True)
            print(meter, flush=True)
        elif sys.stderr.isatty():
            print(f"\r{meter}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the display away."""
        if os.environ.get(VARIABLE):
            return
        if "ipykernel" in sys.modules:
            clear_output()
        elif sys.stderr.isatty():
            print("\r" + " " * 79 + "\r", end="", file=sys.stderr, flush=True)


@contextmanager
def progress(label: str, total: int) -> Iterator[Progress]:
    """A progress display for the length of a block, which also says when numba compiles what the block calls."""
    display = Progress(label, total)
    try:
        with _compiling(display):
            yield display
    finally:
        display.close()


@contextmanager
def _compiling(display: Progress) -> Iterator[None]:
    if "numba" not in sys.modules:
        yield
        return
    from numba.core import event  # not at the top: a paper need not have numba

    class Listener(event.Listener):
        functions = 0  # that are being compiled, one within the other

        def on_start(self, event: event.Event) -> None:
            self.functions += 1
            display.say("compiling")

        def on_end(self, event: event.Event) -> None:
            self.functions -= 1
            display.say("compiling" if self.functions else "")

    with event.install_listener("numba:compile", Listener()):
        yield


def note(**facts: str | float | list[int]) -> None:
    """Tell the build, if there is one, what a finished sweep was: a line in the file beside that of the progress."""
    if path := os.environ.get(VARIABLE):
        with suppress(OSError), Path(f"{path}.sweeps").open("a") as lines:
            lines.write(json.dumps(facts) + "\n")
