"""``parameters``, ``figures`` and ``claims``: what there is."""

from typing import Annotated

import typer

from livingpaper.build import replications
from livingpaper.build.project import Project
from livingpaper.cli.app import AsJson, PresetName, app, chapters, show, show_json, site
from livingpaper.publish.published import Published
from livingpaper.say.claims import estimate_text


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
    """List the figures and tables of the last build."""
    rows = list(Published(site(preset)).figures.values())
    show_json(rows) if as_json else show(rows, ("number", "id", "kind", "page", "caption"))


@app.command("claims", epilog="Examples: `COMMAND claims` · `COMMAND claims --json`")
def claims_command(preset: PresetName = None, as_json: AsJson = False) -> None:
    """List the claims of the last build with their verdicts."""
    rows = list(Published(site(preset)).claims.values())
    if as_json:
        return show_json(rows)
    for row in rows:
        row["estimate"] = estimate_text(row)
        row["fresh draws"] = replications.in_words(row)
        row["paper"] = row["paper"] or "ours"
    show(rows, ("number", "id", "verdict", "on_record", "estimate", "holds_if", "fresh draws", "paper", "where"))
