"""The panel below every figure and table that says how to cite it, and below what the whole book is cited by."""

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from livingpaper.files import sha256
from livingpaper.publish import citation
from livingpaper.say.figures import contents
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.references import address

LABELS = {"bibtex": "BibTeX", "apa": "APA", "csl-json": "CSL-JSON"}


class CitePanel(nodes.General, nodes.Element):
    """How to cite ``what``, in ``formats``; unlike raw HTML, the texts do not go into the search index."""


@fills("cite-book", directive=True)
def cite_book(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """How to cite the book."""
    return [nodes.container("", *_panel(app, ""), classes=["cite-book"])]


@fills("cite-figure")
def cite_figure(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """How to cite a figure or table of this page."""
    return _panel(app, place["shown_id"])


def _panel(app: Sphinx, id: str) -> list[CitePanel]:
    """The panel, if there is something to write into it: a book without CITATION.cff has none."""
    texts = cite(app, id) if app.builder.format == "html" else {}
    if not texts:
        return []
    stem, what = citation.BOOK, None
    if id:
        figure = summary(app, id)
        stem, what = f"figures/{id}", f"{citation.KINDS[figure['kind']]} {figure['number'] or id}"
    formats = [(LABELS[name], address(app, f"{stem}.{citation.FORMATS[name]}"), text) for name, text in texts.items()]
    return [CitePanel(what=what, formats=formats)]


def visit_panel(translator, node: CitePanel) -> None:
    """The panel in HTML: it opens without JavaScript; the copy buttons are sphinx-copybutton's."""
    shown = "".join(
        f'<p class="cite-format"><a href="{escape(uri)}">{label}</a></p>'
        f'<div class="highlight notranslate"><pre>{escape(text)}</pre></div>'
        for label, uri, text in node["formats"]
    )
    # who hears it hears what is cited; who sees it sees the figure above
    of = f'<span class="visually-hidden"> {escape(node["what"])}</span>' if node["what"] else " the whole book"
    translator.body.append(f'<details class="cite"><summary>cite{of}</summary><div>{shown}</div></details>')
    raise nodes.SkipNode


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


def setup(app: Sphinx) -> None:
    """Register the panels."""
    app.add_css_file("css/cite.css", priority=800)
    app.add_node(CitePanel, html=(visit_panel, None))
