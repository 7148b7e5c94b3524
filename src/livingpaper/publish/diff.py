"""What changed between two builds: claims, tables, captions, parameters, versions."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from livingpaper.publish.compare import compare, in_words, read_csv
from livingpaper.publish.published import Published
from livingpaper.say.claims import estimate_text

KINDS = ("claims", "figures and tables", "captions", "parameters", "versions")
_SAID = ("statement", "paper", "where", "holds_if", "on_record", "figure", "note")  # of a claim, beside its numbers


@dataclass(frozen=True)
class Change:
    """One difference: of what kind, in what, in words; ``facts`` are for programs."""

    kind: str
    what: str
    words: str
    facts: dict = field(default_factory=dict)


def diff(old: Published, new: Published) -> list[Change]:
    """All differences, in the order of ``KINDS``."""
    return [*_claims(old, new), *_figures(old, new), *_captions(old, new), *_runs(old, new)]


def _claims(old: Published, new: Published) -> Iterator[Change]:
    before, after = old.claims, new.claims
    yield from _came_and_went("claims", before, after)
    for id in [id for id in before if id in after]:
        a, b = before[id], after[id]
        said = []
        if a["verdict"] != b["verdict"]:
            said.append(f"{a['verdict']} → {b['verdict']}")
        if (a["estimate"], a["interval"]) != (b["estimate"], b["interval"]):
            here, there = estimate_text(a), estimate_text(b)
            said.append(f"{here} → {there}" if here != there else f"{here}, changed beyond the digits shown")
        said += [f"{name}: {a.get(name)} → {b.get(name)}" for name in _SAID if a.get(name) != b.get(name)]
        if said:
            names = [name for name in ("verdict", "estimate", "interval", *_SAID) if a.get(name) != b.get(name)]
            facts = {name: [a.get(name), b.get(name)] for name in names}
            yield Change("claims", id, "; ".join(said), facts)


def _figures(old: Published, new: Published) -> Iterator[Change]:
    yield from _came_and_went("figures and tables", old.figures, new.figures)
    for id in _common(old, new):
        before, after = old.data(id), new.data(id)
        if before != after:
            comparison = compare(read_csv(before, f"{id}.csv"), read_csv(after, f"{id}.csv"))
            words = in_words(comparison) or "the same values, written differently"
            yield Change("figures and tables", id, words, asdict(comparison))
            continue
        files = (old.figures[id]["files"], new.figures[id]["files"])
        if pictures := [name for name in files[1] if files[0].get(name) != files[1][name]]:
            words = f"the same numbers, drawn differently: {', '.join(pictures)}"
            yield Change("figures and tables", id, words, {"pictures": pictures})


def _captions(old: Published, new: Published) -> Iterator[Change]:
    for id in _common(old, new):
        for name in ("caption", "alt", "number", "page"):
            before, after = old.figures[id][name], new.figures[id][name]
            if before != after:
                yield Change("captions", id, f"{name}: {before} → {after}", {name: [before, after]})


def _runs(old: Published, new: Published) -> Iterator[Change]:
    before, after = _records(old), _records(new)
    shared = [chapter for chapter in before if chapter in after]
    for chapter in shared:
        yield from _values("parameters", chapter, before[chapter]["parameters"], after[chapter]["parameters"])
    for chapter in shared:
        a, b = (
            {"python": run["python"], "device": run["device"]} | run["versions"]
            for run in (before[chapter], after[chapter])
        )
        yield from _values("versions", chapter, a, b)


def _values(kind: str, chapter: str, before: dict, after: dict) -> Iterator[Change]:
    for name in [*before, *(name for name in after if name not in before)]:
        a, b = before.get(name), after.get(name)
        if a != b:
            yield Change(kind, f"{chapter}.{name}", f"{a} → {b}", {"chapter": chapter, "name": name, "values": [a, b]})


def _records(site: Published) -> dict[str, dict]:
    """The record of each chapter's run, where there is one."""
    records = (site.provenance(id) for id in site.figures)
    return {record["chapter"]: record["run"] for record in records if record["run"]}


def _came_and_went(kind: str, before: dict, after: dict) -> Iterator[Change]:
    for ids, others, how in ((after, before, "new"), (before, after, "gone")):
        yield from (Change(kind, id, how, {how: True}) for id in ids if id not in others)


def _common(old: Published, new: Published) -> list[str]:
    return [id for id in old.figures if id in new.figures]
