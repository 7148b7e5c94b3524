"""The files behind the pages, at addresses that stay: ``figures/<id>.*``, ``figures/index.json``, ``claims.*``."""

import json
import shutil
from pathlib import Path

import pandas as pd
from sphinx.application import Sphinx

from livingpaper.build import archive
from livingpaper.build.replications import stood
from livingpaper.publish import citation
from livingpaper.say.figures import contents, csv
from livingpaper.sphinx import made
from livingpaper.sphinx.cite import cite, page, summary
from livingpaper.sphinx.records import read_records


def publish(app: Sphinx, exception: Exception | None) -> None:
    """Write every figure's files, the index of figures, the list of claims and the citations into the finished site."""
    if exception is not None or app.builder.format not in ("html", "latex"):
        return
    catalogue = app.env.get_domain("paper")
    folder = Path(app.outdir, "figures")
    folder.mkdir(exist_ok=True)
    # only this extension writes here, so what an earlier build left of a figure that is gone can go
    for stale in [*folder.glob("fig-*"), *folder.glob("tab-*")]:
        stale.unlink()
    records = read_records(Path(app.srcdir))
    figures = [_publish_figure(app, folder, entry, records) for entry in catalogue.in_reading_order("figures")]
    _write_json(folder / "index.json", {"schema": 1, "figures": figures})
    claims = [
        {"number": number}
        | {key: value for key, value in claim.items() if key not in ("docname", "cell", "schema")}
        | {part: catalogue.in_words(claim, part) for part in ("statement", "note", "changed") if claim[part]}
        | {"page": page(app, claim)}
        for number, claim in enumerate(catalogue.in_reading_order("claims"), start=1)
    ]
    _write_json(Path(app.outdir, "claims.json"), {"schema": 1, "claims": claims})
    if claims:
        Path(app.outdir, "claims.csv").write_text(csv(pd.DataFrame(map(_flat, claims))), encoding="utf-8")
    _write_citations(Path(app.outdir, citation.BOOK), cite(app))
    if (sources := Path(app.srcdir, archive.FILE)).is_file():
        shutil.copy(sources, app.outdir)


def _publish_figure(app: Sphinx, folder: Path, entry: dict, records: dict[str, dict]) -> dict:
    about = summary(app, entry["id"])
    for suffix, content in contents(entry).items():
        folder.joinpath(f"{about['id']}.{suffix}").write_bytes(content)
    record = records.get(entry["docname"].rpartition("/")[2])
    provenance = about | {"chapter": entry["docname"], "environment": entry["environment"], "run": record}
    provenance["columns"] = made.described(app, about["id"])
    _write_json(folder / f"{about['id']}.json", {"schema": 1} | provenance)
    _write_citations(folder / about["id"], cite(app, about["id"]))
    return about


def _flat(claim: dict) -> dict:
    """A claim as a row of a table."""
    low, high = claim["interval"] or (None, None)
    names = ("number", "id", "verdict", "statement", "where", "paper", "estimate")
    fresh = {"fresh_draws": len(claim["replications"] or ()), "stood": stood(claim)}
    return (
        {name: claim[name] for name in names}
        | {"low": low, "high": high}
        | {name: claim[name] for name in ("holds_if", "on_record")}
        | fresh
        | {"page": claim["page"]}
    )


def _write_citations(stem: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        stem.with_name(f"{stem.name}.{citation.FORMATS[name]}").write_text(text, encoding="utf-8")


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register what is published beside the pages."""
    app.connect("build-finished", publish)
