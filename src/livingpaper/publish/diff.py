"""What changed between two builds: claims, tables, captions, parameters, versions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from livingpaper.errors import InputError
from livingpaper.publish.compare import compare, in_words, read_csv
from livingpaper.publish.published import Published
from livingpaper.say.claims import estimate_text

KINDS = ("claims", "figures and tables", "captions", "parameters", "versions")
_SAID = ("paper", "where", "holds_if", "on_record", "figure")  # of a claim, beside its numbers
_WORDS = ("statement", "note", "changed")  # of a claim, which a site has as they read on its pages


@dataclass(frozen=True)
class Change:
    """One difference: of what kind, in what, in words; ``facts``, by name the old and the new, are for programs."""

    kind: str
    what: str
    words: str
    facts: dict = field(default_factory=dict)


def diff(old: Published, new: Published) -> list[Change]:
    """All differences, in the order of ``KINDS``; of one chapter, where only that was run again.

    A site and a run are not compared by their words: the one has them as its pages do, the other as they are written.

    Raises:
        InputError: runs of two chapters.
    """
    chapters = {side.chapter for side in (old, new) if side.chapter}
    if len(chapters) > 1:
        raise InputError(
            f"{old.folder} is a run of {old.chapter}, and {new.folder} of {new.chapter}: compare two of one"
        )
    chapter, alike = next(iter(chapters), None), bool(old.chapter) == bool(new.chapter)
    figures, claims, runs = ([side.of(kind, chapter) for side in (old, new)] for kind in ("figures", "claims", "runs"))
    captions = ("caption", "alt", "number", "page") if alike else ()
    return [
        *_came_and_went("claims", *claims),
        *_claims(*claims, ("verdict", "estimate", "interval", *_SAID, *(_WORDS if alike else ()))),
        *_came_and_went("figures and tables", *figures),
        *_tables(old, new, *figures),
        *(
            Change("captions", id, f"{name}: {a} → {b}", {name: [a, b]})
            for id, name, a, b in _fields(*figures, captions)
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
        for name in dict.fromkeys([*old[what], *new[what]]) if names is None else names:
            a, b = old[what].get(name), new[what].get(name)
            if a != b:
                yield what, name, a, b


def _came_and_went(kind: str, old: Mapping, new: Mapping) -> Iterator[Change]:
    for ids, others, how in ((new, old, "new"), (old, new, "gone")):
        yield from (Change(kind, id, how, {how: True}) for id in ids if id not in others)


def _claims(old: Mapping[str, dict], new: Mapping[str, dict], names: Sequence[str]) -> Iterator[Change]:
    changed: dict[str, dict[str, list]] = {}
    for id, name, a, b in _fields(old, new, names):
        changed.setdefault(id, {})[name] = [a, b]
    for id, facts in changed.items():
        said = [f"{a} → {b}" for a, b in [facts["verdict"]]] if "verdict" in facts else []
        if facts.keys() & {"estimate", "interval"}:
            here, there = estimate_text(old[id]), estimate_text(new[id])
            said.append(f"{here} → {there}" if here != there else f"{here}, changed beyond the digits shown")
        said += [f"{name}: {a} → {b}" for name, (a, b) in facts.items() if name in (*_SAID, *_WORDS)]
        yield Change("claims", id, "; ".join(said), facts)


def _tables(old: Published, new: Published, here: Mapping[str, dict], there: Mapping[str, dict]) -> Iterator[Change]:
    for id in (id for id in here if id in there):
        before, after = here[id]["files"], there[id]["files"]
        if old.data(id) != new.data(id):
            comparison = compare(*(read_csv(site.data(id), f"{id}.csv") for site in (old, new)))
            words = in_words(comparison) or "the same values, written differently"
            yield Change("figures and tables", id, words, asdict(comparison))
        elif pictures := [name for name in after if before.get(name) != after[name]]:
            words = f"the same numbers, drawn differently: {', '.join(pictures)}"
            yield Change("figures and tables", id, words, {"pictures": pictures})
