"""The ``benign`` command: build the living paper, run its chapters, list what there is."""

import functools
import http.server
import json
import signal
import socketserver
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benign import __version__
from benign.book import build as building
from benign.book import parameters
from benign.book.execute import Job
from benign.book.plan import Step, plan
from benign.book.project import Project, Variant
from benign.errors import BenignError, InputError

app = typer.Typer(
    help="Build and explore the living paper on benign overfitting: every figure and number is computed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Not wrapped at the terminal's width where there is no terminal: paths in logs stay whole.
out = Console(soft_wrap=not sys.stdout.isatty(), highlight=False)


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
    typer.Option("--preset", help="Values from presets/NAME.yml (smoke, full) instead of the published ones.", autocompletion=_presets),
]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Chapters at a time; default: one a processor.")]
Force = Annotated[bool, typer.Option("--force", help="Execute chapters even if nothing they depend on has changed.")]
TimeLimit = Annotated[float | None, typer.Option("--time-limit", min=0.001, help="Seconds a chapter may take; default: the preset's, else 3600.")]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


@app.command(epilog="Examples: `benign build` · `benign build --preset smoke` · `benign build -p test-error.seeds=5 --dry-run`")
def build(
    preset: PresetName = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHAPTER", help="Execute this chapter only; may be repeated.", autocompletion=_chapters),
    ] = None,
    p: Annotated[
        list[str] | None, typer.Option("-p", metavar="CHAPTER.name=value", help="Change a parameter; may be repeated.")
    ] = None,
    jobs: Jobs = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and why; do nothing.")] = False,
    force: Force = False,
    time_limit: TimeLimit = None,
) -> None:
    """Execute what is stale, render the pages and publish them.

    The published values go to _build/html; a preset or changed parameters to a folder of their own. With --only, the
    pages are rendered if the other chapters are fresh.
    """
    started = time.monotonic()
    project = Project.find()
    variant = _limited(project.variant(preset, _by_chapter(project, p or [])), time_limit)
    named = [_existing(project, name) for name in only or project.chapters]
    steps = plan(project, variant)
    if force:
        forced = {step.chapter: step for step in plan(project, variant, named, force=True)}
        steps = [forced.get(step.chapter, step) for step in steps]
    _show_plan(steps, named, variant)
    if dry_run:
        return
    with building.lock(project):
        work = _execute(project, variant, [step for step in steps if step.chapter in named], jobs)
        _raise_failures(project, work)
        if stale := [step.chapter for step in steps if not step.fresh]:
            out.print(f"Executed. Not rendered: {', '.join(stale)} must be executed first: run `benign build`.")
            return
        site = building.publish(project, variant, steps)
    how = "rendered" if site.rendered else "nothing had changed"
    out.print(
        f"{site.figures} figures and tables, {site.claims} claims; {len(work)} of {len(steps)} chapters executed, {how}; "
        f"{time.monotonic() - started:.1f} s"
    )
    out.print(f"First page: {site.address}")


@app.command(epilog="Examples: `benign run test-error -p seeds=5` · `benign run phenomenon --preset smoke -p width=64`")
def run(
    chapter: ChapterName,
    p: Annotated[list[str] | None, typer.Option("-p", metavar="name=value", help="Change a parameter; may be repeated.")] = None,
    preset: PresetName = None,
    force: Force = False,
    time_limit: TimeLimit = None,
) -> None:
    """Execute one chapter with other parameters; notebook, figures and claims go to a folder of their own."""
    project = Project.find()
    name = _existing(project, chapter)
    variant = _limited(project.variant(preset, _by_chapter(project, [f"{name}.{text}" for text in p or []])), time_limit)
    steps = plan(project, variant, [name], force)
    with building.lock(project):
        _raise_failures(project, _execute(project, variant, steps, 1))
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
    preset: PresetName = None, port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8000
) -> None:
    """Serve the built site on localhost until Ctrl-C."""
    folder = _site(preset)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    try:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise BenignError(f"cannot listen on port {port}: {error.strerror}; choose another with --port, or 0 for any") from None
    with server:
        out.print(f"Serving {folder} at http://127.0.0.1:{server.server_address[1]}/ (Ctrl-C to stop)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            out.print("stopped")


def main() -> None:
    """Run the command; an error that a user can act on is printed without a traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped too
    try:
        app()
    except BenignError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[bold red]error:[/] {_escaped(str(error))}")
        sys.exit(1)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; finished work is kept, the same command continues")
        sys.exit(130)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def _existing(project: Project, name: str) -> str:
    project.chapter(name)
    return name


def _limited(variant: Variant, time_limit: float | None) -> Variant:
    if time_limit is None:
        return variant
    return Variant(variant.name, variant.preset, variant.overrides, time_limit)


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
            parsed = parameters.parse_value(value, declared[name])
        changes.setdefault(chapter, {}).update(parameters.validate(chapter, declared, {name: parsed}))
    return changes


def _execute(project: Project, variant: Variant, steps: list[Step], jobs: int | None) -> list[Job]:
    if all(step.fresh for step in steps):
        return []
    with _watching() as watch:
        return building.run_stale(project, variant, steps, jobs or building.default_jobs(), watch)


def _raise_failures(project: Project, work: list[Job]) -> None:
    if failed := [job for job in work if job.failure]:
        told = "\n".join(f"  {job.chapter}: {job.failure}\n    log: {job.file('log')}" for job in failed)
        raise BenignError(f"{len(failed)} of {len(work)} chapters failed, nothing was published:\n{told}")


class _watching:  # noqa: N801  (a context manager that reads like one)
    """A progress display: bars on a terminal, a line a change elsewhere."""

    def __enter__(self) -> Callable[[Sequence[Job]], None]:
        self._bars = Progress(
            TextColumn("{task.fields[chapter]}"), BarColumn(24), TextColumn("{task.description}"), TimeElapsedColumn(), console=out
        )
        self._tasks: dict[str, Any] = {}
        self._said: dict[str, str] = {}
        self._last = 0.0
        if out.is_terminal:
            self._bars.start()
        return self._bars_of if out.is_terminal else self._lines_of

    def __exit__(self, *_: object) -> None:
        if out.is_terminal:
            self._bars.stop()

    def _bars_of(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.started is None:
                continue
            if job.chapter not in self._tasks:
                self._tasks[job.chapter] = self._bars.add_task("starting", chapter=job.chapter, total=1.0)
            words, fraction = _state(job)
            self._bars.update(self._tasks[job.chapter], description=words, completed=fraction)
            if job.seconds is not None:
                self._bars.stop_task(self._tasks[job.chapter])

    def _lines_of(self, jobs: Sequence[Job]) -> None:
        # Where nobody watches: when a chapter starts or ends, and every half minute in between.
        every = time.monotonic() - self._last > 30
        for job in jobs:
            if job.started is None:
                continue
            words, _ = _state(job)
            known = self._said.get(job.chapter)
            if known is None or (job.seconds is not None and known != words) or (every and job.seconds is None):
                out.print(f"{job.chapter}: {words}")
                self._said[job.chapter] = words
                self._last = time.monotonic()


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
        out.print(f"  {step.chapter}: {'fresh' if step.fresh else _escaped(f'stale: {why}')}{left}")


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
        table.add_row(*(_escaped(str(row[column] if row[column] is not None else "–")) for column in columns))
    # Without a terminal a table takes the width that it needs.
    Console(width=None if sys.stdout.isatty() else 240, highlight=False).print(table)


if __name__ == "__main__":
    main()
