"""``release`` and ``render``: a build as one file for an archive, and the pages out of it again."""

from pathlib import Path
from typing import Annotated

import typer

from livingpaper.cli.app import PresetName, app, finished, out


@app.command(epilog="Examples: `COMMAND release` · `COMMAND release --preset smoke --output paper.zip`")
def release(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.zip", help="Default: _build/COMMAND-VERSION.zip.")
    ] = None,
    preset: PresetName = None,
) -> None:
    """Pack the last build into one file for an archive: an RO-Crate with a digest of every file.

    In it are the pages, the executed notebooks, tables, claims, the records of the runs and the sources with the
    lock. Packing the same build twice gives the same bytes.
    """
    from livingpaper.publish import release as releasing  # the library for RO-Crates takes a while to import

    with finished(preset) as (project, identity, steps):
        path = output or project.build / f"{identity.stem}.zip"
        made = releasing.write(project, identity, steps, path)
    if identity.changed:
        out.print("Note: it was built with changes that are not committed, and says so.")
    out.print(f"{made.files} files, {made.size / 1e6:.1f} MB: {made.path}")


@app.command("render", epilog="Examples: `COMMAND render paper.zip --output pages`")
def render_command(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A file that `release` wrote.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="A new folder; default: the bundle's name.")
    ] = None,
) -> None:
    """Check a release and render its pages again, without training and without a kernel.

    They must come out as they are in the release, byte by byte; if they do not, the command says which and fails.
    """
    from livingpaper.publish import release as releasing

    folder = output or Path(bundle.stem)
    same = releasing.render_again(bundle, folder.absolute())
    out.print(
        f"{same} files, each the same as in the release. First page: {(folder / 'index.html').absolute().as_uri()}"
    )
