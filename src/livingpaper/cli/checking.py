"""``cite``, ``verify`` and ``diff``: what was published, how to cite it, and whether it still comes out."""

import dataclasses
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from livingpaper.build import pipeline as building
from livingpaper.build.project import TIME_LIMIT, Project
from livingpaper.cli.app import AsJson, Jobs, PresetName, TimeLimit, app, command, out, show, site
from livingpaper.cli.executing import display
from livingpaper.errors import InputError, PaperError
from livingpaper.publish.diff import KINDS
from livingpaper.publish.diff import diff as differences
from livingpaper.publish.published import Published
from livingpaper.publish.verify import Verification

Format = StrEnum("Format", {"BIBTEX": "bibtex", "APA": "apa", "CSL_JSON": "csl-json"})


def figures(incomplete: str) -> list[str]:
    try:
        return [id for id in Published(site(None)).figures if id.startswith(incomplete)]
    except PaperError:
        return []


FigureId = Annotated[
    str | None, typer.Argument(metavar="ID", help="A figure or table, e.g. fig-digits.", autocompletion=figures)
]


@app.command(epilog="Examples: `COMMAND cite` · `COMMAND cite fig-digits` · `COMMAND cite tab-digits --format apa`")
def cite(
    id: FigureId = None,
    format: Annotated[Format, typer.Option(help="How.")] = Format.BIBTEX,
    preset: PresetName = None,
) -> None:
    """Say how to cite a figure or table of the last build, or without ID the whole book, as its page does."""
    published = Published(site(preset))
    known = id and published.known(id)
    sys.stdout.write(published.citation(known, format.value))


@app.command(
    epilog="Examples: `COMMAND verify fig-digits` · `COMMAND verify --preset smoke --stored-trainings` · "
    "`COMMAND verify fig-digits --against fig-digits.csv`"
)
def verify(
    id: FigureId = None,
    folder: Annotated[
        Path | None, typer.Option("--site", metavar="FOLDER", help="A built site; default: that of the last build.")
    ] = None,
    preset: PresetName = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Compare with this table, not with the published one.")
    ] = None,
    stored_trainings: Annotated[
        bool, typer.Option("--stored-trainings", help="Take finished trainings from the store; default: train again.")
    ] = False,
    jobs: Jobs = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Compute a figure's table again from its recorded parameters, and compare it with the published one.

    Says identical, within the seed band (every mean over seeds in the published mean's 95% interval) or different, and
    by how much. Without ID: all figures and tables. Ends with status 0 if none is different.
    """
    if folder and preset:
        raise InputError(f"--site {folder} and --preset {preset} both choose a site: give one of them")
    if against and not id:
        raise InputError(
            f"--against {against} compares one table: say which, as in `{command()} verify fig-digits --against …`"
        )
    project = Project.find()
    published = Published.find(folder) if folder else Published(site(preset))
    wanted = [published.known(id)] if id else list(published.figures)
    verification = Verification(project, published, wanted, stored_trainings)
    with building.lock(project):
        limits = (jobs or building.default_jobs(), time_limit or TIME_LIMIT)
        if as_json:
            verification.run(*limits, lambda _: None)
        else:
            with display() as watch:
                verification.run(*limits, watch)
        results = verification.results(against)
        failed = [job for job in verification.jobs.values() if job.failure]
        if not failed:
            verification.finish()
    if as_json:
        print(json.dumps([result.facts() for result in results], indent=2, ensure_ascii=False))
    else:
        rows = [{"id": result.id, "verdict": result.verdict, "what": result.words} for result in results]
        show(rows, ("id", "verdict", "what"), False)
        for chapter in dict.fromkeys(result.chapter for result in results if result.verdict != "identical"):
            changed = next(result.changed for result in results if result.chapter == chapter)
            told = "; ".join(changed) or "nothing that is recorded"
            out.print(f"{chapter}: changed since it was published: {told}")
    if failed:
        told = "\n".join(f"  {job.chapter}: {job.failure}\n    log: {job.file('log')}" for job in failed)
        raise PaperError(f"{len(failed)} of {len(verification.jobs)} chapters could not be executed:\n{told}")
    raise typer.Exit(0 if all(result.passed for result in results) else 1)


@app.command(epilog="Examples: `COMMAND diff _build/html ../published` · `COMMAND diff old.site new.site --json`")
def diff(
    old: Annotated[Path, typer.Argument(metavar="A", help="A built site, or a folder that holds one.")],
    new: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """Say what changed from build A to build B: claims, tables, captions, parameters, versions.

    Ends with status 0 if nothing did, 1 if something did.
    """
    changes = differences(Published.find(old), Published.find(new))
    if as_json:
        print(json.dumps([dataclasses.asdict(change) for change in changes], indent=2, ensure_ascii=False))
    for kind in KINDS if not as_json else ():
        if rows := [vars(change) for change in changes if change.kind == kind]:
            out.print(f"{kind}:")
            for row in rows:
                out.print(f"  {row['what']}: {row['words']}")
    if not as_json and not changes:
        out.print("nothing differs")
    raise typer.Exit(1 if changes else 0)
