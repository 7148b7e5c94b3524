"""``parameters``, ``figures`` and ``claims``: what there is."""

from textwrap import indent, shorten
from typing import Annotated

import typer
from rich.padding import Padding

from livingpaper.build import replications
from livingpaper.build.project import Project
from livingpaper.cli.app import AsJson, PresetName, app, chapters, one_of, out, show, show_json, site
from livingpaper.errors import InputError
from livingpaper.publish.published import Published
from livingpaper.say.claims import SYMBOLS, VERDICTS, estimate_text

INDENT = 6  # of what is said of a claim, below its number and id
BEGINNING = 100  # characters of a caption: a figure has one line


@app.command("parameters", epilog="Examples: `COMMAND parameters` · `COMMAND parameters test-error --json`")
def parameters_command(
    chapter: Annotated[str | None, typer.Argument(help="A chapter; default: all.", autocompletion=chapters)] = None,
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
        for name in ([chapter] if chapter else project.chapters)
        for parameter in project.parameters(name).values()
    ]
    show_json(rows) if as_json else show(rows, ("chapter", "name", "published", "allowed", "meaning"))


@app.command(epilog="Examples: `COMMAND figures` · `COMMAND figures --preset smoke --json`")
def figures(preset: PresetName = None, as_json: AsJson = False) -> None:
    """List the figures and tables of the last build, each with the beginning of its caption."""
    rows = list(Published(site(preset)).figures.values())
    if as_json:
        return show_json(rows)
    for row in rows:
        row["caption"] = shorten(row["caption"], BEGINNING, placeholder=" …")
    show(rows, ("number", "id", "kind", "caption"))


@app.command(
    "claims",
    epilog="Examples: `COMMAND claims` · `COMMAND claims --verdict fails` · `COMMAND claims test-error --json`",
)
def claims_command(
    chapter: Annotated[str | None, typer.Argument(help="A chapter; default: all.", autocompletion=chapters)] = None,
    verdict: Annotated[
        str | None, typer.Option(help=f"Only those: {', '.join(VERDICTS)}.", autocompletion=one_of(lambda: VERDICTS))
    ] = None,
    preset: PresetName = None,
    as_json: AsJson = False,
) -> None:
    """List the claims of the last build: verdict, estimate and condition, fresh draws, and what is claimed."""
    if verdict not in (None, *VERDICTS):
        raise InputError(f"--verdict {verdict}: a claim is one of {', '.join(VERDICTS)}")
    if chapter:
        Project.find().chapter(chapter)  # which names the nearest if there is none
    found = Published(site(preset)).of("claims", chapter).values()
    rows = [row for row in found if verdict in (None, row["verdict"])]
    if as_json:
        return show_json(rows)
    for row in rows:
        source = f"{row['paper'] or 'ours'}, {row['where']}"
        condition = f"{estimate_text(row)}, holds if {row['holds_if']}"
        record = f"on record: {row['on_record']}" if row["on_record"] != row["verdict"] else ""
        said = "; ".join(filter(None, [condition, replications.in_words(row), record, source]))
        out.print(f"{row['number']:>4}  {row['id']}  {SYMBOLS[row['verdict']]} {row['verdict']}")
        told = f"{row['statement']}\n{said}"
        # a program reads lines as they are, people lines of the width that they have
        out.print(Padding(told, (0, 0, 0, INDENT)) if out.is_terminal else indent(told, " " * INDENT))
    out.print(f"{len(rows)} of {len(found)} claims")
