"""The page that shows every figure and table of the book, by chapter; and one figure on another page."""

from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from livingpaper.publish.citation import FORMATS
from livingpaper.sphinx.captions import as_read
from livingpaper.sphinx.catalogue import chapter_title
from livingpaper.sphinx.cite import LABELS, can_cite
from livingpaper.sphinx.later import Later, directive, fills
from livingpaper.sphinx.references import address, copied, link, reference

logger = logging.getLogger(__name__)


@fills("figure-index")
def index(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """All figures and tables of the book, by chapter: thumbnail, caption, data, code, citation."""
    chapters: dict[str, list[dict]] = {}
    for entry in app.env.get_domain("paper").in_reading_order("figures"):
        chapters.setdefault(entry["docname"], []).append(entry)
    if not chapters:
        return [nodes.paragraph("", "The book has no figures yet.")]
    sections = [_chapter(app, docname, entries) for docname, entries in chapters.items()]
    links = [nodes.reference("", section[0].astext(), internal=True, refid=section["ids"][0]) for section in sections]
    items = [nodes.list_item("", nodes.paragraph("", "", link)) for link in links]
    return [nodes.bullet_list("", *items), *sections]


@fills("figure-preview")
def preview(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The picture of a figure that lives on another page, with the way there."""
    id, figures = place["shown_id"], app.env.get_domain("paper").figures
    figure = figures.get(id)
    if figure is None or figure["kind"] != "figure":
        known = ", ".join(sorted(key for key, entry in figures.items() if entry["kind"] == "figure"))
        logger.warning("no figure has the id %r: there are %s", id, known or "none", location=place)
        return []
    number = reference(app.env, "std:numref", id)
    line = nodes.paragraph("", "from ", number, classes=["figure-preview-source"])
    return [nodes.container("", Later(kind="picture", shown_id=id), line, classes=["figure-preview"])]


def _chapter(app: Sphinx, docname: str, entries: list[dict]) -> nodes.section:
    title = nodes.title("", chapter_title(app.env, docname))
    page = app.env.get_doctree(docname)
    captions = as_read(page)
    anchors = {id for node in page.findall(nodes.Element) for id in node["ids"]}
    shown = [_entry(app, entry, captions[entry["id"]], anchors) for entry in entries]
    return nodes.section("", title, *shown, ids=[f"figures-of-{docname.rpartition('/')[2]}"], names=[])


def _entry(app: Sphinx, entry: dict, caption: nodes.Element, anchors: set[str]) -> nodes.container:
    id, docname = entry["id"], entry["docname"]
    number = nodes.strong("", "", reference(app.env, "std:numref", id))
    text = nodes.container("", nodes.paragraph("", "", number, nodes.Text(" "), *copied(app.env, caption.children)))
    box = nodes.container("", classes=["index-entry", f"index-{entry['kind']}"])
    if app.builder.format == "html":
        if entry["kind"] == "figure":
            uri, classes = address(app, f"figures/{id}.png"), ["published", "dark-light"]
            picture = nodes.image(uri=uri, alt=entry["alt"], candidates={"?": uri}, loading="lazy", classes=classes)
            box += link(app, docname, id, picture)
        text += _links(app, entry, anchors)
    box += text
    return box


def _links(app: Sphinx, entry: dict, anchors: set[str]) -> nodes.paragraph:
    id = entry["id"]

    def files(suffixes: dict[str, str]) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for label, suffix in suffixes.items():
            found += [nodes.Text(", ")] if found else []
            found.append(nodes.reference("", label, refuri=address(app, f"figures/{id}.{suffix}")))
        return found

    pictures = {suffix.upper(): suffix for suffix in ("svg", "pdf") if suffix in entry["files"]}
    line = [nodes.Text("data and files: "), *files({"CSV": "csv"} | pictures), nodes.Text(" · ")]
    if f"{id}-code" in anchors:
        line.append(link(app, entry["docname"], f"{id}-code", "code"))
    else:  # a cell whose source is hidden for good has no code to go to
        line.append(nodes.reference("", "code", refuri=address(app, f"_sources/{entry['docname']}.ipynb")))
    if can_cite(app):
        line += [nodes.Text(" · cite: "), *files({LABELS[name]: suffix for name, suffix in FORMATS.items()})]
    line += [nodes.Text(" · "), *files({"how it was made": "json"})]
    return nodes.paragraph("", "", *line, classes=["index-links"])


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_css_file("css/figure-index.css", priority=800)
    for kind in ("figure-index", "figure-preview"):
        app.add_directive(kind, directive(kind))
