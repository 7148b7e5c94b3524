"""``replicate``: chapters drawn again with fresh seeds, and what became of their claims."""

from collections.abc import Sequence
from typing import Annotated

import typer

from livingpaper.build import pipeline, replications
from livingpaper.build.assemble import Chapter
from livingpaper.build.plan import Step, plan
from livingpaper.build.project import Project
from livingpaper.build.replications import APART, PARAMETER, Draw
from livingpaper.cli.app import AsJson, Jobs, Scheduler, TimeLimit, Workers, app, chapters, out, show, show_json
from livingpaper.cli.executing import execute
from livingpaper.errors import InputError, PaperError


@app.command(epilog="Examples: `COMMAND replicate` · `COMMAND replicate test-error --blocks 5`")
def replicate(
    chapter: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CHAPTER]...", help="Chapters; default: all.", autocompletion=chapters),
    ] = None,
    blocks: Annotated[int, typer.Option("--blocks", min=1, help="How many fresh blocks of seeds.")] = 3,
    jobs: Jobs = None,
    time_limit: TimeLimit = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Execute chapters at their published values, and again with fresh seeds; say which claims stand.

    What came out is kept beside each chapter as CHAPTER.replications.json, which the pages show: commit it. What was
    executed before is not executed again, and a draw that still counts stays in the file.
    """
    project = Project.find()
    names = _with_seeds(project, chapter or [], as_json)
    variants = [project.variant(None, {}, time_limit)]
    for block in range(1, blocks + 1):
        variants.append(project.variant(None, {name: {PARAMETER: block * APART} for name in names}, time_limit))
    found, refused = {}, {}
    with pipeline.lock(project):
        steps = [step for variant in variants for step in plan(project, variant, names)]
        by_chapter = {name: [step for step in steps if step.chapter == name] for name in names}
        for step in steps:
            step.label = f"{step.chapter}, seeds from {step.parts['parameters'][PARAMETER]}"

        def keep(_: Sequence[object] = ()) -> None:
            for name, ours in by_chapter.items():
                if name not in {*found, *refused} and all(step.fresh for step in ours):
                    try:
                        found[name] = _keep(project, name, ours)
                    except PaperError as error:
                        refused[name] = str(error)

        keep()
        execute(project, steps, jobs, scheduler, workers, quiet=as_json, watch=keep)
    if as_json:
        show_json(
            [
                {"chapter": name, "claim": id, "first_seed": draw.first_seed, "verdict": number.verdict} | vars(number)
                for name, draws in found.items()
                for draw in draws
                for id, number in draw.claims.items()
            ]
        )
    else:
        _tell(project, found)
    if refused:
        raise PaperError("not kept:\n  " + "\n  ".join(refused.values()))


def _with_seeds(project: Project, wanted: Sequence[str], quiet: bool) -> list[str]:
    """The chapters that can be drawn again, of those wanted, or of all."""
    names = []
    for name in wanted or project.chapters:
        if PARAMETER in project.parameters(name):
            names.append(name)
        elif wanted:
            raise InputError(
                f"{name} has no parameter {PARAMETER!r}, from which its seeds start: add "
                f"`{PARAMETER}: int = 0  # first of the seeds, in [0, 1000000000]`, and draw all of them from there"
            )
        elif not quiet:
            out.print(f"{name}: left out, for it has no parameter {PARAMETER}")
    return names


def _keep(project: Project, name: str, steps: Sequence[Step]) -> list[Draw]:
    """Write the file of a chapter whose blocks are all executed."""
    done = [Chapter.of(project, step) for step in steps]
    draws = [
        replications.draw_of(step.parts["parameters"][PARAMETER], chapter.claims, chapter.run)
        for step, chapter in zip(steps, done, strict=True)
    ]
    replications.check(name, draws, [chapter.run for chapter in done])
    kept = replications.read(project, name, steps[0].parts)
    draws += kept.beyond(draws)  # fewer may be asked for now: none is dropped for what came out
    replications.write(project, name, steps[0].parts, draws)
    return draws


def _tell(project: Project, found: dict[str, list[Draw]]) -> None:
    marks = []
    for name, (published, *fresh) in found.items():
        out.print(f"\n{project.root / replications.path(project, name)}")
        rows = []
        for id, number in published.claims.items():
            row = {"claim": id, "published": number}
            said = [draw.claims[id].against(number) for draw in fresh]
            for draw, mark in zip(fresh, said, strict=True):
                row[f"seeds from {draw.first_seed}"] = f"{draw.claims[id]}{mark and f' ({mark})'}"
            rows.append(row)
            marks.append(", ".join(said))
        show(rows, rows[0]) if rows else out.print("it makes no claims")
    changed, disjoint = (sum(word in mark for mark in marks) for word in ("changed", "disjoint"))
    out.print(
        f"\n{len(marks)} claims: {len(marks) - changed} stood in all fresh draws, {changed} did not; "
        f"{disjoint} with an interval that has nothing in common with the published one."
    )
