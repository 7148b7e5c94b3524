"""The command: build the paper, run its chapters, list what there is.

One file a group of commands; each registers its own with ``app``.
"""

# in the order of the help text
from livingpaper.cli import (  # noqa: F401, I001
    executing,
    checking,
    listing,
    adding,
    printing,
    archiving,
    serving,
    training,
)
from livingpaper.cli.app import main

__all__ = ["main"]
