"""Where a page wants what its code handed over: ``glue:figure``, ``glue:table``, ``glue:claim`` and ``glue:text``.

The first and last are MyST-NB's own, which do a little more here; the other two are made after their pattern.
"""

import json
from contextlib import suppress

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.render import MimeData, NbElementRenderer
from myst_nb.ext.glue.roles import PasteTextRole
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from livingpaper.build import parameters, words
from livingpaper.errors import InputError
from livingpaper.say import claims, figures
from livingpaper.sphinx.cite import CitePanel
from livingpaper.sphinx.explore import Explorer
from livingpaper.sphinx.tables import table

HTML_FILES = {"figure": ("svg", "pdf", "png"), "table": ()}
PREDICATE_SIGNS = {"<=": "≤", ">=": "≥"}


class Picture(nodes.General, nodes.Element):
    """The image of a published figure; each builder finds its address, so Sphinx makes no hashed copy."""


class ClaimNumber(nodes.Inline, nodes.Element):
    """Stands where the number of the claim ``claim_id`` goes, known when every page has been read."""


class HandedOver(nodes.General, nodes.Element):
    """Marks, in the output of a code cell, that the cell handed ``shown_id`` over."""


class Renderer:
    """The MyST-NB plugin that shows nothing at the cell itself: the directive below it does."""

    mime_priority_overrides = (("*", figures.MIME, 1), ("*", claims.MIME, 1))

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> None | list[nodes.Element]:
        """A mark for our own kinds of output; ``None`` leaves every other kind to MyST-NB."""
        if inline or data.mime_type not in words.MIMES:
            return None
        env = getattr(renderer.renderer, "sphinx_env", None)
        # a book that has the package installed but not the extension gets the fallback picture
        return [] if env is None or "paper" not in env.domains else [HandedOver(shown_id=data.content["id"])]


class Glued(SphinxDirective):
    """The base of the directives: the half that the code handed over, joined with the words that stand here."""

    required_arguments = 1
    has_content = True
    kind: str
    mime: str

    def run(self) -> list[nodes.Node]:
        id = self.arguments[0]
        said = words.spelled(self.kind, self.options, "\n".join(self.content).strip())
        try:
            payload, numbers = self._handed_over(id)
            said["holds_if"] = words.filled(said.get("holds_if", ""), numbers)
            payload = (claims.judged if self.kind == "claim" else figures.captioned)(payload, said)
        except InputError as error:
            raise self.error(str(error)) from None
        body = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, body)
        drawn = self.draw(payload, [node for node in body if isinstance(node, nodes.paragraph)])
        kind = "claims" if self.kind == "claim" else "figures"
        self.env.get_domain("paper").note(kind, self.env.docname, self.lineno, payload)
        return drawn

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        raise NotImplementedError

    def inline(self, text: str) -> list[nodes.Node]:
        found, messages = self.state.inline_text(text, self.lineno)
        return [*found, *messages]

    def target(self, node: nodes.Element, name: str) -> None:
        node["names"].append(name)
        self.set_source_info(node)
        self.state.document.note_explicit_target(node, node)

    def _handed_over(self, id: str) -> tuple[dict, dict[str, str]]:
        renderer = self.state.document.attributes.get("nb_renderer")
        glued = _glued(renderer) if renderer else {}
        output = glued.get(id)
        payload = output and output["data"].get(self.mime)
        if not payload or payload.get("kind", "claim") != self.kind:
            raise InputError(
                f"no code cell of this page hands {id} over: call say.{self.kind}({id!r}, ...) in the cell above, "
                "and execute the chapter again"
            )
        schema = claims.SCHEMA if self.kind == "claim" else figures.SCHEMA
        if payload.get("schema") != schema:
            raise InputError(f"{id} was handed over by another version: execute the chapter again")
        numbers = {name: output["data"].get("text/plain", "") for name, output in glued.items()}
        return json.loads(json.dumps(payload)), numbers


class GlueFigure(Glued):
    """A numbered figure: the directive's body is its caption, the option ``alt`` what is to be seen, in words."""

    option_spec = {"alt": directives.unchanged_required}
    kind, mime = "figure", figures.MIME

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        figure = nodes.figure("", Picture(figure_id=payload["id"], alt=payload["alt"]), classes=["book-figure"])
        if payload.get("explore"):
            figure += Explorer(figure_id=payload["id"])
        figure += nodes.caption("", "", *_as_one(paragraphs))
        figure += nodes.legend("", _links(payload))
        figure["published_id"] = payload["id"]
        self.target(figure, payload["id"])
        return [figure]


class GlueTable(Glued):
    """A numbered table: the directive's body is its caption."""

    kind, mime = "table", figures.MIME

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        shown = payload["table"]
        grid = table(
            [self.inline(name) for name in shown["columns"]],
            [[self.inline(cell) for cell in row] for row in shown["rows"]],
            numeric=shown["numeric"],
            title=_as_one(paragraphs),
        )
        grid["published_id"] = payload["id"]
        self.target(grid, payload["id"])
        return [nodes.container("", grid, _links(payload), classes=["book-table"])]


class GlueClaim(Glued):
    """A claim with its verdict: the first paragraph is the statement, what follows is the note."""

    option_spec = {name: directives.unchanged_required for name in words.OPTIONS["claim"]}
    kind, mime = "claim", claims.MIME

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        verdict, paper = payload["verdict"], payload["paper"]
        box = nodes.admonition(classes=["claim", f"claim-{verdict}"])
        source = f"{payload['where']}, {{cite:t}}`{paper}`" if paper else f"{payload['where']} (ours)"
        title = nodes.title("", "", ClaimNumber(claim_id=payload["id"]), nodes.Text(" "))
        title += [verdict_badge(verdict), nodes.Text(" ")]
        title += nodes.inline("", "", *self.inline(source), classes=["claim-source"])
        box += title
        statement, *note = paragraphs
        statement["classes"].append("claim-statement")
        payload["words"] = statement.astext()
        box += statement
        numbers = nodes.paragraph("", "Estimate ", *estimate_with_interval(payload), classes=["claim-numbers"])
        numbers += nodes.Text(f"; holds if {predicate(payload)}; on record: {payload['on_record'] or 'nothing yet'}.")
        places = [("numref", payload["figure"]), ("prf:ref", payload["theorem"])]
        if seen := " and ".join(f"{{{role}}}`{target}`" for role, target in places if target):
            numbers += [nodes.Text(" See "), *self.inline(seen), nodes.Text(".")]
        box += numbers
        for paragraph in note:
            paragraph["classes"].append("claim-note")
            box += paragraph
        # catalogue.name_claims puts the number in the place of the id
        self.env.get_domain("std").note_hyperlink_target(payload["id"], self.env.docname, payload["id"], payload["id"])
        box["ids"].append(payload["id"])
        return [box]


class GlueText(PasteTextRole):
    """A number in the prose: one that the code handed over, or a parameter of the chapter by its name."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        renderer = self.document.attributes.get("nb_renderer")
        if renderer is not None and "::" not in self.text:
            key, colon, form = self.text.partition(":")
            if key.replace("_", "-") in _glued(renderer):
                self.text = f"{key.replace('_', '-')}{colon}{form}"
        return super().run()


def _glued(renderer: NbElementRenderer) -> dict[str, dict]:
    """What the page's code has glued; the parameters of the chapter too, as if its code had done so."""
    client = renderer.renderer.nb_client
    if not hasattr(client, "parameters_are_glued"):
        client.parameters_are_glued = True
        with suppress(InputError):  # no chapter of ours, or the table of parameters says what is wrong
            for name, value in parameters.effective(client.notebook).items():
                output = {"output_type": "display_data", "data": {"text/plain": repr(value)}, "metadata": {}}
                client.glue_data.setdefault(name.replace("_", "-"), output)
    return client.glue_data


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


def _as_one(paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    for paragraph in paragraphs:
        found += [nodes.Text(" ")] if found else []
        found += paragraph.children
    return found


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
    """Register the directives, in MyST-NB's domain, and the nodes that they make."""
    for node in (Picture, ClaimNumber, HandedOver):
        app.add_node(node)
    for name, directive in {"figure": GlueFigure, "table": GlueTable, "claim": GlueClaim}.items():
        app.add_directive_to_domain("glue", name, directive, override=True)
    app.add_role_to_domain("glue", "text", GlueText(), override=True)
