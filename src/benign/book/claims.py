"""A sentence of a paper made executable: an estimate, its interval, and what must be true of it."""

import math
from dataclasses import dataclass, fields
from html import escape

from benign.book.figures import check_id
from benign.book.intervals import Interval
from benign.errors import InputError

MIME = "application/vnd.benign.claim+json"
SCHEMA = 1
VERDICTS = ("holds", "fails", "unresolved")
SYMBOLS = {"holds": "✓", "fails": "✗", "unresolved": "?"}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about a number, decided by an interval that contains the number with known confidence.

    ``id``         ``claim-`` and kebab case, unique in the book;
    ``paper``      BibTeX key of the paper that makes the claim, or ``None``: the claim is ours;
    ``where``      the place in the paper, e.g. ``Theorem 3.1, (10)``;
    ``statement``  the sentence, in MyST inline markup (maths, citations, ``{glue:text}``);
    ``estimate``, ``interval``  the number and the interval (low, high) that its seeds give, low <= estimate <= high;
    ``holds_if``   the predicate: ``< 0.05``, ``>= 2`` or ``in [0.9, 1.1]``;
    ``on_record``  the verdict at the published values, or ``None`` if none has been recorded yet;
    ``figure``     id of the figure that shows it; ``note``: what a reader must know to read the verdict;
    ``theorem``    label of the theorem, lemma, definition or conjecture of the book that it is about.

    Raises ``InputError`` when one of them is malformed.
    """

    id: str
    paper: str | None
    where: str
    statement: str
    estimate: float
    interval: tuple[float, float]
    holds_if: str
    on_record: str | None
    figure: str | None = None
    note: str = ""
    theorem: str | None = None

    def __post_init__(self) -> None:
        check_id(self.id, "claim", what="claim")
        if self.paper is not None and (not isinstance(self.paper, str) or not self.paper.strip()):
            raise InputError(f"claim {self.id}: 'paper' is {self.paper!r}: give its BibTeX key, or None if it is ours")
        for name in ("where", "statement"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip():
                raise InputError(f"claim {self.id}: '{name}' is {text!r}: write it out")
        self._check_numbers()
        try:
            Interval.parse(self.holds_if)
        except (InputError, TypeError) as error:
            raise InputError(f"claim {self.id}: 'holds_if': {error}") from None
        if self.on_record is not None and self.on_record not in VERDICTS:
            raise InputError(
                f"claim {self.id}: 'on_record' is {self.on_record!r}: write one of {', '.join(VERDICTS)}, "
                "or None until a verdict at the published values is known"
            )
        if self.figure is not None:
            check_id(self.figure, "fig", "tab", what=f"claim {self.id}: figure")
        if self.theorem is not None:
            check_id(self.theorem, "thm", "lem", "prop", "def", "conj", what=f"claim {self.id}: theorem")

    def _check_numbers(self) -> None:
        try:
            low, high = (float(end) for end in self.interval)
            estimate = float(self.estimate)
        except (TypeError, ValueError):
            raise InputError(
                f"claim {self.id}: estimate {self.estimate!r} and interval {self.interval!r} must be one number "
                "and a pair (low, high) of numbers"
            ) from None
        if not all(map(math.isfinite, (low, estimate, high))):
            raise InputError(
                f"claim {self.id}: estimate {estimate} with interval [{low}, {high}] is not finite: "
                "find out which run gave it before claiming anything"
            )
        if not low <= estimate <= high:
            raise InputError(
                f"claim {self.id}: the estimate {estimate} is outside its interval [{low}, {high}]: "
                "compute both from the same seeds"
            )
        # plain floats: numpy's would not survive the notebook's JSON
        object.__setattr__(self, "estimate", estimate)
        object.__setattr__(self, "interval", (low, high))

    @property
    def verdict(self) -> str:
        """``holds`` if all of the interval satisfies the predicate, ``fails`` if none does, else ``unresolved``."""
        allowed = Interval.parse(self.holds_if)
        if allowed.contains_all_of(*self.interval):
            return "holds"
        return "fails" if allowed.contains_none_of(*self.interval) else "unresolved"

    @property
    def matches_record(self) -> bool:
        """Whether the verdict is the one on record; a claim with none on record does not match."""
        return self.verdict == self.on_record

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        payload = {
            "schema": SCHEMA,
            "id": self.id,
            "paper": self.paper,
            "where": self.where,
            "statement": self.statement,
            "estimate": self.estimate,
            "interval": list(self.interval),
            "holds_if": str(Interval.parse(self.holds_if)),
            "verdict": self.verdict,
            "on_record": self.on_record,
            "figure": self.figure,
            "note": self.note,
            "theorem": self.theorem,
        }
        verdict = f"{SYMBOLS[self.verdict]} {self.verdict}"
        source = f"{self.where} ({self.paper or 'ours'})"
        numbers = f"{estimate_text(payload)}; holds if {self.holds_if}; on record: {self.on_record or 'nothing yet'}"
        return {
            MIME: payload,
            "text/html": f"<p><strong>{verdict}</strong>, {escape(source)}: {escape(self.statement)}<br>"
            f"{escape(numbers)}</p>",
            "text/plain": f"{self.id}: {verdict}\n{source}: {self.statement}\n{numbers}",
        }


def check_texts(payload: dict) -> None:
    """Refuse the payload of a claim whose texts have been edited into what no claim could have been made with."""
    Claim(**{field.name: payload[field.name] for field in fields(Claim)})


def estimate_text(payload: dict) -> str:
    """An estimate with its interval as a reader sees them, e.g. ``0.031 [0.02, 0.04]``."""
    low, high = payload["interval"]
    return f"{payload['estimate']:.4g} [{low:.4g}, {high:.4g}]"
