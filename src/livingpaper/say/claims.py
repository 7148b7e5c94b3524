"""A sentence of a paper made executable: a number with its interval, and what must be true of it."""

import math
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from IPython.display import display

from livingpaper.errors import InputError
from livingpaper.say.figures import check_id
from livingpaper.say.intervals import interval as interval_of
from livingpaper.say.ranges import Range

MIME = "application/vnd.livingpaper.claim+json"
SCHEMA = 3
NOT_TESTABLE = "not testable"
VERDICTS = ("holds", "fails", "unresolved", NOT_TESTABLE)
SYMBOLS = {"holds": "✓", "fails": "✗", "unresolved": "?", NOT_TESTABLE: "–"}


def claim(
    id: str,
    values: Any = None,
    statistic: Callable[..., float] = np.mean,
    *,
    crossed: bool = False,
    testable: bool = True,
) -> None:
    """Hand over the number that a claim is about; the directive ``{glue:claim}`` of that id says what is claimed.

    ``id`` is ``claim-`` and kebab case, unique in the book. ``values`` has one entry for each independent draw, most
    often a seed, and ``statistic`` makes a number of them: the interval is that of ``intervals.interval``, which says
    what ``crossed`` draws are. ``testable`` says whether the chapter's parameters leave something to test: a comparison
    of sizes needs two. If they do not, no number is handed over, and the verdict is that.

    Raises:
        InputError: values of which there is no interval, or a statistic of them that is not one finite number.
    """
    check_id(id, "claim", what="claim")
    numbers = {"estimate": None, "interval": None, "draws": None}
    payload = {"schema": SCHEMA, "id": id} | (_numbers(id, values, statistic, crossed) if testable else numbers)
    told = f"{id}: {estimate_text(payload)}"
    html = f"<p>{escape(told)}</p>"
    bundle = {MIME: payload, "text/html": html, "text/plain": told}
    display(bundle, raw=True, metadata={"scrapbook": {"name": id, "mime_prefix": ""}})


def verdict(payload: dict, holds_if: str) -> str:
    """``holds`` if all of the interval satisfies the predicate, ``fails`` if none of it does, else ``unresolved``.

    It is ``not testable`` where there is no number.
    """
    if payload["interval"] is None:
        return NOT_TESTABLE
    allowed = Range.parse(holds_if)
    if allowed.contains_all_of(*payload["interval"]):
        return "holds"
    return "fails" if allowed.contains_none_of(*payload["interval"]) else "unresolved"


def judged(payload: dict, words: dict) -> dict:
    """A claim's numbers with what is said of it and the verdict.

    ``words`` has ``statement``, ``where`` and ``holds_if``, and perhaps ``paper`` (a BibTeX key; else the claim is
    ours), ``on_record`` (the verdict at the published values), ``figure``, ``theorem``, ``note`` and ``changed``, which
    says how the predicate was changed and why.

    Raises:
        InputError: one of them malformed.
    """
    id = payload["id"]
    for name in ("where", "statement"):
        if not (words.get(name) or "").strip():
            raise InputError(f"claim {id}: it has no {name!r}: write it out")
    try:
        holds_if = str(Range.parse(words.get("holds_if") or ""))
    except InputError as error:
        raise InputError(f"claim {id}: 'holds-if': {error}") from None
    record = words.get("on_record") or None
    if record is not None and record not in VERDICTS:
        raise InputError(
            f"claim {id}: 'record' is {record!r}: write one of {', '.join(VERDICTS)}, "
            "or leave it out until a verdict at the published values is known"
        )
    told = {name: words.get(name) or None for name in ("paper", "figure", "theorem", "changed")}
    if told["figure"]:
        check_id(told["figure"], "fig", "tab", what=f"claim {id}: figure")
    if told["theorem"]:
        check_id(told["theorem"], "thm", "lem", "prop", "def", "conj", what=f"claim {id}: theorem")
    said = {name: words.get(name) or "" for name in ("where", "statement", "note")}
    found = verdict(payload, holds_if)
    return payload | told | said | {"holds_if": holds_if, "verdict": found, "on_record": record}


def estimate_text(payload: dict) -> str:
    """An estimate with its interval as a reader sees them, e.g. ``0.031 [0.02, 0.04]``."""
    if payload["interval"] is None:
        return "nothing to test"
    low, high = payload["interval"]
    return f"{payload['estimate']:.4g} [{low:.4g}, {high:.4g}]"


def _numbers(id: str, values: Any, statistic: Callable[..., float], crossed: bool) -> dict:
    values = np.asarray(values)
    try:
        with np.errstate(invalid="ignore"):  # what is infinite is refused below
            low, high = interval_of(values, statistic, crossed=crossed)
        estimate = float(statistic(values))  # plain: numpy's would not survive the notebook's JSON
    except InputError as error:
        raise InputError(f"claim {id}: {error}") from None
    except TypeError as error:
        raise InputError(f"claim {id}: the values and their statistic must be numbers: {error}") from None
    if not all(map(math.isfinite, (low, estimate, high))):
        raise InputError(
            f"claim {id}: estimate {estimate} with interval [{low}, {high}] is not finite: "
            "find out which run gave it before claiming anything"
        )
    return {
        "estimate": estimate,
        "interval": [low, high],
        "draws": list(values.shape[:2]) if crossed else len(values),
    }
