"""``build`` and ``run``: execute what is stale, and show how far it is."""

import functools
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from livingpaper.build import columns, keys, notation, parameters, pipeline, render, replications
from livingpaper.build.assemble import Chapter
from livingpaper.build.execute import Job
from livingpaper.build.plan import Step, parts_of, plan
from livingpaper.build.project import Project, Variant
from livingpaper.build.replications import Number
from livingpaper.cli.app import (
    Force,
    Jobs,
    PresetName,
    Scheduler,
    TimeLimit,
    Workers,
    app,
    chapters,
    check,
    command,
    out,
    show,
)
from livingpaper.errors import InputError
from livingpaper.publish import citation
from livingpaper.publish.published import INDEX, Published
from livingpaper.sweep import cluster


@app.command(
    epilog="Examples: `COMMAND build` · `COMMAND build --preset smoke` · `COMMAND build -p setting.seeds=5 --dry-run`"
)
def build(
    preset: PresetName = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHAPTER", help="Execute only this; may be repeated.", autocompletion=chapters),
    ] = None,
    p: Annotated[
        list[str] | None, typer.Option("-p", metavar="CHAPTER.name=value", help="Change a parameter; may be repeated.")
    ] = None,
    jobs: Jobs = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and why; do nothing.")] = False,
    force: Force = False,
    time_limit: TimeLimit = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
) -> None:
    """Execute what is stale, render the pages and publish them.

    The published values go to _build/html; a preset or changed parameters to a folder of their own. With --only, the
    pages are rendered if the other chapters are fresh.
    """
    started = time.monotonic()
    project = Project.find()
    variant = project.variant(preset, _by_chapter(project, p or []), time_limit)
    _read_early(project)
    named = [name for name in only or project.chapters if project.chapter(name)]
    with nullcontext() if dry_run else pipeline.lock(project):
        steps = plan(project, variant, force=named if force else ())
        _show_plan(steps, named, variant)
        if dry_run:
            return
        render.recover(project.site(variant))
        work = execute(project, [step for step in steps if step.chapter in named], jobs, scheduler, workers)
        if stale := [step.chapter for step in steps if not step.fresh]:
            out.print(f"{len(work)} chapters executed. The pages need {', '.join(stale)} too: run it without --only.")
            return
        site = pipeline.make_site(project, variant, steps)
    for told in site.left_out:
        out.print(told)
    out.print(
        f"{site.figures} figures and tables, {site.claims} claims; "
        f"{len(work)} of {len(steps)} chapters executed, {site.made}; {time.monotonic() - started:.1f} s"
    )
    out.print(f"First page: {site.address}")


@app.command(
    epilog="Examples: `COMMAND run test-error -p seeds=5` · `COMMAND run phenomenon --preset smoke -p width=64`"
)
def run(
    chapter: Annotated[str, typer.Argument(help="A chapter: the stem of its file.", autocompletion=chapters)],
    p: Annotated[
        list[str] | None, typer.Option("-p", metavar="name=value", help="Change a parameter; may be repeated.")
    ] = None,
    preset: PresetName = None,
    force: Force = False,
    time_limit: TimeLimit = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
) -> None:
    """Execute one chapter with other parameters, and say what became of its claims.

    Notebook, figures and claims go to a folder of their own.
    """
    project = Project.find()
    variant = project.variant(preset, _by_chapter(project, [f"{chapter}.{text}" for text in p or []]), time_limit)
    with pipeline.lock(project):
        steps = plan(project, variant, [chapter], force=[chapter] if force else ())
        execute(project, steps, 1, scheduler, workers)
        folder = project.build / "runs" / f"{chapter}-{steps[0].key[:8]}"
        found = pipeline.extract(project, steps[0], folder)
    _tell(project, steps[0], found)
    out.print(f"Notebook, figures, claims and the record of the run: {folder}")


def _tell(project: Project, step: Step, found: Chapter) -> None:
    """How a run differs from the published one: its parameters, and for each claim what came out there and here."""
    published = keys.values(step.notebook, {})
    values = [f"{name} {published[name]} → {value}" for name, value in step.parameters.items()]
    out.print(f"Parameters: {', '.join(values) or 'the published ones'}")
    before, rows = _published(project, step), []
    for id, claim in found.claims.items():
        ours, theirs = Number.of(claim), before.get(id, claim["on_record"])
        rows.append({"claim": id, "published": theirs, "yours": ours, "": ours.against(theirs)})
    if rows:
        show(rows, rows[0])


def _published(project: Project, step: Step) -> dict[str, Number]:
    """The published numbers of a chapter's claims, as far as this copy of the sources knows them."""
    values = keys.values(step.notebook, {})
    drawn = replications.read(project, step.chapter, parts_of(project, step.chapter, step.notebook, values))
    if drawn.draws and not drawn.outdated:
        return drawn.draws[0].claims
    site = project.build / "html"
    claims = Published(site).of("claims", step.chapter) if (site / INDEX).is_file() else {}
    return {id: Number.of(claim) for id, claim in claims.items()}


def _by_chapter(project: Project, texts: Sequence[str]) -> dict[str, dict[str, object]]:
    """The changes that texts such as ``test-error.seeds=5`` ask for, by chapter."""
    changes: dict[str, dict[str, object]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        chapter, dot, name = target.rpartition(".")  # the name of a chapter may have dots
        if not (equals and dot and chapter and name):
            raise InputError(f"-p {text!r}: write it as CHAPTER.name=value, for `{command()} run` as name=value")
        if name in changes.get(chapter, {}):
            raise InputError(f"-p {text!r}: {name} is {changes[chapter][name]!r} already: give it once")
        declared = project.parameters(chapter)
        try:
            parsed = parameters.parse_value(value, declared[name]) if name in declared else value
        except InputError as error:
            raise InputError(f"{chapter}: {error}") from None
        changes.setdefault(chapter, {})[name] = parsed
    return changes


def _read_early(project: Project) -> None:
    """Find out now, not when all chapters have run, whether what the pages are made with can be read."""
    notation.read(project.root)
    columns.read(project.root)
    for section in ("execute", "sphinx", "repository"):
        project.section(section)
    if (path := project.root / "CITATION.cff").is_file():
        citation.read(path)


def execute(
    project: Project,
    steps: Sequence[Step],
    jobs: int | None,
    scheduler: str | None,
    workers: int | None,
    quiet: bool = False,
    watch: pipeline.Watch = lambda jobs: None,
) -> list[Job]:
    """Execute what is stale, with a display unless ``quiet``; ``watch`` is called as often as that."""
    if all(step.fresh for step in steps):
        return []
    with _trained_by(scheduler, workers), display(quiet) as show:
        work = pipeline.run_stale(
            project, steps, jobs or pipeline.default_jobs(), lambda jobs: (show(jobs), watch(jobs))
        )
    check(work, "failed, nothing was published")
    return work


@contextmanager
def _trained_by(scheduler: str | None, workers: int | None) -> Iterator[None]:
    """Let the chapters' processes train on a cluster, a given one or one of this machine's processes."""
    if workers and scheduler:
        raise InputError(f"--workers {workers} and the Dask scheduler {scheduler}: trainings go to one of the two")
    with cluster.local(workers) if workers else nullcontext(scheduler) as address:
        if address:
            os.environ[cluster.VARIABLE] = address  # the chapters' processes inherit it
        try:
            yield
        finally:
            if workers:
                del os.environ[cluster.VARIABLE]


@contextmanager
def display(quiet: bool = False) -> Iterator[pipeline.Watch]:
    """A progress display: bars on a terminal, lines elsewhere, or none."""
    if quiet:
        yield lambda jobs: None
        return
    if not out.is_terminal:
        yield functools.partial(_print_changes, {})
        return
    columns = [TextColumn("{task.fields[chapter]}"), BarColumn(24), TextColumn("{task.description}", markup=False)]
    with Progress(*columns, TimeElapsedColumn(), console=out) as bars:
        yield functools.partial(_move_bars, bars, {})


def _move_bars(bars: Progress, tasks: dict[str, TaskID], jobs: Sequence[Job]) -> None:
    for job in (job for job in jobs if job.started is not None):
        if job.label not in tasks:
            tasks[job.label] = bars.add_task("starting", chapter=job.label, total=1.0)
        words, fraction = job.progress()
        bars.update(tasks[job.label], description=words, completed=fraction)
        if job.seconds is not None:
            bars.stop_task(tasks[job.label])


def _print_changes(said: dict[str, tuple[str, float]], jobs: Sequence[Job]) -> None:
    # A line when a chapter starts or ends, and one each half minute in between: enough for who reads it later.
    now = time.monotonic()
    for job in (job for job in jobs if job.started is not None):
        words, _ = job.progress()
        last, when = said.get(job.label, (None, now))
        if words != last and (last is None or job.seconds is not None or now - when > 30):
            out.print(f"{job.label}: {words}")
            said[job.label] = (words, now)


def _show_plan(steps: list[Step], named: list[str], variant: Variant) -> None:
    kind = "the published values" if variant.published else f"the variant {variant.name}"
    out.print(f"Plan for {kind}:")
    for step in steps:
        why = "; ".join(step.reasons[:4]) + (f"; and {len(step.reasons) - 4} more" if len(step.reasons) > 4 else "")
        left = "" if step.chapter in named or step.fresh else " (left out by --only)"
        out.print(f"  {step.chapter}: {'fresh' if step.fresh else f'stale: {why}'}{left}")
