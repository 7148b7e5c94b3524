"""The page that shows every figure and table of the book, by chapter; and one of them elsewhere."""

from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from livingpaper.publish.citation import FORMATS
from livingpaper.sphinx import made
from livingpaper.sphinx.catalogue import chapter_section
from livingpaper.sphinx.cite import LABELS, can_cite
from livingpaper.sphinx.figure_links import code, files, published
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.references import copied, joined, link, reference

logger = logging.getLogger(__name__)


@fills("figure-index", directive=True)
def index(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """All figures and tables of the book, by chapter: thumbnail, caption, data, code, citation."""
    chapters = app.env.get_domain("paper").by_chapter("figures")
    if not chapters:
        return [nodes.paragraph("", "The book has no figures yet.")]
    sections = [
        chapter_section(app, docname, "figures", *(_entry(app, figure) for figure in figures))
        for docname, figures in chapters.items()
    ]
    links = [nodes.reference("", section[0].astext(), internal=True, refid=section["ids"][0]) for section in sections]
    items = [nodes.list_item("", nodes.paragraph("", "", link)) for link in links]
    return [nodes.bullet_list("", *items), *sections]


@fills("figure-preview", directive=True)
def preview(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The picture of a figure, or the rows of a table, that lives elsewhere, with the way there."""
    id, catalogue = place["shown_id"], app.env.get_domain("paper")
    figure = catalogue.figures.get(id)
    if figure is None:
        logger.warning("no figure or table has the id %r: there are %s", id,
                       ", ".join(sorted(catalogue.figures)) or "none", location=place)  # fmt: skip
        return []
    shown: nodes.Node = Later(kind="picture", shown_id=id)
    if figure["kind"] == "table":
        rows = catalogue.said(figure, "caption").parent[1:]
        shown = nodes.table("", *copied(app.env, rows), classes=["book-grid"])
    line = nodes.paragraph("", "from ", reference(app.env, "std:numref", id), classes=["figure-preview-source"])
    return [nodes.container("", shown, line, classes=["figure-preview", f"{figure['kind']}-preview"])]


@fills("figure-thumbnail", directive=True)
def thumbnail(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """A preview beside words: small, the wide picture on a telephone too, and itself the way there."""
    shown = preview(app, place)
    if shown and app.builder.format == "html":
        figure = app.env.get_domain("paper").figures[place["shown_id"]]
        shown[0][0] = link(app, figure["docname"], figure["id"], published(app, figure, "svg", loading="lazy"))
    return shown


def _entry(app: Sphinx, figure: dict) -> nodes.container:
    id, docname = figure["id"], figure["docname"]
    number = nodes.strong("", "", reference(app.env, "std:numref", id))
    caption = copied(app.env, app.env.get_domain("paper").said(figure, "caption").children)
    text = nodes.container("", nodes.paragraph("", "", number, nodes.Text(" "), *caption))
    box = nodes.container("", classes=["index-entry", f"index-{figure['kind']}"])
    if app.builder.format == "html":
        if figure["kind"] == "figure":
            box += link(app, docname, id, published(app, figure, "png", loading="lazy"))
        text += _links(app, figure)
    box += text
    return box


def _links(app: Sphinx, figure: dict) -> nodes.paragraph:
    id = figure["id"]
    pictures = {suffix.upper(): suffix for suffix in ("svg", "pdf") if suffix in figure["files"]}
    data = {"CSV": "csv", "JSON": "json"}
    parts = [[nodes.Text("data and files: "), *files(app, id, data | pictures)], [code(app, figure)]]
    if can_cite(app):
        cited = files(app, id, {label: FORMATS[name] for name, label in LABELS.items()})
        parts.append([nodes.Text("cite: "), *cited])
    parts.append([link(app, figure["docname"], made.anchor(id), "how it was made")])
    return nodes.paragraph("", "", *joined(parts, " · "), classes=["index-links"])


def setup(app: Sphinx) -> None:
    """Register the styles of the index."""
    app.add_css_file("css/figure-index.css", priority=800)
