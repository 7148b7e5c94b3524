"""Where a page wants what its code handed over: ``glue:figure``, ``glue:table``, ``glue:claim`` and ``glue:text``.

The first and last are MyST-NB's own, which do a little more here; the other two are made after their pattern.
"""

import json
from contextlib import suppress
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.render import MimeData, NbElementRenderer
from myst_nb.ext.glue.roles import PasteTextRole
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from livingpaper.build import parameters, replications, words
from livingpaper.errors import InputError
from livingpaper.say import claims, figures
from livingpaper.sphinx.later import Later
from livingpaper.sphinx.references import joined
from livingpaper.sphinx.tables import table

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
            # a cell whose source is hidden for good has no code to go to; a link into a closed bar opens it
            if cell is not None and cell.children and cell[0].get("nb_element") == "cell_code_source":
                cell[0]["ids"].append(f"{mark['shown_id']}-code")
                self.env.get_domain("paper").note_code(self.env.docname, mark["shown_id"])


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
    half = figures  #: the module that makes the code's half and joins the words to it
    shelf = "figures"  #: where the catalogue has it

    def run(self) -> list[nodes.Node]:
        id = self.arguments[0]
        said = words.spelled(self.kind, self.options, "\n".join(self.content).strip())
        try:
            payload, numbers = self._handed_over(id)
            said["holds_if"] = words.filled(said.get("holds_if", ""), numbers)
            payload = self.join(payload, said)
        except InputError as error:
            raise self.error(str(error)) from None
        body = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, body)
        self.env.get_domain("paper").note(self.shelf, self.env.docname, self.lineno, payload)
        return self.draw(payload, [node for node in body if isinstance(node, nodes.paragraph)])

    def join(self, payload: dict, said: dict) -> dict:
        return figures.captioned(payload, said)

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        raise NotImplementedError

    def inline(self, text: str) -> list[nodes.Node]:
        found, messages = self.state.inline_text(text, self.lineno)
        return [*found, *messages]

    def captioned(self, node: nodes.Element, caption: nodes.Element, paragraphs: list[nodes.paragraph]) -> None:
        """Let a figure or table be found by its id; its caption is all paragraphs in one."""
        id = self.arguments[0]
        caption += joined((paragraph.children for paragraph in paragraphs), " ")
        caption["says"] = (id, "caption")
        node["names"].append(id)
        self.set_source_info(node)
        self.state.document.note_explicit_target(node, node)

    def _handed_over(self, id: str) -> tuple[dict, dict[str, str]]:
        renderer = self.state.document.attributes.get("nb_renderer")
        glued = _glued(renderer) if renderer else {}
        output = glued.get(id)
        payload = output and output["data"].get(self.half.MIME)
        if not payload or payload.get("kind", "claim") != self.kind:
            raise InputError(
                f"no code cell of this page hands {id} over: call say.{self.kind}({id!r}, ...) in the cell above, "
                "and execute the chapter again"
            )
        if payload.get("schema") != self.half.SCHEMA:
            raise InputError(f"{id} was handed over by another version: execute the chapter again")
        numbers = {name: output["data"].get("text/plain", "") for name, output in glued.items()}
        return json.loads(json.dumps(payload)), numbers


class GlueFigure(Glued):
    """A numbered figure: the directive's body is its caption, the option ``alt`` what is to be seen, in words."""

    option_spec = {"alt": directives.unchanged_required}
    kind = "figure"

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        id, caption = payload["id"], nodes.caption()
        panels = [nodes.inline("", "", ids=[f"{id}-{letter}"]) for letter in payload.get("panels", ())]
        figure = nodes.figure("", *panels, Later(kind="picture", shown_id=id), classes=["book-figure"])
        if payload.get("explore"):
            figure += Later(kind="explorer", shown_id=id)
        figure += [caption, nodes.legend("", Later(kind="figure-links", shown_id=id))]
        self.captioned(figure, caption, paragraphs)
        return [figure]


class GlueTable(Glued):
    """A numbered table: the directive's body is its caption."""

    kind = "table"

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        shown = payload["table"]
        header, *rows = [
            [self.inline(text) if markup else text for text, markup in zip(row, shown["markup"], strict=True)]
            for row in [shown["columns"], *shown["rows"]]
        ]
        grid = table(header, rows, numeric=shown["numeric"])
        grid.insert(0, nodes.title())
        self.captioned(grid, grid[0], paragraphs)
        return [nodes.container("", grid, Later(kind="figure-links", shown_id=payload["id"]), classes=["book-table"])]


class GlueClaim(Glued):
    """A claim with its verdict: the first paragraph is the statement, what follows is the note."""

    option_spec = {name: directives.unchanged_required for name in words.OPTIONS["claim"]}
    kind, half, shelf = "claim", claims, "claims"

    def join(self, payload: dict, said: dict) -> dict:
        drawn = replications.read_all(Path(self.env.srcdir)).get(self.env.docname.rpartition("/")[2])
        return replications.applied(claims.judged(payload, said), drawn)

    def draw(self, payload: dict, paragraphs: list[nodes.paragraph]) -> list[nodes.Node]:
        id, verdict, paper = payload["id"], payload["verdict"], payload["paper"]
        source = f"{payload['where']}, {{cite:t}}`{paper}`" if paper else f"{payload['where']} (ours)"
        title = nodes.title("", "", Later(kind="claim-number", shown_id=id), nodes.Text(" "))
        title += [verdict_badge(verdict), nodes.Text(" ")]
        title += nodes.inline("", "", *self.inline(source), classes=["claim-source"])
        record = f"On record: {payload['on_record'] or 'nothing yet'}."
        inside = nodes.paragraph("", record)
        places = [("numref", payload["figure"]), ("prf:ref", payload["theorem"])]
        if seen := " and ".join(f"{{{role}}}`{target}`" for role, target in places if target):
            inside += [nodes.Text(" See "), *self.inline(seen), nodes.Text(".")]
        for paragraph, part in zip(paragraphs, ["statement"] + ["note"] * len(paragraphs), strict=False):
            paragraph["classes"].append(f"claim-{part}")
            paragraph["says"] = (id, part)
        statement, *note = paragraphs
        changed = []
        if payload["changed"]:
            told = nodes.inline("", "", *self.inline(payload["changed"]), says=(id, "changed"))
            changed = [nodes.paragraph("", "Predicate changed: ", told, classes=["claim-changed"])]
        # catalogue.name_by_number puts the number in the place of the id
        self.env.get_domain("std").note_hyperlink_target(id, self.env.docname, id, id)
        # one line more than the sentence, which opens and says the rest
        parts = [claims.estimate_text(payload), f"holds if {predicate(payload)}", replications.in_words(payload)]
        more = Disclosure("", inside, *_draws(payload), *note, *changed, summary="; ".join(filter(None, parts)))
        return [nodes.admonition("", title, statement, more, classes=["claim", f"claim-{css(verdict)}"], ids=[id])]


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
    if claim["interval"] is None:
        return [nodes.Text(claims.estimate_text(claim).capitalize())]
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
    return nodes.inline("", f"{claims.SYMBOLS[verdict]} {verdict}", classes=["verdict", f"verdict-{css(verdict)}"])


def fresh_draws(claim: dict) -> list[nodes.Node]:
    """How a claim fared in fresh draws, which opens and then says what came out in each."""
    words = replications.in_words(claim)
    if not words:
        return []
    words = words[0].upper() + words[1:]
    shown = _draws(claim)
    return [Disclosure("", *shown, summary=words)] if shown else [nodes.paragraph("", words, classes=["more"])]


def _draws(claim: dict) -> list[nodes.bullet_list]:
    """What came out in each fresh draw, if there were any."""
    lines = [
        [nodes.Text(f"Seeds from {draw['first_seed']}: "), *estimate_with_interval(draw), nodes.Text(" "),
         verdict_badge(draw["verdict"])]
        for draw in claim["replications"] or ()
    ]  # fmt: skip
    items = [nodes.list_item("", nodes.paragraph("", "", *line)) for line in lines]
    return [nodes.bullet_list("", *items)] if items else []


class Disclosure(nodes.General, nodes.Element):
    """A ``summary`` that opens, without JavaScript, what it is about."""


def visit_disclosure(translator, node: Disclosure) -> None:
    translator.body.append(f'<details class="more"><summary>{escape(node["summary"])}</summary>')


def depart_disclosure(translator, node: Disclosure) -> None:
    translator.body.append("</details>")


def visit_disclosure_on_paper(translator, node: Disclosure) -> None:
    translator.body.append(f"\n{translator.encode(node['summary'])}\n")


def depart_disclosure_on_paper(translator, node: Disclosure) -> None:
    """What it is about ends by itself."""


def css(verdict: str) -> str:
    """A verdict as part of the name of a class."""
    return verdict.replace(" ", "-")


def setup(app: Sphinx) -> None:
    """Register the directives, in MyST-NB's domain, and the nodes that they make."""
    app.add_node(HandedOver)
    on_paper = (visit_disclosure_on_paper, depart_disclosure_on_paper)
    app.add_node(Disclosure, html=(visit_disclosure, depart_disclosure), latex=on_paper)
    app.add_transform(AnchorCode)
    for name, directive in {"figure": GlueFigure, "table": GlueTable, "claim": GlueClaim}.items():
        app.add_directive_to_domain("glue", name, directive, override=True)
    app.add_role_to_domain("glue", "text", GlueText(), override=True)
