"""The files behind the figures, at addresses that stay: ``figures/<id>.*``, ``figures/index.json``, ``claims.json``."""

import hashlib
import json
from pathlib import Path

import yaml
from pybtex.database import BibliographyData, Entry, Person
from sphinx.application import Sphinx

from benign.book.figures import contents
from benign.book.sphinxext.directives import read_records


def publish(app: Sphinx, exception: Exception | None) -> None:
    """Write every figure's files, the index of figures and the list of claims into the finished site."""
    if exception is not None or app.builder.format not in ("html", "latex"):
        return
    catalogue = app.env.get_domain("benign")
    folder = Path(app.outdir, "figures")
    folder.mkdir(exist_ok=True)
    # only this extension writes here, so what an earlier build left of a figure that is gone can go
    for stale in [*folder.glob("fig-*"), *folder.glob("tab-*")]:
        stale.unlink()
    records = read_records(Path(app.srcdir))
    figures = [_publish_figure(app, folder, entry, records) for entry in catalogue.in_reading_order("figures")]
    _write_json(folder / "index.json", {"schema": 1, "figures": figures})
    claims = [
        {key: value for key, value in claim.items() if key not in ("docname", "cell", "schema")}
        | {"page": _page(app, claim)}
        for claim in catalogue.in_reading_order("claims")
    ]
    _write_json(Path(app.outdir, "claims.json"), {"schema": 1, "claims": claims})


def citation_file(app: Sphinx) -> Path | None:
    """The book's CITATION.cff, if its sources have one."""
    path = Path(app.srcdir, "CITATION.cff")
    return path if path.is_file() else None


def _publish_figure(app: Sphinx, folder: Path, entry: dict, records: dict[str, dict]) -> dict:
    id = entry["id"]
    digests = {}
    for suffix, content in contents(entry).items():
        folder.joinpath(f"{id}.{suffix}").write_bytes(content)
        digests[f"{id}.{suffix}"] = hashlib.sha256(content).hexdigest()
    stem = entry["docname"].rpartition("/")[2]
    # the caption as it reads on the page: its numbers instead of the roles that fetch them
    summary = {"id": id, "kind": entry["kind"], "caption": entry["words"], "alt": entry["alt"]}
    summary |= {"page": _page(app, entry), "number": _number(app, entry), "files": digests}
    provenance = summary | {"chapter": entry["docname"], "environment": entry["environment"], "run": records.get(stem)}
    _write_json(folder / f"{id}.json", {"schema": 1} | provenance)
    if cff := citation_file(app):
        folder.joinpath(f"{id}.bib").write_text(_bibtex(app, cff, summary), encoding="utf-8")
    return summary


def _bibtex(app: Sphinx, cff: Path, figure: dict) -> str:
    """How to cite one figure: the book's own entry, with the figure as the part of it that is meant."""
    book = yaml.safe_load(cff.read_text(encoding="utf-8"))
    part = f"{'Figure' if figure['kind'] == 'figure' else 'Table'} {figure['number'] or figure['id']}"
    fields = {"title": f"{{{part}}} ({figure['id']}) in: {{{book['title']}}}"}
    if date := book.get("date-released"):
        fields["year"] = str(date)[:4]
    if version := book.get("version"):
        fields["version"] = str(version)
    if doi := book.get("doi"):
        fields["doi"] = str(doi)
    if home := app.config.html_baseurl or book.get("url"):
        fields["url"] = f"{str(home).rstrip('/')}/{figure['page']}"
    authors = [Person(_author(author)) for author in book.get("authors", [])]
    entry = Entry("misc", fields=fields, persons={"author": authors} if authors else None)
    return BibliographyData({figure["id"]: entry}).to_string("bibtex")


def _author(author: dict) -> str:
    if "name" in author:
        return f"{{{author['name']}}}"
    family = " ".join(filter(None, [author.get("name-particle"), author.get("family-names")]))
    return ", ".join(filter(None, [family, author.get("given-names")]))


def _page(app: Sphinx, entry: dict) -> str:
    return f"{app.builder.get_target_uri(entry['docname']).partition('#')[0]}#{entry['id']}"


def _number(app: Sphinx, entry: dict) -> str | None:
    numbers = app.env.toc_fignumbers.get(entry["docname"], {}).get(entry["kind"], {})
    return ".".join(map(str, numbers[entry["id"]])) if entry["id"] in numbers else None


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
