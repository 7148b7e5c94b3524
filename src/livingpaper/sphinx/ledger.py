"""The ledger of all claims, how many of them hold, and their numbers."""

from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx

from livingpaper.say.claims import VERDICTS
from livingpaper.sphinx.glue import estimate_with_interval, predicate, verdict_badge
from livingpaper.sphinx.later import Later, directive, fills
from livingpaper.sphinx.references import copied, link, reference
from livingpaper.sphinx.tables import Cell, table, text


@fills("claim-number")
def number(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The number of a claim in its own box."""
    id = place["shown_id"]
    words = f"Claim {app.env.get_domain('paper').claim_numbers()[id]}"
    return [nodes.reference("", words, refid=id, internal=True, classes=["claim-number"])]


@fills("claims-ledger")
def ledger(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """All claims of the book, by paper, ours last."""
    catalogue = app.env.get_domain("paper")
    claims = catalogue.in_reading_order("claims")
    if not claims:
        return [nodes.paragraph("", "The book makes no claims yet.")]
    numbers = catalogue.claim_numbers()
    statements = _statements(app, {claim["docname"] for claim in claims})
    rows: list[Sequence[Cell]] = []
    for paper in [*dict.fromkeys(claim["paper"] for claim in claims if claim["paper"]), None]:
        if group := [claim for claim in claims if claim["paper"] == paper]:
            rows.append([[reference(app.env, "cite:t", paper)] if paper else text("Ours")])
            rows += [_row(app, claim, numbers[claim["id"]], statements[claim["id"]]) for claim in group]
    header = ["verdict", "statement, and where it stands", "estimate and condition"]
    return [nodes.container("", table([text(title) for title in header], rows), classes=["ledger"])]


@fills("claims-summary")
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


def _row(app: Sphinx, claim: dict, number: int, statement: nodes.Element) -> list[Cell]:
    shown = [link(app, claim["docname"], claim["id"], f"Claim {number}"), nodes.Text(f" · {claim['where']}")]
    for role, target in (("std:numref", claim["figure"]), ("prf:ref", claim["theorem"])):
        if target:
            shown += [nodes.Text(" · "), reference(app.env, role, target)]
    verdict = [verdict_badge(claim["verdict"])]
    if claim["on_record"] != claim["verdict"]:
        record = [nodes.Text("on record: "), verdict_badge(claim["on_record"]), nodes.Text(" ")]
        verdict.append(_below(*record, nodes.inline("", "differs", classes=["differs"])))
    condition = _below(nodes.Text(f"holds if {predicate(claim)}"))
    words = copied(app.env, statement.children)
    return [verdict, [*words, _below(*shown)], [*estimate_with_interval(claim), condition]]


def _statements(app: Sphinx, docnames: set[str]) -> dict[str, nodes.Element]:
    # the trees as read: a statement's citations and formulas are resolved again for the page they are copied to
    return {
        paragraph.parent["ids"][0]: paragraph
        for docname in docnames
        for paragraph in app.env.get_doctree(docname).findall(nodes.paragraph)
        if "claim-statement" in paragraph["classes"]
    }


def _below(*content: nodes.Node) -> nodes.inline:
    """A second, quieter line in a cell."""
    return nodes.inline("", "", *content, classes=["below"])


def setup(app: Sphinx) -> None:
    """Register the directives."""
    for kind in ("claims-ledger", "claims-summary"):
        app.add_directive(kind, directive(kind))
