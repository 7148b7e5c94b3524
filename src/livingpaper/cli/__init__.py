"""The command: build the paper, run its chapters, list what there is.

One file a group of commands; each registers its own with ``app``, in the order of the help text.
"""

from livingpaper.cli import executing, replicating, checking, listing, making, training  # noqa: F401, I001
from livingpaper.cli.app import main

__all__ = ["main"]
