"""Numbers on their way from a code cell into the prose."""

import math

from IPython.display import display

from livingpaper.errors import InputError

HIDDEN = "application/papermill.record/"  # before its type, an output is on no page and can be glued into any
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def numbers(**values: float | str) -> None:
    """Make numbers or words available to the pages, shown nowhere by themselves.

    A page prints one with ``{glue:text}`name``` or, with a format, ``{glue:text}`name:.3f```; another page names the
    chapter too, ``{glue:text}`chapters/phases.ipynb::name:.3f```. In prose a hyphen may stand for the underscore.
    The parameters of a chapter need not be handed over: they can be printed by their names.

    Values are scalars; NumPy's and torch's become plain Python, which prints without its type.

    Raises:
        InputError: anything else, and NaN.
    """
    for name, value in values.items():
        # as MyST-NB's glue does it, importing which would take each chapter two seconds
        metadata = {"scrapbook": {"name": name.replace("_", "-"), "mime_prefix": HIDDEN}}
        display({f"{HIDDEN}text/plain": repr(_plain(name, value))}, raw=True, metadata=metadata)


def scientific(value: float | int, digits: int = 1) -> str:
    """A number as people write it, 1.5·10⁹, with ``digits`` digits after the point."""
    factor, _, exponent = f"{value:.{digits}e}".partition("e")
    return f"{factor}·10{str(int(exponent)).translate(_RAISED)}"


def spelt(number: float | int) -> str:
    """A whole number as a label of a picture has it, from a million on as a power of ten: 800, 20,000, 10⁶, 1.5·10⁹.

    A large one of which two digits are not all stays in full.
    """
    if number < 1e6 or float(f"{number:.1e}") != number:
        return f"{number:,.0f}"
    factor, _, power = scientific(number).partition("·")
    return power if factor == "1.0" else f"{factor.removesuffix('.0')}·{power}"


def _plain(name: str, value: object) -> str | bool | int | float:
    try:
        plain = value if isinstance(value, (str, bool, int, float)) and not hasattr(value, "item") else value.item()
    except (AttributeError, ValueError, RuntimeError):
        plain = None
    if not isinstance(plain, (str, bool, int, float)):
        raise InputError(f"{name}: {value!r} is not one number or one text: hand over each number under its own name")
    if isinstance(plain, float) and math.isnan(plain):
        raise InputError(f"{name}: the value is NaN: find out which run gave it before printing it")
    return plain
