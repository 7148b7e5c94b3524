"""The errors that a user can act on."""

import difflib
from collections.abc import Collection


class PaperError(Exception):
    """What was wrong, with what value, and what to do about it; the command prints it without a traceback."""


class InputError(PaperError, ValueError):
    """An argument that the paper does not allow."""


def nearest(name: str, names: Collection[str], otherwise: str = "") -> str:
    """The remedy for a name that there is not: the nearest of those that there are, else all of them."""
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]!r}?" if near else otherwise or f"there are {', '.join(names) or 'none'}"
