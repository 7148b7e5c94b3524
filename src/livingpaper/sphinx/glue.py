"""Where a page wants what its code handed over: ``glue:figure``, ``glue:table``, ``glue:claim`` and ``glue:text``.

The first and last are MyST-NB's own, which do a little more here; the other two are made after their pattern.
"""

import json
from collections.abc import Sequence
from contextlib import suppress

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.render import MimeData, NbElementRenderer
from myst_nb.ext.glue.roles import PasteTextRole
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from livingpaper.build import parameters, words
from livingpaper.errors import InputError
from livingpaper.say import claims, figures
from livingpaper.sphinx import sources
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.references import address
from livingpaper.sphinx.tables import table

HTML_FILES = {"figure": ("svg", "pdf", "png"), "table": ()}
PREDICATE_SIGNS = {"<=": "≤", ">=": "≥"}


class HandedOver(nodes.General, nodes.Element):
    """Marks, in the output of a code cell, that the cell handed ``shown_id`` over."""


class AnchorCode(SphinxTransform):
    """Give the code cell that made a figure the anchor ``<figure id>-code``, and take the marks away."""

    default_priority = 500

    def apply(self, **kwargs) -> None:
        for mark in list(self.document.findall(HandedOver)):
            cell = bundle = mark.parent
            while cell is not None and cell.get("nb_element") != "cell_code":
                cell = cell.parent
            # with all its kinds of output: MyST-NB would choose another one where ours is gone
            while bundle.get("nb_element") != "mime_bundle":
                bundle = bundle.parent
            empty = bundle
            while empty is bundle or not empty.children:
                empty.parent.remove(empty)
                empty = empty.parent
            # a cell whose source is hidden for good has no code to go to
            if cell is not None and cell.children and cell[0].get("nb_element") == "cell_code_source":
                cell["ids"].append(f"{mark['shown_id']}-code")


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
        figure = nodes.figure("", Later(kind="picture", shown_id=payload["id"]), classes=["book-figure"])
        if payload.get("explore"):
            figure += Later(kind="explorer", shown_id=payload["id"])
        figure += nodes.caption("", "", *_as_one(paragraphs))
        figure += nodes.legend("", Later(kind="figure-links", shown_id=payload["id"]))
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
        return [nodes.container("", grid, Later(kind="figure-links", shown_id=payload["id"]), classes=["book-table"])]


class GlueClaim(Glued):
    """A claim with its verdict: the first paragraph is the statement, what follows is the note."""

    option_spec = {name: directives.unchanged_required for name in words.OPTIONS["claim"]}
    kind, mime = "claim", claims.MIME

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        verdict, paper = payload["verdict"], payload["paper"]
        box = nodes.admonition(classes=["claim", f"claim-{verdict}"])
        source = f"{payload['where']}, {{cite:t}}`{paper}`" if paper else f"{payload['where']} (ours)"
        title = nodes.title("", "", Later(kind="claim-number", shown_id=payload["id"]), nodes.Text(" "))
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


@fills("picture")
def picture(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The image of a figure, at the address that stays."""
    id, suffix = place["shown_id"], "pdf" if app.builder.format == "latex" else "svg"
    uri = address(app, f"figures/{id}.{suffix}")
    # "?" is Sphinx's mark of an image that is not among the sources and is not to be copied;
    # "dark-light" tells the theme to leave its colours alone in the dark
    alt, classes = app.env.get_domain("paper").figures[id]["alt"], ["published", "dark-light"]
    image = nodes.image(uri=uri, alt=alt, candidates={"?": uri}, classes=classes)
    # a box of its own, in which a wide picture can be moved sideways on a narrow screen
    return [nodes.container("", image, classes=["figure-scroll"]) if suffix == "svg" else image]


@fills("figure-links")
def figure_links(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The line under a figure: its data, its files, its code, how it was made, how to cite it."""
    if app.builder.format != "html":
        return []
    id = place["shown_id"]
    figure = app.env.get_domain("paper").figures[id]

    def file(text: str, suffix: str, title: str) -> nodes.reference:
        return nodes.reference("", text, refuri=address(app, f"figures/{id}.{suffix}"), reftitle=f"{title} of {id}")

    line = nodes.inline()
    line += [nodes.Text("data ("), file("CSV", "csv", "Data"), nodes.Text(")")]
    pictures = HTML_FILES[figure["kind"]]
    for position, suffix in enumerate(pictures):
        line += nodes.Text(", " if position else " · image (")
        line += file(suffix.upper(), suffix, f"{suffix.upper()} image")
    line += nodes.Text(") · " if pictures else " · ")
    code = nodes.reference("", "code", reftitle=f"Code of {id}")
    if any(f"{id}-code" in node["ids"] for node in place.document.findall(nodes.container)):
        code["refid"] = f"{id}-code"
    else:
        code["refuri"] = address(app, f"_sources/{figure['docname']}.ipynb")
    target, words = sources.link(app, id, figure["docname"])
    page, _, anchor = target.partition("#")
    uri = target if "://" in target else address(app, page) + (f"#{anchor}" if anchor else "")
    source = nodes.reference("", "source", refuri=uri, reftitle=f"Source of {id}: {words}")
    line += [code, nodes.Text(" ("), source, nodes.Text(")")]
    line += [nodes.Text(" · "), file("how it was made", "json", "Provenance")]
    return [nodes.container("", line, Later(kind="cite-figure", shown_id=id), classes=["figure-links"])]


def setup(app: Sphinx) -> None:
    """Register the directives, in MyST-NB's domain, and the nodes that they make."""
    app.add_node(HandedOver)
    app.add_transform(AnchorCode)
    for name, directive in {"figure": GlueFigure, "table": GlueTable, "claim": GlueClaim}.items():
        app.add_directive_to_domain("glue", name, directive, override=True)
    app.add_role_to_domain("glue", "text", GlueText(), override=True)
