"""The command itself: its options, what it prints, how it ends."""

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from livingpaper import __version__, settings
from livingpaper.build import pipeline
from livingpaper.build.execute import Job
from livingpaper.build.plan import Step, plan
from livingpaper.build.project import Project
from livingpaper.errors import PaperError
from livingpaper.publish.identity import Identity, identify
from livingpaper.sweep import cluster


def command() -> str:
    """What the reader of this paper types."""
    return settings.read().command


class _Commands(TyperGroup):
    """Commands whose examples name the command of the paper."""

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None and found.epilog:
            found.epilog = found.epilog.replace("COMMAND", command())
        return found


app = typer.Typer(
    cls=_Commands,
    help="Build and explore an executable paper: every figure and number is computed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Screen(Console):
    """Where the command prints; it ends, and says so, when whoever reads has left, as ``head`` does."""

    def on_broken_pipe(self) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())  # else Python's own exit fails at flushing
        if not self.stderr:
            raise Stopped(signal.SIGPIPE)


# Text as it is, brackets and colons too.
plain_text = functools.partial(_Screen, highlight=False, markup=False, emoji=False)
# Not wrapped where there is no terminal: paths stay whole.
out = plain_text(soft_wrap=not sys.stdout.isatty())


def one_of(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """What completes a name in a shell, where there is a book."""

    def complete(incomplete: str) -> list[str]:
        try:
            return [name for name in names() if name.startswith(incomplete)]
        except PaperError:
            return []

    return complete


chapters, _presets = one_of(lambda: Project.find().chapters), one_of(lambda: Project.find().presets)

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
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Train in this many processes of this machine, for all chapters together."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


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
    except PaperError as error:
        errors.print(Text("error: ", "bold red") + Text(str(error), ""))
        sys.exit(1)
    except Stopped as stopped:
        errors.print("interrupted: finished work is kept, the same command continues")
        sys.exit(stopped.status)


def _stop(number: int, _frame: object) -> None:
    # A second signal would interrupt the clearing up; `timeout` sends one to the command and one to its group.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


def _building(preset: str | None) -> str:
    return f"{command()} build" + (f" --preset {preset}" if preset else "")


def site(preset: str | None) -> Path:
    project = Project.find()
    folder = project.site(project.variant(preset, {}))
    if not (folder / "index.html").is_file():
        raise PaperError(f"nothing has been built in {folder}: run `{_building(preset)}` first")
    return folder


@contextmanager
def finished(preset: str | None) -> Iterator[tuple[Project, Identity, list[Step]]]:
    """The last build, with its pages as they must be; nothing else builds meanwhile."""
    project = Project.find()
    variant = project.variant(preset, {})
    folder = site(preset)
    with pipeline.lock(project):
        steps = plan(project, variant)
        if stale := [step.chapter for step in steps if not step.fresh]:
            raise PaperError(
                f"{folder} is out of date, for {', '.join(stale)} changed: run `{_building(preset)}` first"
            )
        out.print(f"{folder}: {pipeline.make_site(project, variant, steps).made}")
        yield project, identify(project, variant, [step.entry.run for step in steps]), steps


def check(jobs: Collection[Job], how: str) -> None:
    """Raise an error that says which chapters failed, if some did."""
    if failed := [job for job in jobs if job.failure]:
        told = "\n".join(f"  {job.label}: {job.failure}\n    log: {job.file('log')}" for job in failed)
        raise PaperError(f"{len(failed)} of {len(jobs)} chapters {how}:\n{told}")


def show_json(content: object) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False))


def show(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> None:
    """Print a table for people."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(str(row[column] if row[column] is not None else "–") for column in columns))
    # Without a terminal a table takes the width that it needs.
    plain_text(width=None if sys.stdout.isatty() else 240).print(table)
