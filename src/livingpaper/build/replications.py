"""A chapter drawn again: the numbers of its claims for blocks of seeds that no other block shares.

The seeds of a chapter start at its parameter ``first_seed``. What came out for the published ones and for some fresh
blocks is kept beside the chapter, in ``<chapter>.replications.json``, so that every copy of the sources has it.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from livingpaper.build import keys
from livingpaper.build.project import Project
from livingpaper.errors import PaperError
from livingpaper.files import write_atomically
from livingpaper.say import claims

PARAMETER = "first_seed"
APART = 10_000  # from the first seed of a block to that of the next
FILE = "replications.json"  # in an assembled tree, for all chapters
# Of an interval's width: as far as numbers may be apart and pass for the same. A rounding decides whether a neuron at
# its kink is awake, so on another processor one training in thousands ends elsewhere. What that moves is less than
# the interval's own error, which it has from being resampled.
SAME = 1 / 20


@dataclass(frozen=True)
class Number:
    """What a claim came to in one draw, and the predicate that was in force."""

    estimate: float | None
    interval: list[float] | None
    draws: int | list[int] | None
    holds_if: str

    @classmethod
    def of(cls, claim: Mapping) -> "Number":
        """The number of a claim that was judged."""
        return cls(*(claim.get(name) for name in ("estimate", "interval", "draws", "holds_if")))

    @property
    def verdict(self) -> str:
        """What this draw says."""
        return claims.verdict(asdict(self), self.holds_if)

    def __str__(self) -> str:
        return f"{claims.estimate_text(asdict(self))} {self.verdict}" if self.interval else self.verdict

    def same(self, other: "Number") -> bool:
        """Whether another computation came to the same, but for the rounding of another processor."""
        mine, theirs = ([one.estimate, *(one.interval or [])] for one in (self, other))
        if self.draws != other.draws or len(mine) != len(theirs) or None in (*mine, *theirs):
            return asdict(self) == asdict(other)
        width = other.interval[1] - other.interval[0] if other.interval else 0
        near = max(SAME * width, 1e-12) if math.isfinite(width) else 1e-12
        return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=near) for a, b in zip(mine, theirs, strict=True))

    def against(self, published: "Number | str | None") -> str:
        """``changed`` if the verdict is not the published one, ``disjoint`` if no number is in both intervals."""
        before = published.verdict if isinstance(published, Number) else published
        said = ["changed"] if before not in (None, self.verdict) else []
        if isinstance(published, Number) and self.interval and published.interval:
            if max(self.interval[0], published.interval[0]) > min(self.interval[1], published.interval[1]):
                said.append("disjoint")
        return ", ".join(said)


@dataclass(frozen=True)
class Draw:
    """A chapter in one block of seeds: the first, the least and largest that were drawn, each claim's number by id."""

    first_seed: int
    seeds: list[int] | None
    claims: dict[str, Number]

    @property
    def predicates(self) -> dict[str, str]:
        """What each claim was held against."""
        return {id: number.holds_if for id, number in self.claims.items()}


@dataclass(frozen=True)
class Drawn:
    """The published draw of a chapter and its fresh ones, and in words what has changed since they were made."""

    draws: list[Draw]
    outdated: list[str]

    def beyond(self, draws: Sequence[Draw]) -> list[Draw]:
        """Those of later seeds than some new ones, if they still say as much, of the same claims."""
        last, predicates = draws[-1].first_seed, draws[0].predicates
        later = [draw for draw in self.draws if draw.first_seed > last and draw.predicates == predicates]
        return [] if self.outdated else later


@dataclass(frozen=True)
class Kept:
    """What is kept beside a chapter: its draws, the published one first, and what they were made of."""

    schema: int
    made_of: dict
    draws: list[Draw]


def draw_of(first_seed: int, judged: Mapping[str, dict], run: Mapping) -> Draw:
    """The draw that an executed chapter is: its claims by id, and the record of its run."""
    ends = [sweep["seeds"] for sweep in run["sweeps"]]
    seeds = [min(low for low, _ in ends), max(high for _, high in ends)] if ends else None
    return Draw(first_seed, seeds, {id: Number.of(claim) for id, claim in judged.items()})


def check(chapter: str, draws: Sequence[Draw], runs: Sequence[Mapping]) -> None:
    """Refuse draws that are not independent of each other.

    Raises:
        PaperError: a sweep whose seeds do not start at the first of its block; blocks that share seeds.
    """
    for draw, run in zip(draws, runs, strict=True):
        for sweep in run["sweeps"]:
            if sweep["seeds"][0] != draw.first_seed:
                raise PaperError(
                    f"{chapter}: with {PARAMETER} = {draw.first_seed} its sweep of {sweep['experiment']} has the seeds "
                    f"{_between(sweep['seeds'])}: let them start there, as in seeds=range({PARAMETER}, {PARAMETER} + 9)"
                )
    blocks = [draw for draw in draws if draw.seeds]
    for one, two in zip(blocks, blocks[1:], strict=False):
        if one.seeds[1] >= two.seeds[0]:
            raise PaperError(
                f"{chapter}: the blocks of seeds from {one.first_seed} and from {two.first_seed} overlap: "
                f"{_between(one.seeds)} and {_between(two.seeds)}; a chapter can have {APART} seeds"
            )


def write(project: Project, chapter: str, parts: Mapping, draws: Iterable[Draw]) -> None:
    """Keep the draws of a chapter, which depend on these parts, beside it: the same draws give the same bytes."""
    kept = Kept(1, keys.portable(parts, PARAMETER), list(draws))
    content = json.dumps(asdict(kept), indent=1, ensure_ascii=False)
    content = re.sub(r"\[\s+(\S+),\s+(\S+)\s+\]", r"[\1, \2]", content)  # an interval is one line, for who reviews it
    write_atomically(project.root / path(project, chapter), f"{content}\n".encode())


def read(project: Project, chapter: str, parts: Mapping) -> Drawn:
    """What is kept of a chapter, whose published draw depends on these parts now; no draws where nothing is kept.

    Raises:
        PaperError: a file that is damaged.
    """
    file = project.root / path(project, chapter)
    if not file.is_file():
        return Drawn([], [])
    try:
        kept = TypeAdapter(Kept).validate_json(file.read_bytes())
        changed = keys.changes(kept.made_of, keys.portable(parts, PARAMETER))
    except (ValidationError, KeyError, TypeError, ValueError):
        remedy = f"remove it and run `{project.settings.command} replicate {chapter}`"
        raise PaperError(f"{file} holds no replications: {remedy}") from None
    return Drawn(kept.draws, changed)


def path(project: Project, chapter: str) -> Path:
    """The file of a chapter, relative to the root of its book."""
    return project.chapter(chapter).with_suffix(f".{FILE}")


def write_all(tree: Path, drawn: Mapping[str, Drawn]) -> None:
    """Write down in an assembled tree what the pages say of each chapter."""
    content = json.dumps({name: asdict(one) for name, one in drawn.items()}, indent=1, sort_keys=True)
    (tree / FILE).write_text(content, encoding="utf-8")


def read_all(tree: Path) -> dict[str, Drawn]:
    """What the pages of a tree say of each chapter; nothing where these are not the published values."""
    file = tree / FILE
    return TypeAdapter(dict[str, Drawn]).validate_json(file.read_bytes()) if file.is_file() else {}


def applied(claim: dict, drawn: Drawn | None) -> dict:
    """A judged claim with what fresh draws said, if these are the published values and anybody looked.

    A claim is settled only as long as every fresh draw has the same verdict. Draws are outdated if the predicate has
    changed since, or the code, and the published number with it: then they are shown, and decide nothing.
    """
    found = claim["verdict"]
    claim = claim | {"verdict_of_draw": found, "replications": None, "replications_outdated": []}
    if drawn is None:
        return claim
    draws = {draw.first_seed: draw.claims[claim["id"]] for draw in drawn.draws if claim["id"] in draw.claims}
    (_, published), *fresh = draws.items() or [(None, None)]
    claim["replications"] = [
        {"first_seed": first, "estimate": one.estimate, "interval": one.interval, "verdict": one.verdict}
        for first, one in fresh
    ]
    if fresh:
        other = [f"the predicate was {published.holds_if}"] if published.holds_if != claim["holds_if"] else []
        # a cell that draws, or a module that computes the same in another way, has changed no number
        claim["replications_outdated"] = other + ([] if published.same(Number.of(claim)) else drawn.outdated)
    if not claim["replications_outdated"] and any(one.verdict != found for _, one in fresh):
        claim["verdict"] = "unresolved"
    return claim


def stood(claim: Mapping) -> bool:
    """Whether a claim had its verdict in every fresh draw, and there were some that still count."""
    same = all(one["verdict"] == claim["verdict_of_draw"] != claims.NOT_TESTABLE for one in claim["replications"] or ())
    return bool(claim["replications"] and same and not claim["replications_outdated"])


def in_words(claim: Mapping) -> str:
    """How a claim fared in fresh draws; nothing where it had nothing to test, or these are not the published values."""
    if claim.get("replications") is None or {one["verdict"] for one in (claim, *claim["replications"])} == {
        claims.NOT_TESTABLE
    }:
        return ""
    if not claim["replications"]:
        return "not replicated yet"
    verdicts, changed = [one["verdict"] for one in claim["replications"]], claim["replications_outdated"]
    draws = f"fresh draw{'s' if len(verdicts) > 1 else ''}"
    if set(verdicts) == {claim["verdict_of_draw"]}:
        words = f"stood in {len(verdicts)} of {len(verdicts)} {draws}"
    else:
        words = f"{claim['verdict_of_draw']} in the published draw; {', '.join(verdicts)} in {draws}"
    if changed:
        words += f"; outdated: {changed[0]}" + (f" and {len(changed) - 1} more" if len(changed) > 1 else "")
    return words


def _between(seeds: Sequence[int]) -> str:
    return f"{seeds[0]} to {seeds[1]}"
