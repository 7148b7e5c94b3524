"""A text such as ``relu`` or ``student_t(3)`` names a member of a family: a word, and numbers in parentheses."""

import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from benign.errors import InputError

Member = TypeVar("Member")


def member(kind: str, family: Mapping[str, Callable[..., Member]], text: str, examples: str) -> Member:
    """The member of a family that a text names; the functions of the family take the numbers.

    ``kind`` says what the family is of and ``examples`` how its texts look, in messages.

    Raises:
        InputError: an unknown name, or numbers in parentheses that its function does not take.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*", text)
    stem, numbers = match.groups(default="") if match else (text.partition("(")[0].strip(), "unbalanced")
    if stem not in family:
        nearest = difflib.get_close_matches(stem, family, 1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise InputError(f"{kind} is {text!r}: {hint}There are {', '.join(family)}")
    try:
        return family[stem](*(float(number) for number in numbers.split(",") if numbers.strip()))
    except InputError:
        raise
    except (TypeError, ValueError):  # too many numbers or too few, or no numbers
        taken = ", ".join(inspect.signature(family[stem]).parameters) or "no number"
        raise InputError(f"{kind} is {text!r}: {stem} takes {taken}, written as in {examples}") from None
