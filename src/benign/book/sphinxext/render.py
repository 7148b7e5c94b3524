"""One notebook output -> one numbered figure, one numbered table or one claim box."""

import json

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from sphinx.application import Sphinx

from benign.book import claims, figures
from benign.book.sphinxext.cite import CitePanel
from benign.book.sphinxext.explore import Explorer
from benign.book.sphinxext.tables import table

HTML_FILES = {"figure": ("svg", "pdf", "png"), "table": ()}
PREDICATE_SIGNS = {"<=": "≤", ">=": "≥"}


class Picture(nodes.General, nodes.Element):
    """The image of a published figure; each builder finds its address, so Sphinx makes no hashed copy."""


class ClaimNumber(nodes.Inline, nodes.Element):
    """Stands where the number of the claim ``claim_id`` goes, known when every page has been read."""


class FigureAndClaimRenderer:
    """The MyST-NB plugin that renders ``benign.book``'s figures, tables and claims."""

    mime_priority_overrides = (("*", figures.MIME, 1), ("*", claims.MIME, 1))

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> None | list[nodes.Element]:
        """The nodes of our own kinds of output; ``None`` leaves every other kind to MyST-NB."""
        if inline or data.mime_type not in (figures.MIME, claims.MIME):
            return None
        env = getattr(renderer.renderer, "sphinx_env", None)
        # a book that has the package installed but not the extension gets the fallback picture
        if env is None or "benign" not in env.domains:
            return []
        payload = json.loads(json.dumps(data.content))
        kind = "claims" if data.mime_type == claims.MIME else "figures"
        _check_schema(renderer, payload, data)
        draw = {"figure": _figure, "table": _table}.get(payload.get("kind"), _claim)
        drawn = draw(_Page(renderer, data.line or 0), payload)
        env.get_domain("benign").note(kind, env.docname, (data.cell_index or 0) + 1, payload)
        return drawn


class _Page:
    """The page being read: parses inline markup as its own parser does and takes note of targets."""

    def __init__(self, renderer: NbElementRenderer, line: int) -> None:
        self.myst = renderer.renderer
        self.line = line

    def inline(self, text: str) -> list[nodes.Node]:
        holder = nodes.Element()
        with self.myst.current_node_context(holder):
            self.myst.nested_render_text(text, self.line, inline=True)
        return holder.children

    def target(self, node: nodes.Element, name: str) -> None:
        node["names"].append(name)
        node.line, node.source = self.line, self.myst.document["source"]
        self.myst.document.note_explicit_target(node, node)


def estimate_with_interval(claim: dict) -> list[nodes.Node]:
    """An estimate, emphasised, and its interval."""
    estimate, interval = claims.estimate_text(claim).split(" ", 1)
    return [nodes.strong("", estimate), nodes.Text(" "), nodes.inline("", interval, classes=["interval"])]


def predicate(claim: dict) -> str:
    """What must be true of the number, e.g. ``≤ 0.05``."""
    sign, rest = claim["holds_if"].split(" ", 1)
    # joined by a no-break space: a sign at the end of a line has lost its number
    return f"{PREDICATE_SIGNS.get(sign, sign)}\u00a0{rest}"


def verdict_badge(verdict: str | None) -> nodes.inline:
    """A verdict as symbol and word; colour only repeats it."""
    if verdict is None:
        return nodes.inline("", "nothing yet", classes=["verdict"])
    return nodes.inline("", f"{claims.SYMBOLS[verdict]} {verdict}", classes=["verdict", f"verdict-{verdict}"])


def _check_schema(renderer: NbElementRenderer, payload: dict, data: MimeData) -> None:
    known = claims.SCHEMA if data.mime_type == claims.MIME else figures.SCHEMA
    if payload.get("schema") != known:
        renderer.logger.warning(
            f"{payload.get('id')}: schema {payload.get('schema')} of {data.mime_type}, this version reads {known}: "
            "execute the chapter again",
            subtype="benign",
            line=data.line,
        )


def _figure(page: _Page, payload: dict) -> list[nodes.Element]:
    figure = nodes.figure("", Picture(figure_id=payload["id"], alt=payload["alt"]), classes=["book-figure"])
    if payload.get("explore"):
        figure += Explorer(figure_id=payload["id"])
    caption = nodes.caption("", "", *page.inline(payload["caption"]))
    figure += caption
    figure += nodes.legend("", _links(payload))
    figure["published_id"] = payload["id"]
    page.target(figure, payload["id"])
    return [figure]


def _table(page: _Page, payload: dict) -> list[nodes.Element]:
    shown = payload["table"]
    caption = page.inline(payload["caption"])
    grid = table(
        [page.inline(name) for name in shown["columns"]],
        [[page.inline(cell) for cell in row] for row in shown["rows"]],
        numeric=shown["numeric"],
        title=caption,
    )
    grid["published_id"] = payload["id"]
    page.target(grid, payload["id"])
    return [nodes.container("", grid, _links(payload), classes=["book-table"])]


def _claim(page: _Page, payload: dict) -> list[nodes.Element]:
    verdict, paper = payload["verdict"], payload["paper"]
    box = nodes.admonition(classes=["claim", f"claim-{verdict}"])
    source = f"{payload['where']}, {{cite:t}}`{paper}`" if paper else f"{payload['where']} (ours)"
    title = nodes.title("", "", ClaimNumber(claim_id=payload["id"]), nodes.Text(" "))
    title += [verdict_badge(verdict), nodes.Text(" ")]
    title += nodes.inline("", "", *page.inline(source), classes=["claim-source"])
    box += title
    statement = nodes.paragraph("", "", *page.inline(payload["statement"]), classes=["claim-statement"])
    payload["words"] = statement.astext()
    box += statement
    numbers = nodes.paragraph("", "Estimate ", *estimate_with_interval(payload), classes=["claim-numbers"])
    numbers += nodes.Text(f"; holds if {predicate(payload)}; on record: {payload['on_record'] or 'nothing yet'}.")
    places = [("numref", payload["figure"]), ("prf:ref", payload["theorem"])]
    if seen := " and ".join(f"{{{role}}}`{target}`" for role, target in places if target):
        numbers += [nodes.Text(" See "), *page.inline(seen), nodes.Text(".")]
    box += numbers
    if payload["note"]:
        box += nodes.paragraph("", "", *page.inline(payload["note"]), classes=["claim-note"])
    # catalogue.name_claims puts the number in the place of the id
    env = page.myst.sphinx_env
    env.get_domain("std").note_hyperlink_target(payload["id"], env.docname, payload["id"], payload["id"])
    box["ids"].append(payload["id"])
    return [box]


def _links(payload: dict) -> nodes.container:
    """The line under a figure: its data, its files, its code, how it was made, how to cite it."""
    id = payload["id"]

    def file(text: str, suffix: str, title: str) -> nodes.reference:
        return nodes.reference("", text, published=f"figures/{id}.{suffix}", reftitle=f"{title} of {id}")

    line = nodes.inline()
    line += [nodes.Text("data ("), file("CSV", "csv", "Data"), nodes.Text(")")]
    pictures = HTML_FILES[payload["kind"]]
    for position, suffix in enumerate(pictures):
        line += nodes.Text(", " if position else " · image (")
        line += file(suffix.upper(), suffix, f"{suffix.upper()} image")
    line += nodes.Text(") · " if pictures else " · ")
    line += nodes.reference("", "code", code_of=id, reftitle=f"Code of {id}")
    line += [nodes.Text(" ("), nodes.reference("", "source", source_of=id), nodes.Text(")")]
    line += [nodes.Text(" · "), file("how it was made", "json", "Provenance")]
    return nodes.container("", line, CitePanel(figure_id=id), classes=["figure-links"])


def setup(app: Sphinx) -> None:
    """Register the nodes that outputs become."""
    app.add_node(Picture)
    app.add_node(ClaimNumber)
