"""``serve``: the built site on localhost."""

import functools
import http.server
from typing import Annotated

import typer

from livingpaper.cli.app import PresetName, Stopped, app, out, site
from livingpaper.errors import PaperError


@app.command(epilog="Examples: `COMMAND serve` · `COMMAND serve --preset smoke --port 8080`")
def serve(
    preset: PresetName = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8000,
) -> None:
    """Serve the built site on localhost until Ctrl-C."""
    folder = site(preset)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
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
