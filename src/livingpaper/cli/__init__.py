"""The ``benign`` command: build the living paper, run its chapters, list what there is.

One file a group of commands; each registers its own with ``app``.
"""

from livingpaper.cli import build, cite, list, new, pdf, release, serve, train  # noqa: F401, A004  # in the order of the help text
from livingpaper.cli.app import main

__all__ = ["main"]
