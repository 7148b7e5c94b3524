"""What changed between two builds: claims, tables, captions, parameters, versions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from livingpaper.publish.compare import compare, in_words, read_csv
from livingpaper.publish.published import Published
from livingpaper.say.claims import estimate_text

KINDS = ("claims", "figures and tables", "captions", "parameters", "versions")
_SAID = ("statement", "paper", "where", "holds_if", "on_record", "figure", "note")  # of a claim, beside its numbers


@dataclass(frozen=True)
class Change:
    """One difference: of what kind, in what, in words; ``facts``, by name the old and the new, are for programs."""

    kind: str
    what: str
    words: str
    facts: dict = field(default_factory=dict)


def diff(old: Published, new: Published) -> list[Change]:
    """All differences, in the order of ``KINDS``."""
    runs = old.runs, new.runs
    return [
        *_came_and_went("claims", old.claims, new.claims),
        *_claims(old.claims, new.claims),
        *_came_and_went("figures and tables", old.figures, new.figures),
        *_tables(old, new),
        *(
            Change("captions", id, f"{name}: {a} → {b}", {name: [a, b]})
            for id, name, a, b in _fields(old.figures, new.figures, ("caption", "alt", "number", "page"))
        ),
        *(
            Change(kind, f"{chapter}.{name}", f"{a} → {b}", {"chapter": chapter, "name": name, "values": [a, b]})
            for kind, part in (("parameters", _values), ("versions", _used))
            for chapter, name, a, b in _fields(*({name: part(run) for name, run in side.items()} for side in runs))
        ),
    ]


def _values(run: dict) -> dict:
    return run["parameters"]


def _used(run: dict) -> dict:
    return {"python": run["python"], "device": run["device"]} | run["versions"]


def _fields(
    old: Mapping[str, dict], new: Mapping[str, dict], names: Sequence[str] | None = None
) -> Iterator[tuple[str, str, object, object]]:
    """Which fields of what both have changed, from what to what; of all fields, or of those named."""
    for what in (what for what in old if what in new):
        for name in names or dict.fromkeys([*old[what], *new[what]]):
            a, b = old[what].get(name), new[what].get(name)
            if a != b:
                yield what, name, a, b


def _came_and_went(kind: str, old: Mapping, new: Mapping) -> Iterator[Change]:
    for ids, others, how in ((new, old, "new"), (old, new, "gone")):
        yield from (Change(kind, id, how, {how: True}) for id in ids if id not in others)


def _claims(old: Mapping[str, dict], new: Mapping[str, dict]) -> Iterator[Change]:
    changed: dict[str, dict[str, list]] = {}
    for id, name, a, b in _fields(old, new, ("verdict", "estimate", "interval", *_SAID)):
        changed.setdefault(id, {})[name] = [a, b]
    for id, facts in changed.items():
        said = [f"{a} → {b}" for a, b in [facts["verdict"]]] if "verdict" in facts else []
        if facts.keys() & {"estimate", "interval"}:
            here, there = estimate_text(old[id]), estimate_text(new[id])
            said.append(f"{here} → {there}" if here != there else f"{here}, changed beyond the digits shown")
        said += [f"{name}: {a} → {b}" for name, (a, b) in facts.items() if name in _SAID]
        yield Change("claims", id, "; ".join(said), facts)


def _tables(old: Published, new: Published) -> Iterator[Change]:
    for id in (id for id in old.figures if id in new.figures):
        before, after = old.figures[id]["files"], new.figures[id]["files"]
        if old.data(id) != new.data(id):
            comparison = compare(*(read_csv(site.data(id), f"{id}.csv") for site in (old, new)))
            words = in_words(comparison) or "the same values, written differently"
            yield Change("figures and tables", id, words, asdict(comparison))
        elif pictures := [name for name in after if before.get(name) != after[name]]:
            words = f"the same numbers, drawn differently: {', '.join(pictures)}"
            yield Change("figures and tables", id, words, {"pictures": pictures})
