"""The Sphinx side of the book: figures, tables and claims out of notebook outputs, and the pages that gather them.

Everything needed travels in the executed notebooks; ``runs/<chapter>.json`` below the source folder, when the
pipeline has written it, enriches provenance and the status page.
"""

from sphinx.application import Sphinx

from benign.book.sphinxext import (
    accessible,
    catalogue,
    cite,
    directives,
    explore,
    figure_index,
    icons,
    launch,
    live,
    meanings,
    moved,
    opening,
    publish,
    reference,
    render,
    resolve,
    sources,
    statements,
    thebe,
)
from benign.book.sphinxext.render import FigureAndClaimRenderer

__all__ = ["FigureAndClaimRenderer", "setup"]

#: What runs at the same moment runs in this order.
PARTS = (
    catalogue, render, directives, resolve, figure_index, statements, cite, explore, meanings, opening, live,
    sources, reference, moved, launch, thebe, accessible, publish, icons,
)  # fmt: skip


def setup(app: Sphinx) -> dict:
    """Register the extension ``benign.book.sphinxext``."""
    for part in PARTS:
        part.setup(app)
    # all state is in the domain, which merges what parallel readers found
    return {"parallel_read_safe": True, "parallel_write_safe": True}
