"""The whole book as one PDF, printed by Chromium from the published pages."""

import io
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from livingpaper.errors import PaperError
from livingpaper.files import write_atomically
from livingpaper.publish.identity import Identity
from livingpaper.publish.singlepage import Part, compose

if TYPE_CHECKING:  # of the extra `pdf`, which need not be installed
    from playwright.sync_api import Route
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import DictionaryObject

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Nothing that a browser does by itself: no look for updates, no report, no guess at what comes next.
QUIET = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
ORIGIN = "http://book.invalid/"  # a host that cannot exist: what is not in the site is not found
PAPER = 170 / 25.4 * 96  # pixels between the margins of A4, as pdf.css sets them
PATIENCE = 600_000  # milliseconds that some thousand formulas may take on a busy machine

#: When every formula is set and every picture there, what is still too wide for the paper is made smaller.
SETTLE = """async () => {
  if (window.MathJax) await MathJax.startup.promise;
  // a picture that waits until it is scrolled to would be waited for in vain
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map(image => image.decode()));
  await document.fonts.ready;
  for (const box of document.querySelectorAll('.pst-scrollable-table-container, div.math, div.output')) {
    const ratio = box.clientWidth / box.scrollWidth;
    if (ratio < 1) for (const child of box.children) child.style.zoom = Math.max(ratio * 0.995, 0.4);
  }
}"""

#: The headings as words, formulas too: Chromium's outline leaves formulas out and says twice what begins a sheet.
HEADINGS = """() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(heading => {
  const words = heading.cloneNode(true);
  for (const formula of words.querySelectorAll('mjx-container'))
    formula.replaceWith(formula.querySelector('mjx-assistive-mml')?.textContent ?? '');
  return words.textContent.replace(/\\s+/g, ' ').trim();
})"""

NUMBER = """sheets => document.querySelectorAll('.single-page-contents .sheet').forEach(
  (place, position) => { place.textContent = sheets[position]; }
)"""


def browser() -> Path:
    """The system's Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise PaperError(
            f"none of {', '.join(BROWSERS)} is installed: install Chromium from your system's packages, "
            "e.g. apt-get install chromium"
        )
    return Path(found)


def launch_options() -> dict:
    """How Playwright starts it."""
    # Chromium's sandbox does not start for root, whom containers run as
    sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    return {"executable_path": str(browser()), "args": [*QUIET, *sandbox]}


def write(site: Path, parts: Sequence[Part], identity: Identity, home: str, output: Path) -> int:
    """Print the pages of a site into one file; how many sheets it has."""
    try:
        from playwright.sync_api import sync_playwright
        from pypdf import PdfReader, PdfWriter
    except ModuleNotFoundError as error:
        raise PaperError(f"the package {error.name} is not installed: run `pip install playwright pypdf`") from None

    options = launch_options()
    document = compose(site, parts, identity, home)

    def answer(route: "Route") -> None:
        path = site / unquote(urlsplit(route.request.url).path.lstrip("/"))
        if route.request.url == ORIGIN:
            route.fulfill(body=document, content_type="text/html; charset=utf-8")
        elif route.request.url.startswith(ORIGIN) and path.is_file():
            route.fulfill(path=path)
        else:
            route.abort()

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**options)
        page = chromium.new_page(viewport={"width": round(PAPER), "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.route("**/*", answer)
        page.emulate_media(media="print")
        page.goto(ORIGIN)
        page.evaluate(SETTLE)

        def printed() -> bytes:
            return page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)

        # Where a chapter begins is known when it is on paper: print, note it in the table of contents, print again.
        page.evaluate(NUMBER, _first_sheets(PdfReader(io.BytesIO(printed()))))
        volume = PdfWriter(clone_from=io.BytesIO(printed()))
        _name(volume, page.evaluate(HEADINGS))
        chromium.close()
    volume.add_metadata({"/Author": ", ".join(identity.authors), "/Creator": f"{identity.command} {identity.version}"})
    content = io.BytesIO()
    volume.write(content)
    write_atomically(output, content.getvalue())
    return len(volume.pages)


def _first_sheets(reader: "PdfReader") -> list[int]:
    """The sheet on which each chapter, an entry of the outline, begins."""
    chapters = [entry for entry in reader.outline if not isinstance(entry, list)]
    return [reader.get_destination_page_number(chapter) + 1 for chapter in chapters]


def _name(volume: "PdfWriter", headings: Sequence[str]) -> None:
    """Call the entries of the outline what the headings say."""
    from pypdf.generic import NameObject, TextStringObject

    entries = list(_entries(volume.root_object["/Outlines"]))
    for entry, heading in zip(entries, headings, strict=True):
        entry[NameObject("/Title")] = TextStringObject(heading)


def _entries(above: "DictionaryObject") -> "Iterator[DictionaryObject]":
    """The entries of an outline in reading order, however deep."""
    entry = above.get("/First")
    while entry is not None:
        entry = entry.get_object()
        yield entry
        yield from _entries(entry)
        entry = entry.get("/Next")
