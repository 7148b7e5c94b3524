"""What a benchmark says: ratios with their spread and their aim, beside the absolute numbers they were made of."""

import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
DIRECTIONS = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Agreement:
    """How far the two sides' answers are apart, and how far they may be: a fast wrong answer meets no aim."""

    what: str
    difference: float
    allowed: float


@dataclass(frozen=True)
class Comparison:
    """One ratio with its aim, such as ``>= 400``; one value a repetition, none where there was nothing to compare with.

    A ratio without an aim is there to be known.

    ``measured`` are the numbers behind it by name, in ``unit``, as they were measured; where a side ran less than the
    ratio speaks of, ``extrapolated_from`` says what, and ``scale`` is the factor to the whole. ``flop`` counts the
    floating-point operations of one repetition, by the same names.
    """

    case: str
    aim: str | None
    ratios: Sequence[float]
    measured: Mapping[str, Sequence[float]]
    unit: str = "s"
    scale: float = 1.0
    extrapolated_from: str | None = None
    agreement: Agreement | None = None
    flop: Mapping[str, float] | None = None
    note: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        ratio = median(self.ratios) if self.ratios else None
        direction, aim = self.aim.split() if self.aim else (None, None)
        met = None
        if self.aim and ratio is not None:
            # NaN, the difference to a side that diverged, is no agreement.
            agrees = self.agreement is None or self.agreement.difference <= self.agreement.allowed
            met = DIRECTIONS[direction](ratio, float(aim)) and agrees
        return {
            "case": self.case,
            "ratio": rounded(ratio),
            "least": rounded(min(self.ratios, default=None)),
            "largest": rounded(max(self.ratios, default=None)),
            "repetitions": len(self.ratios),
            "aim": {"direction": direction, "value": float(aim)} if self.aim else None,
            "met": met,
            "unit": self.unit,
            "measured": {name: [rounded(value) for value in values] for name, values in self.measured.items()},
            "scale": self.scale,
            "extrapolated_from": self.extrapolated_from,
            "agreement": self.agreement and {**vars(self.agreement), "difference": rounded(self.agreement.difference)},
            "FLOP/s": {
                name: rounded(flop / median(self.measured[name]))
                for name, flop in (self.flop or {}).items()
                if name in self.measured
            },
            "note": self.note,
        }


def ratio_of_times(
    case: str,
    aim: str | None,
    seconds: Mapping[str, Sequence[float]],
    over: str,
    under: str,
    scale: float = 1.0,
    **more: Any,
) -> Comparison:
    """The comparison scale * seconds[over] / seconds[under], by repetition; without a ratio if one was not measured."""
    measured = {name: seconds[name] for name in (over, under) if name in seconds}
    ratios = [scale * a / b for a, b in zip(*measured.values(), strict=True)] if len(measured) == 2 else []
    return Comparison(case, aim, ratios, measured, scale=scale, **more)


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, against what, and the comparisons."""

    number: int
    what: str
    against: str
    comparisons: Sequence[Comparison]
    note: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON values; ``met`` says whether every comparison met its aim, None if one could not be made."""
        comparisons = [comparison.record() for comparison in self.comparisons]
        verdicts = [comparison["met"] for comparison in comparisons if comparison["aim"]]
        return {
            "number": self.number,
            "what": self.what,
            "against": self.against,
            "met": all(verdicts) if verdicts and None not in verdicts else None,
            "comparisons": comparisons,
            "note": self.note,
        }


def folder_of(trial: bool) -> Path:
    """Where records are kept. A run at tiny sizes or without the peers is a trial, and overwrites no measurement."""
    return HERE / "results" / ("trial" if trial else "")


def file_of(number: int, device: str, folder: Path) -> Path:
    """Where the record of a row is kept."""
    return folder / (f"row-{number}.json" if device == "cpu" else f"row-{number}-{device}.json")


def merged(folder: Path, device: str, together: Path) -> dict[str, Any]:
    """All rows that were measured on a device, in the order of their numbers: those in a folder, in the place of older
    ones that lie together in a file."""
    older = json.loads(together.read_text())["rows"] if together.exists() else []
    pattern = f"row-*[0-9]{'' if device == 'cpu' else '-' + device}.json"
    newer = [json.loads(file.read_text()) for file in folder.glob(pattern)]
    records = {record["number"]: record for record in [*older, *newer]}
    return {"rows": [records[number] for number in sorted(records)]}


def lines(record: Mapping[str, Any]) -> list[str]:
    """A record as text."""
    out = [f"{record['number']}. {record['what']}; against: {record['against']}"]
    peak = median(record["peak"]["FLOP/s"])
    for c in record["comparisons"]:
        out.append(f"   {c['case']}: {_ratio(c)}{_verdict(c)}")
        parts = [_absolute(name, values, c, peak) for name, values in c["measured"].items()]
        out.append(f"      {'; '.join(parts)}")
        if c["extrapolated_from"]:
            out.append(f"      extrapolated from {c['extrapolated_from']}: the measured time times {c['scale']:g}")
        if a := c["agreement"]:
            out.append(f"      {a['what']}: {a['difference']:.2g}, allowed {a['allowed']:g}")
        out += [f"      {c['note']}"] if c["note"] else []
    out += [f"   {record['note']}"] if record["note"] else []
    kind = record["peak"]["dtype"]
    out.append(f"   matrix-product peak, {kind}: {peak / 1e9:.4g} GFLOP/s, {record['machine']['threads']} threads")
    return out


def _ratio(comparison: Mapping[str, Any]) -> str:
    if comparison["ratio"] is None:
        return "not compared"
    spread = f"{comparison['least']:.4g} to {comparison['largest']:.4g}"
    return f"{comparison['ratio']:.4g} ({spread} in {comparison['repetitions']} repetitions)"


def _verdict(comparison: Mapping[str, Any]) -> str:
    if comparison["aim"] is None:
        return ""
    verdict = {True: ": met", False: ": MISSED", None: ""}[comparison["met"]]
    return f", aim {comparison['aim']['direction']} {comparison['aim']['value']:g}{verdict}"


def _absolute(name: str, values: Sequence[float], comparison: Mapping[str, Any], peak: float) -> str:
    scale, unit = (1e6, "MB") if comparison["unit"] == "B" else (1, comparison["unit"])
    text = f"{name} {median(values) / scale:.4g} {unit}"
    if rate := comparison["FLOP/s"].get(name):
        text += f" ({rate / 1e9:.4g} GFLOP/s, {rate / peak:.0%} of the peak)"
    return text


def rounded(value: float | None) -> float | None:
    """To six digits: more are noise, and would differ in every run."""
    return None if value is None else float(f"{value:.6g}")
