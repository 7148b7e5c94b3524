"""The ledger of all claims, how many of them hold, and their numbers."""

from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx

from livingpaper.build.replications import stood
from livingpaper.say.claims import NOT_TESTABLE, VERDICTS
from livingpaper.sphinx.glue import estimate_with_interval, fresh_draws, predicate, verdict_badge
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.references import copied, joined, link, reference
from livingpaper.sphinx.tables import Cell, boxed

#: What is said of one claim and of several, by verdict.
SAID = {
    "holds": ("holds", "hold"), "fails": ("fails", "fail"), "unresolved": ("is unresolved", "are unresolved"),
    NOT_TESTABLE: ("is not testable", "are not testable"),
}  # fmt: skip


@fills("claim-number")
def number(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The number of a claim in its own box."""
    id = place["shown_id"]
    words = f"Claim {app.env.get_domain('paper').claim_numbers()[id]}"
    return [nodes.reference("", words, refid=id, internal=True, classes=["claim-number"])]


@fills("claims-ledger", directive=True)
def ledger(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """All claims of the book, by paper, ours last."""
    catalogue = app.env.get_domain("paper")
    claims = catalogue.in_reading_order("claims")
    if not claims:
        return [nodes.paragraph("", "The book makes no claims yet.")]
    numbers = catalogue.claim_numbers()
    rows: list[Sequence[Cell]] = []
    for paper in [*dict.fromkeys(claim["paper"] for claim in claims if claim["paper"]), None]:
        if group := [claim for claim in claims if claim["paper"] == paper]:
            rows.append([[reference(app.env, "cite:t", paper)] if paper else "Ours"])
            rows += [_row(app, claim, numbers[claim["id"]]) for claim in group]
    return [boxed("ledger", ["verdict", "statement, and where it stands", "estimate and condition"], rows)]


@fills("claims-summary", directive=True)
def summary(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """How many claims there are, how many hold, fail and are unresolved, and how many stood in fresh draws."""
    claims = app.env.get_domain("paper").claims.values()
    found = [claim["verdict"] for claim in claims]
    shown = [verdict for verdict in VERDICTS if verdict != NOT_TESTABLE or verdict in found]
    parts = [f"{(count := found.count(verdict))} {SAID[verdict][count != 1]}" for verdict in shown]
    words = f"{len(found)} {'claim' if len(found) == 1 else 'claims'}; {', '.join(parts)}"
    if any(claim["replications"] for claim in claims):
        words += f"; of these {sum(map(stood, claims))} stood in every fresh draw"
    return [nodes.paragraph("", f"{words}.", classes=["claims-summary"])]


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
    places = [
        [link(app, claim["docname"], claim["id"], f"Claim {number}")],
        [nodes.Text(claim["where"])],
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


def _below(*content: nodes.Node) -> nodes.inline:
    """A second, quieter line in a cell."""
    return nodes.inline("", "", *content, classes=["below"])
