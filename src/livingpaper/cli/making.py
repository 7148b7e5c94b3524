"""``new``, ``pdf``, ``release``, ``render`` and ``serve``: what is made for a book, and of it."""

import functools
import http.server
import urllib.parse
from pathlib import Path
from typing import Annotated

import typer

from livingpaper.build import template
from livingpaper.build.project import Project
from livingpaper.cli.app import PresetName, Stopped, app, command, finished, out, site
from livingpaper.errors import PaperError


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
        home = project.section("html").get("baseurl") or ""
        sheets = printing.write(project.site(identity.variant), parts_of(project), identity, home, path)
    out.print(f"{sheets} pages, {path.stat().st_size / 1e6:.1f} MB: {path}")


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
        files = releasing.write(project, identity, steps, path)
    if identity.changed:
        out.print("Note: it was built with changes that are not committed, and says so.")
    out.print(f"{files} files, {path.stat().st_size / 1e6:.1f} MB: {path}")


@app.command("render", epilog="Examples: `COMMAND render paper.zip --output pages`")
def render_command(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A file that `release` wrote.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="A new folder; default: the bundle's name.")
    ] = None,
) -> None:
    """Check a release and render its pages again, without training and without a kernel.

    They must come out as they are in the release, byte by byte; if they do not, the command says which and fails.
    Nothing in the release is run, but its pages may have scripts for your browser. Its digests tell of damage, not of
    a forger, who would write new ones.
    """
    from livingpaper.publish.bundle import render_again

    folder = (output or Path(bundle.stem)).absolute()
    same = render_again(bundle, folder)
    out.print(f"{same} files, each the same as in the release. First page: {(folder / 'index.html').as_uri()}")


class _Pages(http.server.SimpleHTTPRequestHandler):
    """The files of a site: nothing hidden, no lists of files, nothing that a browser keeps beyond the next build."""

    def send_head(self):
        host = urllib.parse.urlsplit(f"//{self.headers.get('Host', 'localhost')}").hostname
        site, path = Path(self.directory), Path(self.translate_path(self.path))
        if host not in ("127.0.0.1", "localhost"):  # a page of elsewhere whose name was made to lead here
            return self.send_error(403, "Open it as localhost or 127.0.0.1")
        hidden = any(part.startswith(".") for part in path.relative_to(site).parts)
        if hidden or not path.resolve().is_relative_to(site.resolve()):
            return self.send_error(404, "File not found")
        return super().send_head()

    def list_directory(self, path):
        return self.send_error(404, "File not found")

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


@app.command(epilog="Examples: `COMMAND serve` · `COMMAND serve --preset smoke --port 8080`")
def serve(
    preset: PresetName = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8000,
) -> None:
    """Serve the built site on localhost until Ctrl-C."""
    folder = site(preset)
    handler = functools.partial(_Pages, directory=str(folder))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        remedy = "choose another with --port, or 0 for any"
        raise PaperError(f"cannot listen on port {port}: {error.strerror}; {remedy}") from None
    with server:
        out.print(f"Serving {folder} at http://127.0.0.1:{server.server_address[1]}/ (Ctrl-C to stop)")
        try:
            server.serve_forever()
        except Stopped:
            out.print("stopped")
