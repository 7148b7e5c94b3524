"""``new``: a chapter of one's own."""

from typing import Annotated

import typer

from livingpaper.build import template
from livingpaper.build.project import Project
from livingpaper.cli.app import app, command, out


@app.command(epilog="Examples: `COMMAND new my-question` · `COMMAND new my-question --title 'What does noise cost?'`")
def new(
    chapter: Annotated[str, typer.Argument(help="Its name: lower-case words joined by hyphens.")],
    title: Annotated[str | None, typer.Option("--title", help="Its title; default: made of its name.")] = None,
    part: Annotated[
        str | None,
        typer.Option("--part", help="Caption of the part of the book; default: the last one with chapters."),
    ] = None,
) -> None:
    """Write a new chapter that already runs: an experiment, a figure, a claim, to be replaced by your own."""
    for path in template.add_chapter(Project.find(), chapter, title, part):
        out.print(f"{path}: {'written' if path.suffix == '.ipynb' else 'one entry more'}")
    out.print(
        f"\nIt runs already:           {command()} run {chapter} --preset smoke\n"
        f"Make it yours:             jupyter lab chapters/{chapter}.ipynb\n"
        f"Before you commit:         nbstripout --keep-id chapters/{chapter}.ipynb\n"
        f"The book with it, small:   {command()} build --preset smoke\n"
        "CONTRIBUTING.md says what a figure, a claim and an experiment need."
    )
