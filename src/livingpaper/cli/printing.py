"""``pdf``: the whole book on paper."""

from pathlib import Path
from typing import Annotated

import typer

from livingpaper.cli.app import PresetName, app, finished, out


@app.command(epilog="Examples: `COMMAND pdf` · `COMMAND pdf --preset smoke --output smoke.pdf`")
def pdf(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.pdf", help="Default: _build/COMMAND-VERSION.pdf.")
    ] = None,
    preset: PresetName = None,
) -> None:
    """Print the last build into one PDF, with the numbers and links of its pages. Needs Chromium."""
    from livingpaper.publish import pdf as printing  # what reads and writes pages takes a while to import
    from livingpaper.publish.singlepage import parts_of

    with finished(preset) as (project, identity, _):
        path = output or project.build / f"{identity.stem}.pdf"
        home = (project.config.get("html") or {}).get("baseurl") or ""
        sheets = printing.write(project.site(identity.variant), parts_of(project), identity, home, path)
    out.print(f"{sheets} pages, {path.stat().st_size / 1e6:.1f} MB: {path}")
