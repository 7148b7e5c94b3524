"""The panel below every figure and table that says how to cite it, and below what the whole book is cited by."""

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from livingpaper.build import archive
from livingpaper.files import sha256
from livingpaper.publish import citation
from livingpaper.say.figures import contents
from livingpaper.sphinx.details import Details
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.records import has_archive
from livingpaper.sphinx.references import address

LABELS = {"bibtex": "BibTeX", "apa": "APA", "csl-json": "CSL-JSON"}


@fills("cite-book", directive=True)
def cite_book(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """How to cite the book."""
    box = nodes.container("", *_panel(app, ""), classes=["cite-book"])
    if has_archive(app):
        box += nodes.inline("", " ", nodes.reference("", "all sources", refuri=address(app, archive.FILE)))
    return [box]


@fills("cite-figure")
def cite_figure(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """How to cite a figure or table of this page."""
    return _panel(app, place["shown_id"])


def _panel(app: Sphinx, id: str) -> list[Details]:
    """The panel, if there is something to write into it: a book without CITATION.cff has none."""
    texts = cite(app, id) if app.builder.format == "html" else {}
    if not texts:
        return []
    stem, told = f"figures/{id}" if id else citation.BOOK, _panels(app, id) if id else ""
    # the copy buttons are sphinx-copybutton's
    shown = "".join(
        f'<p class="cite-format"><a href="{escape(address(app, f"{stem}.{citation.FORMATS[name]}"))}">{label}</a></p>'
        f'<div class="highlight notranslate"><pre>{escape(texts[name])}</pre></div>'
        for name, label in LABELS.items()
    )
    what, words = (named(app, id), "cite") if id else ("", "cite the whole book")
    return [Details(kind="cite", what=what, summary=words, html=shown + told)]


def _panels(app: Sphinx, id: str) -> str:
    """How to cite one panel of a figure that has several."""
    if not (letters := app.env.get_domain("paper").figures[id].get("panels")):
        return ""
    return f"<p>A panel of it is cited as {named(app, id)}{letters[0]}, its address ends in #{id}-{letters[0]}.</p>"


def named(app: Sphinx, id: str) -> str:
    """A figure or table by its number."""
    figure = summary(app, id)
    return f"{citation.KINDS[figure['kind']]} {figure['number'] or id}"


@cache  # on its page and in its files
def cite(app: Sphinx, id: str = "") -> dict[str, str]:
    """The citations of a figure or table, or of the book, by format; none if there is no CITATION.cff."""
    if not can_cite(app):
        return {}
    sources = app.env.paper_sources
    figure = summary(app, id) if id else None
    return citation.cite(_book(app), sources.repository, sources.variant, app.config.html_baseurl, figure)


def can_cite(app: Sphinx) -> bool:
    """Whether the book says how to cite it."""
    return Path(app.srcdir, "CITATION.cff").is_file()


@cache
def _book(app: Sphinx) -> dict:
    return citation.read(Path(app.srcdir, "CITATION.cff"))


@cache
def summary(app: Sphinx, id: str) -> dict:
    """What ``figures/index.json`` says of a figure or table."""
    catalogue = app.env.get_domain("paper")
    entry = catalogue.figures[id]
    files = {f"{id}.{suffix}": sha256(content) for suffix, content in contents(entry).items()}
    return {
        "id": id,
        "kind": entry["kind"],
        "number": catalogue.number(entry) or None,
        "caption": catalogue.in_words(entry, "caption"),
        "alt": entry["alt"],
        "page": page(app, entry),
        "files": files,
        "digest": citation.digest(files),
    }


def page(app: Sphinx, entry: dict) -> str:
    """The address of a figure, table or claim in the site."""
    return f"{app.builder.get_target_uri(entry['docname']).partition('#')[0]}#{entry['id']}"
