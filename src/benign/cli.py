"""The ``benign`` command: build the living paper, run its chapters, list what there is."""

import dataclasses
import functools
import http.server
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from benign import __version__
from benign.book import build as building
from benign.book import parameters, render
from benign.book.execute import Job
from benign.book.plan import Step, plan
from benign.book.project import Project, Variant
from benign.errors import BenignError, InputError
from benign.sweep import cluster

app = typer.Typer(
    help="Build and explore the living paper on benign overfitting: every figure and number is computed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Text as it is, brackets and colons too.
plain_text = functools.partial(Console, highlight=False, markup=False, emoji=False)
# Not wrapped where there is no terminal: paths stay whole.
out = plain_text(soft_wrap=not sys.stdout.isatty())


def _chapters(incomplete: str) -> list[str]:
    try:
        return [name for name in Project.find().chapters if name.startswith(incomplete)]
    except BenignError:
        return []


def _presets(incomplete: str) -> list[str]:
    try:
        return [name for name in Project.find().presets if name.startswith(incomplete)]
    except BenignError:
        return []


ChapterName = Annotated[str, typer.Argument(help="A chapter: the stem of its file.", autocompletion=_chapters)]
PresetName = Annotated[
    str | None,
    typer.Option("--preset", help="Values from presets/NAME.yml, not the published ones.", autocompletion=_presets),
]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Chapters at a time; default: one a processor.")]
Force = Annotated[bool, typer.Option("--force", help="Execute chapters even if nothing they depend on has changed.")]
TimeLimit = Annotated[
    float | None,
    typer.Option("--time-limit", min=0.001, help="Seconds a chapter may take; default: the preset's, else 3600."),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", envvar=cluster.VARIABLE, help="Train on this Dask cluster."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


@app.command(
    epilog="Examples: `benign build` · `benign build --preset smoke` · `benign build -p test-error.seeds=5 --dry-run`"
)
def build(
    preset: PresetName = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHAPTER", help="Execute only this; may be repeated.", autocompletion=_chapters),
    ] = None,
    p: Annotated[
        list[str] | None, typer.Option("-p", metavar="CHAPTER.name=value", help="Change a parameter; may be repeated.")
    ] = None,
    jobs: Jobs = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and why; do nothing.")] = False,
    force: Force = False,
    time_limit: TimeLimit = None,
    scheduler: Scheduler = None,
) -> None:
    """Execute what is stale, render the pages and publish them.

    The published values go to _build/html; a preset or changed parameters to a folder of their own. With --only, the
    pages are rendered if the other chapters are fresh.
    """
    started = time.monotonic()
    _use(scheduler)
    project = Project.find()
    variant = _limited(project.variant(preset, _by_chapter(project, p or [])), time_limit)
    named = [_existing(project, name) for name in only or project.chapters]
    with nullcontext() if dry_run else building.lock(project):
        steps = plan(project, variant, force=named if force else ())
        _show_plan(steps, named, variant)
        if dry_run:
            return
        render.recover(project.site(variant))
        work = _execute(project, variant, [step for step in steps if step.chapter in named], jobs)
        if stale := [step.chapter for step in steps if not step.fresh]:
            out.print(f"{len(work)} chapters executed. The pages need {', '.join(stale)} too: run it without --only.")
            return
        site = building.publish(project, variant, steps)
    how = "rendered" if site.rendered else "nothing had changed"
    out.print(
        f"{site.figures} figures and tables, {site.claims} claims; "
        f"{len(work)} of {len(steps)} chapters executed, {how}; {time.monotonic() - started:.1f} s"
    )
    out.print(f"First page: {site.address}")


@app.command(epilog="Examples: `benign run test-error -p seeds=5` · `benign run phenomenon --preset smoke -p width=64`")
def run(
    chapter: ChapterName,
    p: Annotated[
        list[str] | None, typer.Option("-p", metavar="name=value", help="Change a parameter; may be repeated.")
    ] = None,
    preset: PresetName = None,
    force: Force = False,
    time_limit: TimeLimit = None,
    scheduler: Scheduler = None,
) -> None:
    """Execute one chapter with other parameters; notebook, figures and claims go to a folder of their own."""
    _use(scheduler)
    project = Project.find()
    name = _existing(project, chapter)
    given = _by_chapter(project, [f"{name}.{text}" for text in p or []])
    variant = _limited(project.variant(preset, given), time_limit)
    with building.lock(project):
        steps = plan(project, variant, [name], force=[name] if force else ())
        _execute(project, variant, steps, 1)
        folder = project.build / "runs" / f"{name}-{steps[0].key[:8]}"
        building.extract(steps[0], folder)
    out.print(f"Notebook, figures, claims and the record of the run: {folder}")


@app.command("parameters", epilog="Examples: `benign parameters` · `benign parameters test-error --json`")
def parameters_command(
    chapter: Annotated[str | None, typer.Argument(help="A chapter; default: all.", autocompletion=_chapters)] = None,
    as_json: AsJson = False,
) -> None:
    """List the parameters of the chapters, with what they mean, what is allowed and the published value."""
    project = Project.find()
    rows = [
        {
            "chapter": name,
            "name": parameter.name,
            "type": parameter.type.__name__,
            "published": parameter.default,
            "allowed": parameter.describe(),
            "meaning": parameter.help,
        }
        for name in ([_existing(project, chapter)] if chapter else project.chapters)
        for parameter in project.parameters(name).values()
    ]
    _show(rows, ("chapter", "name", "published", "allowed", "meaning"), as_json)


@app.command(epilog="Examples: `benign figures` · `benign figures --preset smoke --json`")
def figures(preset: PresetName = None, as_json: AsJson = False) -> None:
    """List the figures and tables of the last build."""
    rows = _published(preset, "figures/index.json", "figures")
    _show(rows, ("number", "id", "kind", "page", "caption"), as_json)


@app.command("claims", epilog="Examples: `benign claims` · `benign claims --json`")
def claims_command(preset: PresetName = None, as_json: AsJson = False) -> None:
    """List the claims of the last build with their verdicts."""
    rows = _published(preset, "claims.json", "claims")
    for row in rows if not as_json else []:
        row["interval"] = f"[{row['interval'][0]:.4g}, {row['interval'][1]:.4g}]"
        row["estimate"] = f"{row['estimate']:.4g}"
        row["paper"] = row["paper"] or "ours"
    _show(rows, ("id", "verdict", "on_record", "estimate", "interval", "holds_if", "paper", "where"), as_json)


@app.command(epilog="Examples: `benign serve` · `benign serve --preset smoke --port 8080`")
def serve(
    preset: PresetName = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8000,
) -> None:
    """Serve the built site on localhost until Ctrl-C."""
    folder = _site(preset)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        remedy = "choose another with --port, or 0 for any"
        raise BenignError(f"cannot listen on port {port}: {error.strerror}; {remedy}") from None
    with server:
        out.print(f"Serving {folder} at http://127.0.0.1:{server.server_address[1]}/ (Ctrl-C to stop)")
        try:
            server.serve_forever()
        except Stopped:
            out.print("stopped")


class Stopped(BaseException):
    """Somebody pressed Ctrl-C or ended the process; not a ``KeyboardInterrupt``, which typer keeps to itself."""

    def __init__(self, number: int):
        super().__init__(number)
        self.status = 128 + number  # as shells count


def main() -> None:
    """Run the command; an error that a user can act on is printed without a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    errors = plain_text(stderr=True, soft_wrap=True)
    try:
        app()
    except BenignError as error:
        errors.print(Text("error: ", "bold red") + Text(str(error), ""))
        sys.exit(1)
    except Stopped as stopped:
        errors.print("interrupted: finished work is kept, the same command continues")
        sys.exit(stopped.status)


def _stop(number: int, _frame: object) -> None:
    raise Stopped(number)


def _use(scheduler: str | None) -> None:
    if scheduler:
        os.environ[cluster.VARIABLE] = scheduler  # the chapters' processes inherit it


def _existing(project: Project, name: str) -> str:
    project.chapter(name)
    return name


def _limited(variant: Variant, time_limit: float | None) -> Variant:
    if time_limit is None:
        return variant
    return dataclasses.replace(variant, time_limit=time_limit)


def _by_chapter(project: Project, texts: Sequence[str]) -> dict[str, dict[str, object]]:
    """The changes that texts such as ``test-error.seeds=5`` ask for, by chapter."""
    changes: dict[str, dict[str, object]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        chapter, dot, name = target.partition(".")
        if not (equals and dot and chapter and name):
            raise InputError(f"-p {text!r}: write it as CHAPTER.name=value, for `benign run` as name=value")
        declared = project.parameters(_existing(project, chapter))
        parsed: Any = value
        if name in declared:
            try:
                parsed = parameters.parse_value(value, declared[name])
            except InputError as error:
                raise InputError(f"{chapter}: {error}") from None
        changes.setdefault(chapter, {}).update(parameters.validate(chapter, declared, {name: parsed}))
    return changes


def _execute(project: Project, variant: Variant, steps: list[Step], jobs: int | None) -> list[Job]:
    if all(step.fresh for step in steps):
        return []
    with _display() as show:
        work = building.run_stale(project, variant, steps, jobs or building.default_jobs(), show)
    if failed := [job for job in work if job.failure]:
        told = "\n".join(f"  {job.chapter}: {job.failure}\n    log: {job.file('log')}" for job in failed)
        raise BenignError(f"{len(failed)} of {len(work)} chapters failed, nothing was published:\n{told}")
    return work


@contextmanager
def _display() -> Iterator[building.Watch]:
    """A progress display: bars on a terminal, lines elsewhere."""
    if not out.is_terminal:
        yield functools.partial(_print_changes, {})
        return
    columns = [TextColumn("{task.fields[chapter]}"), BarColumn(24), TextColumn("{task.description}", markup=False)]
    with Progress(*columns, TimeElapsedColumn(), console=out) as bars:
        yield functools.partial(_move_bars, bars, {})


def _move_bars(bars: Progress, tasks: dict[str, TaskID], jobs: Sequence[Job]) -> None:
    for job in jobs:
        if job.started is None:
            continue
        if job.chapter not in tasks:
            tasks[job.chapter] = bars.add_task("starting", chapter=job.chapter, total=1.0)
        words, fraction = _state(job)
        bars.update(tasks[job.chapter], description=words, completed=fraction)
        if job.seconds is not None:
            bars.stop_task(tasks[job.chapter])


def _print_changes(said: dict[str, tuple[str, float]], jobs: Sequence[Job]) -> None:
    # A line when a chapter starts or ends, and one each half minute in between: enough for who reads it later.
    now = time.monotonic()
    for job in jobs:
        if job.started is None:
            continue
        words, _ = _state(job)
        last, when = said.get(job.chapter, (None, now))
        if words != last and (last is None or job.seconds is not None or now - when > 30):
            out.print(f"{job.chapter}: {words}")
            said[job.chapter] = (words, now)


def _state(job: Job) -> tuple[str, float]:
    if job.failure:
        return f"failed after {job.seconds:.1f} s", job.progress()[1]
    if job.seconds is not None:
        return f"done in {job.seconds:.1f} s", 1.0
    return job.progress()


def _show_plan(steps: list[Step], named: list[str], variant: Variant) -> None:
    kind = "the published values" if variant.published else f"the variant {variant.name}"
    out.print(f"Plan for {kind}:")
    for step in steps:
        why = "; ".join(step.reasons[:4]) + (f"; and {len(step.reasons) - 4} more" if len(step.reasons) > 4 else "")
        left = "" if step.chapter in named or step.fresh else " (left out by --only)"
        out.print(f"  {step.chapter}: {'fresh' if step.fresh else f'stale: {why}'}{left}")


def _site(preset: str | None) -> Path:
    project = Project.find()
    folder = project.site(project.variant(preset, {}))
    if not (folder / "index.html").is_file():
        command = "benign build" + (f" --preset {preset}" if preset else "")
        raise BenignError(f"nothing has been built in {folder}: run `{command}` first")
    return folder


def _published(preset: str | None, file: str, what: str) -> list[dict[str, Any]]:
    return json.loads((_site(preset) / file).read_text(encoding="utf-8"))[what]


def _show(rows: list[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(str(row[column] if row[column] is not None else "–") for column in columns))
    # Without a terminal a table takes the width that it needs.
    plain_text(width=None if sys.stdout.isatty() else 240).print(table)


if __name__ == "__main__":
    main()
