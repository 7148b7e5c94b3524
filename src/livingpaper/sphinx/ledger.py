"""The ledger of all claims, how many of them hold, and their numbers."""

from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx

from livingpaper.say.claims import VERDICTS
from livingpaper.sphinx.glue import estimate_with_interval, predicate, verdict_badge
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.references import copied, joined, link, reference
from livingpaper.sphinx.tables import Cell, boxed


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
    """How many claims there are, and how many hold, fail and are unresolved."""
    found = [claim["verdict"] for claim in app.env.get_domain("paper").claims.values()]
    hold, fail, unresolved = (found.count(verdict) for verdict in VERDICTS)
    claims = "1 claim" if len(found) == 1 else f"{len(found)} claims"
    words = (
        f"{claims}; {hold} {'holds' if hold == 1 else 'hold'}, {fail} {'fails' if fail == 1 else 'fail'}, "
        f"{unresolved} {'is' if unresolved == 1 else 'are'} unresolved."
    )
    return [nodes.paragraph("", words, classes=["claims-summary"])]


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
    condition = _below(nodes.Text(f"holds if {predicate(claim)}"))
    return [verdict, [*words, _below(*joined(places, " · "))], [*estimate_with_interval(claim), condition]]


def _below(*content: nodes.Node) -> nodes.inline:
    """A second, quieter line in a cell."""
    return nodes.inline("", "", *content, classes=["below"])
