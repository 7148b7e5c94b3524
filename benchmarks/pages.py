"""How much every page of a built site weighs, and how long a browser takes to show it, over links of two kinds.

``python benchmarks/pages.py [SITE]`` after `benign build`. Every visit is a first one, with nothing
in the browser's cache.
"""

import functools
import gzip
import http.server
import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.progress import track
from rich.table import Table

from livingpaper.build.project import Project
from livingpaper.errors import PaperError
from livingpaper.publish.pdf import launch_options

TEXT = {".html", ".js", ".css", ".svg", ".json"}


@dataclass(frozen=True)
class Link:
    """A way to the server, and how many times slower than this machine's the reader's processor is."""

    name: str
    bytes_per_second: float
    latency_ms: float
    slowdown: float


#: Without limits; and what the browser's developer tools call "Fast 4G", with the processor of a telephone.
LINKS = [
    Link("this machine", -1, 0, 1),
    Link("a telephone", 9e6 * 0.9 / 8, 60 * 2.75, 4),
]

#: Notes when the page's own scripts are done and its formulas are set.
WATCH = """addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    window.formulasSet = performance.now();
});"""
MOMENTS = """() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    load: performance.getEntriesByType("navigation")[0].loadEventEnd,
    formulas: window.formulasSet,
})"""


class Zipped(http.server.SimpleHTTPRequestHandler):
    """Sends texts compressed, as servers of pages do, and fonts as they are."""

    protocol_version = "HTTP/1.1"  # connections are kept

    def send_head(self) -> io.BytesIO | None:
        path = Path(self.translate_path(self.path))
        if path.suffix not in TEXT or not path.is_file():
            return super().send_head()
        content = packed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@functools.cache
def packed(path: Path) -> bytes:
    """A file as it is sent."""
    return gzip.compress(path.read_bytes()) if path.suffix in TEXT else path.read_bytes()


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a folder, while it is served."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Zipped, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@dataclass(frozen=True)
class Visit:
    """What one visit took: bytes with and without the figures, and seconds from the click on."""

    weight: int
    figures: int
    paint: float
    load: float
    formulas: float


def visit(browser: Browser, site: Path, address: str, name: str, link: Link) -> Visit:
    """Open a page that was never opened before, at its top, in a desktop's window."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    asked = []
    page.on("requestfinished", lambda request: asked.append(unquote(urlsplit(request.url).path).lstrip("/")))
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    rate = link.bytes_per_second
    conditions = {"offline": False, "latency": link.latency_ms, "downloadThroughput": rate, "uploadThroughput": rate}
    tools.send("Network.emulateNetworkConditions", conditions)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": link.slowdown})
    page.goto(f"{address}/{name}", wait_until="networkidle", timeout=120_000)
    page.wait_for_function("window.formulasSet && performance.getEntriesByType('navigation')[0].loadEventEnd")
    moments = {moment: milliseconds / 1000 for moment, milliseconds in page.evaluate(MOMENTS).items()}
    context.close()
    weights = {path: len(packed(site / path)) for path in asked}
    figures = sum(weight for path, weight in weights.items() if path.startswith("figures/"))
    return Visit(sum(weights.values()) - figures, figures, **moments)


def table(rows: list[tuple[str, list[list[Visit]]]], repetitions: int) -> Table:
    """A line a page, in the order of their weights."""
    title = f"First visits. Seconds are the median of {repetitions}: first paint / loaded / formulas set"
    shown = Table("page", title=title)
    for heading in ["kB before figures", "kB of figures", *(link.name for link in LINKS)]:
        shown.add_column(heading, justify="right", no_wrap=True)
    for name, visits in sorted(rows, key=lambda row: -row[1][0][0].weight):
        first = visits[0][0]
        times = [
            " / ".join(
                f"{median(getattr(one, moment) for one in some):.2f}" for moment in ("paint", "load", "formulas")
            )
            for some in visits
        ]
        shown.add_row(name, f"{first.weight / 1000:.0f}", f"{first.figures / 1000:.0f}", *times)
    return shown


def main(
    site: Annotated[Path | None, typer.Argument(help="A built site; default: the published one.")] = None,
    repetitions: Annotated[int, typer.Option(min=1, help="Visits to a page over each link.")] = 3,
) -> None:
    """Visit every page and print a table."""
    project = Project(Path(__file__).parents[1])
    site = site or project.site(project.variant(None, {}))
    if not (site / "index.html").is_file():
        raise PaperError(f"{site} holds no index.html: run `benign build` first, or name the folder of a built site")
    names = [str(path.with_suffix(".html")) for path in project.pages]
    with sync_playwright() as playwright, served(site) as address:
        browser = playwright.chromium.launch(**launch_options())
        rows = [
            (name, [[visit(browser, site, address, name, link) for _ in range(repetitions)] for link in LINKS])
            for name in track(names, "Visiting", console=Console(stderr=True))
        ]
        browser.close()
    Console(width=None if sys.stdout.isatty() else 120).print(table(rows, repetitions))


if __name__ == "__main__":
    try:
        typer.run(main)
    except PaperError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
