"""The Sphinx side of the book: figures, tables and claims out of notebook outputs, and the pages that gather them.

Everything needed travels in the executed notebooks; ``runs/<chapter>.json`` below the source folder, when the
pipeline has written it, enriches provenance and the status page.
"""

from docutils import nodes
from sphinx.application import Sphinx

from benign.book.sphinxext import accessible, icons, launch, moved, reference, sources, statements, thebe
from benign.book.sphinxext.catalogue import Catalogue, name_claims
from benign.book.sphinxext.cite import CiteBook, CitePanel, FillPanels, visit_panel
from benign.book.sphinxext.directives import (
    BuiltFrom,
    ClaimsLedger,
    ClaimsSummary,
    FigurePreview,
    Gathered,
    ParametersTable,
    RunRecords,
    RunTimes,
)
from benign.book.sphinxext.explore import Explore, Explorer
from benign.book.sphinxext.figure_index import FigureIndex, GatherFigures, IndexPlace
from benign.book.sphinxext.live import LiveExperiment, LivePreset
from benign.book.sphinxext.meanings import MarkFirstUses, Meaning, NotationTable, depart_meaning, visit_meaning
from benign.book.sphinxext.opening import Opening, ReadingTime, TellReadingTime, check_needs, name_parts
from benign.book.sphinxext.publish import publish
from benign.book.sphinxext.render import ClaimNumber, FigureAndClaimRenderer, Picture
from benign.book.sphinxext.resolve import AnchorCode, Gather, LinkFiles, NoteWords, UniqueIds

__all__ = ["FigureAndClaimRenderer", "setup"]


def setup(app: Sphinx) -> dict:
    """Register the extension ``benign.book.sphinxext``."""
    app.add_domain(Catalogue)
    app.add_node(Picture)
    app.add_node(Gathered)
    app.add_node(nodes.citation, override=True, html=(accessible.visit_citation, accessible.depart_citation))
    app.add_node(IndexPlace)
    app.add_node(CitePanel, html=(visit_panel, None))
    app.add_node(Explorer)
    app.add_node(ClaimNumber)
    app.add_node(Meaning, html=(visit_meaning, depart_meaning))
    app.add_node(ReadingTime)
    app.add_directive("opening", Opening)
    app.add_directive("notation-table", NotationTable)
    app.add_directive("parameters-table", ParametersTable)
    app.add_directive("claims-ledger", ClaimsLedger)
    app.add_directive("claims-summary", ClaimsSummary)
    app.add_directive("figure-preview", FigurePreview)
    app.add_directive("run-records", RunRecords)
    app.add_directive("figure-index", FigureIndex)
    app.add_directive("cite-book", CiteBook)
    app.add_directive("run-times", RunTimes)
    app.add_directive("built-from", BuiltFrom)
    app.add_directive("package", reference.PackageReference)
    app.add_directive("live-experiment", LiveExperiment)
    app.add_role("live-preset", LivePreset())
    app.add_transform(AnchorCode)
    app.add_transform(UniqueIds)
    app.add_post_transform(Gather)
    app.add_post_transform(GatherFigures)
    app.add_post_transform(LinkFiles)
    app.add_post_transform(FillPanels)
    app.add_post_transform(moved.OldAnchors)
    app.connect("env-check-consistency", moved.check)
    app.add_post_transform(sources.LinkRepository)
    app.connect("config-inited", launch.aim)
    app.connect("env-before-read-docs", sources.note)
    app.connect("html-collect-pages", sources.pages)
    app.connect("html-page-context", sources.mark_module)
    app.add_post_transform(NoteWords)
    app.add_post_transform(Explore)
    app.add_post_transform(MarkFirstUses)
    app.add_post_transform(TellReadingTime)
    app.connect("env-check-consistency", name_claims)
    app.connect("env-check-consistency", check_needs)
    app.connect("html-page-context", name_parts)
    app.connect("html-page-context", accessible.amend, priority=900)  # when the theme has made its side bar
    app.connect("html-page-context", thebe.drop)
    statements.setup(app)
    app.connect("autodoc-process-docstring", reference.escape)
    app.connect("build-finished", publish)
    app.connect("build-finished", icons.subset)
    # all state is in the domain, which merges what parallel readers found
    return {"parallel_read_safe": True, "parallel_write_safe": True}
