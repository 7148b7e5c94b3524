"""Numbers on their way from a code cell into the prose."""

import math

import myst_nb

from benign.errors import InputError

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def glue(name: str, value: float | str) -> None:
    """Make a number or a word available to the pages, shown nowhere by itself.

    A page prints it with ``{glue:text}`name``` or, with a format, ``{glue:text}`name:.3f```; another page names the
    chapter too, ``{glue:text}`chapters/phases.ipynb::name:.3f```. ``value`` is a scalar; NumPy's and torch's
    become plain Python, which prints without its type. Raises ``InputError`` for anything else and for NaN.
    """
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"glue name {name!r} is not a word: write e.g. 'test-error'")
    try:
        plain = value if isinstance(value, (str, bool, int, float)) and not hasattr(value, "item") else value.item()
    except (AttributeError, ValueError, RuntimeError):
        plain = None
    if not isinstance(plain, (str, bool, int, float)):
        raise InputError(f"glue {name!r}: {value!r} is not one number or one text: glue each number under its own name")
    if isinstance(plain, float) and math.isnan(plain):
        raise InputError(f"glue {name!r}: the value is NaN: find out which run gave it before printing it")
    myst_nb.glue(name, plain, display=False)


def scientific(value: float | int, digits: int = 1) -> str:
    """A number as people write it, 1.5·10⁹, with ``digits`` digits after the point."""
    factor, _, exponent = f"{value:.{digits}e}".partition("e")
    return f"{factor}·10{str(int(exponent)).translate(_RAISED)}"
