"""``cite``, ``verify`` and ``diff``: what was published, how to cite it, and whether it still comes out."""

import dataclasses
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from livingpaper.build import pipeline
from livingpaper.build.project import TIME_LIMIT, Project
from livingpaper.cli.app import (
    AsJson,
    Jobs,
    PresetName,
    TimeLimit,
    app,
    check,
    command,
    one_of,
    out,
    show,
    show_json,
    site,
)
from livingpaper.cli.executing import display
from livingpaper.errors import InputError
from livingpaper.publish.diff import KINDS
from livingpaper.publish.diff import diff as differences
from livingpaper.publish.published import Published, find
from livingpaper.publish.verify import Verification

Format = StrEnum("Format", {"BIBTEX": "bibtex", "APA": "apa", "CSL_JSON": "csl-json"})
FigureId = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        help="A figure or table, e.g. fig-digits.",
        autocompletion=one_of(lambda: Published(site(None)).figures),
    ),
]


@app.command(epilog="Examples: `COMMAND cite` · `COMMAND cite fig-digits` · `COMMAND cite tab-digits --format apa`")
def cite(
    id: FigureId = None,
    format: Annotated[Format, typer.Option(help="How.")] = Format.BIBTEX,
    preset: PresetName = None,
) -> None:
    """Say how to cite a figure or table of the last build, or without ID the whole book, as its page does."""
    published = Published(site(preset))
    sys.stdout.write(published.citation(id and published.known(id), format.value))


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
    verification = Verification(project, published, wanted, stored_trainings, against)
    with pipeline.lock(project), display(quiet=as_json) as watch:
        verification.run(jobs or pipeline.default_jobs(), time_limit or TIME_LIMIT, watch)
        results = verification.results()
        verification.finish()
    if as_json:
        show_json([result.facts() for result in results])
    else:
        show([vars(result) for result in results], ("id", "verdict", "words"))
        for chapter in dict.fromkeys(result.chapter for result in results if result.verdict != "identical"):
            changed = next(result.changed for result in results if result.chapter == chapter)
            told = "; ".join(changed) or "nothing that is recorded"
            out.print(f"{chapter}: changed since it was published: {told}")
    check(verification.jobs.values(), "could not be executed")
    raise typer.Exit(0 if all(result.passed for result in results) else 1)


@app.command(
    epilog="Examples: `COMMAND diff _build/html ../published` · `COMMAND diff _build/html _build/runs/RUN --json`"
)
def diff(
    old: Annotated[
        Path, typer.Argument(metavar="A", help="A built site, a folder that holds one, or one that `run` wrote.")
    ],
    new: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """Say what changed from build A to build B: claims, tables, captions, parameters, versions.

    A folder that `run` wrote is compared with another run of the chapter, or with that chapter of a site.
    Ends with status 0 if nothing did, 1 if something did.
    """
    changes = differences(find(old), find(new))
    if as_json:
        show_json([dataclasses.asdict(change) for change in changes])
    else:
        for kind in KINDS:
            if said := [f"  {change.what}: {change.words}" for change in changes if change.kind == kind]:
                out.print("\n".join([f"{kind}:", *said]))
        if not changes:
            out.print("nothing differs")
    raise typer.Exit(1 if changes else 0)
