"""The ledger of all claims, a table that can be filtered; how many of them hold; their numbers."""

from collections.abc import Sequence
from html import escape

from docutils import nodes
from pybtex.richtext import Text
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from livingpaper.build.replications import stood
from livingpaper.say.claims import NOT_TESTABLE, VERDICTS
from livingpaper.sphinx.glue import css, estimate_with_interval, fresh_draws, predicate, verdict_badge
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.references import address, copied, joined, link, reference
from livingpaper.sphinx.tables import Cell, Row, boxed

logger = logging.getLogger(__name__)

#: What is said of one claim and of several, by verdict.
SAID = {
    "holds": ("holds", "hold"), "fails": ("fails", "fail"), "unresolved": ("is unresolved", "are unresolved"),
    NOT_TESTABLE: ("is not testable", "are not testable"),
}  # fmt: skip
SHOWN = ("fails", "unresolved", "holds", NOT_TESTABLE)  #: in this order: what did not come out teaches most
#: How a claim fared in fresh draws, what surprises first.
DRAWN_SAID = {
    "changed": "verdict changed", "outdated": "outdated", "stood": "stood in all", "not": "not drawn",
}  # fmt: skip
DRAWN = tuple(DRAWN_SAID)
OURS = "ours"  #: where a BibTeX key stands in the class of a row otherwise


@fills("claim-number")
def number(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The number of a claim in its own box."""
    id = place["shown_id"]
    words = f"Claim {app.env.get_domain('paper').claim_numbers()[id]}"
    return [nodes.reference("", words, refid=id, internal=True, classes=["claim-number"])]


class VerdictOf(SphinxRole):
    """The verdict of a claim, wherever a page speaks of it: a word that is typed by hand would stay when it changes."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        place = Later(kind="verdict", shown_id=self.text)
        self.set_source_info(place)
        return [place], []


@fills("verdict")
def verdict_of(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The verdict of a claim of the book, as a badge."""
    claim = app.env.get_domain("paper").claims.get(place["shown_id"])
    if claim is None:
        logger.warning("there is no claim %r", place["shown_id"], location=place)
        return []
    return [verdict_badge(claim["verdict"])]


@fills("claims-ledger", directive=True)
def ledger(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """All claims of the book: what failed first, then what is open, and of each what fresh draws overturned first."""
    catalogue = app.env.get_domain("paper")
    claims = catalogue.in_reading_order("claims")
    if not claims:
        return [nodes.paragraph("", "The book makes no claims yet.")]
    numbers = catalogue.claim_numbers()
    rows: list[Row] = []
    for verdict in SHOWN:
        group = [claim for claim in claims if claim["verdict"] == verdict]
        if group:
            heading = nodes.inline("", _counted(len(group), verdict), ids=[_anchor(verdict)])
            rows.append(Row([[heading]]))
        group.sort(key=lambda claim: DRAWN.index(_drawn(claim)))  # in reading order otherwise
        rows += [Row(_row(app, claim, numbers[claim["id"]]), classes=_classes(claim)) for claim in group]
    links = [nodes.reference("", name.upper(), refuri=address(app, f"claims.{name}")) for name in ("csv", "json")]
    data = nodes.paragraph("", "", nodes.Text("As data: "), *joined([[one] for one in links]), nodes.Text("."))
    grid = boxed("ledger", ["verdict", "statement, and where it stands", "estimate and condition"], rows)
    return [nodes.raw("", _tools(app, claims), format="html"), grid, data]


@fills("claims-summary", directive=True)
def summary(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """How many claims there are, how many hold, fail and are unresolved, each leading to them; how many stood again."""
    catalogue = app.env.get_domain("paper")
    claims, ledgers = catalogue.claims.values(), catalogue.places["claims-ledger"]
    found = [claim["verdict"] for claim in claims]
    parts: list[list[nodes.Node]] = []
    for verdict in VERDICTS:
        count = found.count(verdict)
        if count or verdict != NOT_TESTABLE:
            said = f"{count} {SAID[verdict][count != 1]}"
            leads = count and ledgers
            parts.append([link(app, ledgers[0], _anchor(verdict), said) if leads else nodes.Text(said)])
    words = [nodes.Text(f"{len(found)} {_claims(len(found))}; "), *joined(parts)]
    if any(claim["replications"] for claim in claims):
        words.append(nodes.Text(f"; of these {sum(map(stood, claims))} stood in every fresh draw"))
    return [nodes.paragraph("", "", *words, nodes.Text("."), classes=["claims-summary"])]


def verdicts_about(app: Sphinx, statement: nodes.Element) -> list[nodes.paragraph]:
    """A line with the claims about a theorem or conjecture, if there are any, each with its verdict."""
    catalogue = app.env.get_domain("paper")
    numbers = catalogue.claim_numbers()
    about = [claim for claim in catalogue.in_reading_order("claims") if claim["theorem"] == statement["label"]]
    shown = joined(
        [link(app, claim["docname"], claim["id"], f"Claim {numbers[claim['id']]}"), nodes.Text(" "),
         verdict_badge(claim["verdict"])]
        for claim in about
    )  # fmt: skip
    return [nodes.paragraph("", "", *shown, classes=["claims-about"])] if about else []


def _row(app: Sphinx, claim: dict, number: int) -> list[Cell]:
    seen = [("std:numref", claim["figure"]), ("prf:ref", claim["theorem"])]
    paper = [nodes.Text(", "), reference(app.env, "cite:t", claim["paper"])] if claim["paper"] else []
    places = [
        [link(app, claim["docname"], claim["id"], f"Claim {number}")],
        [nodes.Text(claim["where"]), *(paper or [nodes.Text(" (ours)")])],
        *([reference(app.env, role, target)] for role, target in seen if target),
    ]
    verdict = [verdict_badge(claim["verdict"])]
    if claim["on_record"] != claim["verdict"]:
        record = [nodes.Text("on record: "), verdict_badge(claim["on_record"]), nodes.Text(" ")]
        verdict.append(_below(*record, nodes.inline("", "differs", classes=["differs"])))
    # as read: its citations and formulas are resolved again, for this page
    words = copied(app.env, app.env.get_domain("paper").said(claim, "statement").children)
    words.append(_below(*joined(places, " · ")))
    if claim["changed"]:
        changed = copied(app.env, app.env.get_domain("paper").said(claim, "changed").children)
        words.append(_below(nodes.Text("Predicate changed: "), *changed))
    condition = _below(nodes.Text(f"holds if {predicate(claim)}"))
    return [verdict, [*words, *fresh_draws(claim)], [*estimate_with_interval(claim), condition]]


def _classes(claim: dict) -> list[str]:
    """What a row is filtered by."""
    chapter = claim["docname"].rpartition("/")[2]
    return [f"is-{css(claim['verdict'])}", f"of-{claim['paper'] or OURS}", f"in-{chapter}", f"drawn-{_drawn(claim)}"]


def _drawn(claim: dict) -> str:
    """How a claim fared in fresh draws, in one of the words of ``DRAWN``."""
    if not claim["replications"]:
        return "not"
    if claim["replications_outdated"]:
        return "outdated"
    return "stood" if stood(claim) else "changed"


def _tools(app: Sphinx, claims: Sequence[dict]) -> str:
    """The controls, which the script shows where it runs: without it the ledger is whole, and in this order."""
    titles = {claim["docname"].rpartition("/")[2]: app.env.titles[claim["docname"]].astext() for claim in claims}
    papers = {claim["paper"] or OURS: _named(app, claim["paper"]) for claim in claims}
    found = {"is": {claim["verdict"] for claim in claims}, "drawn": {_drawn(claim) for claim in claims}}
    choices = {
        "is": ("Verdict", {css(verdict): verdict for verdict in SHOWN if verdict in found["is"]}),
        "drawn": ("Fresh draws", {one: DRAWN_SAID[one] for one in DRAWN if one in found["drawn"]}),
        "of": ("Claimed by", dict(sorted(papers.items(), key=lambda item: (item[0] == OURS, item[1])))),
        "in": ("Chapter", titles),
    }
    fields = "".join(
        f'<label>{label} <select name="{name}"><option value="">all</option>'
        + "".join(f'<option value="{escape(value)}">{escape(said)}</option>' for value, said in options.items())
        + "</select></label>"
        for name, (label, options) in choices.items()
    )
    words = '<label>Words <input type="search" name="words" autocomplete="off"></label>'
    end = '<button type="reset" class="ledger-reset">Show all</button><output role="status"></output>'
    return f'<form class="ledger-tools" hidden>{fields}{words}{end}</form>'


def _named(app: Sphinx, paper: str | None) -> str:
    """A paper as its short citation reads, or that a claim is the book's own."""
    if not paper:
        return "this book"
    entry = app.env.get_domain("cite").bibdata.data.entries.get(paper)
    if entry is None:
        return paper  # a warning says that no bibliography has it
    people = [" ".join(person.prelast_names + person.last_names) for person in entry.persons.get("author", ())]
    named = " and ".join(people) if len(people) < 3 else f"{people[0]} et al."
    return str(Text.from_latex(f"{named}, {entry.fields.get('year', 'no year')}"))


def _counted(count: int, verdict: str) -> str:
    return f"{count} {_claims(count)} {SAID[verdict][count != 1]}"


def _claims(count: int) -> str:
    return "claim" if count == 1 else "claims"


def _anchor(verdict: str) -> str:
    return f"claims-{css(verdict)}"


def _below(*content: nodes.Node) -> nodes.inline:
    """A second, quieter line in a cell."""
    return nodes.inline("", "", *content, classes=["below"])


def setup(app: Sphinx) -> None:
    """Register what makes a tool of the ledger, and the role that says one verdict."""
    app.add_role("verdict", VerdictOf())
    app.add_css_file("css/ledger.css", priority=800)
    app.add_js_file("js/ledger.js", priority=800)
