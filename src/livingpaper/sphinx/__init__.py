"""The Sphinx side of the press: figures, tables and claims out of notebook outputs, and the pages that gather them.

Everything needed travels in the executed notebooks; ``runs/<chapter>.json`` below the source folder, when the
pipeline has written it, enriches provenance and the status page.
"""

from sphinx.application import Sphinx

from livingpaper.sphinx import (
    accessibility,
    api,
    catalogue,
    chapter_header,
    details,
    explore,
    figure_index,
    figure_links,
    glue,
    hidden_code,
    later,
    launch,
    ledger,
    live,
    records,
    site_files,
    sources,
    statements,
    theme,
    tooltips,
)
from livingpaper.sphinx.glue import Renderer

__all__ = ["Renderer", "setup"]

#: What runs at the same moment runs in this order; later comes when all have said what they fill.
PARTS = (
    catalogue, later, glue, records, figure_links, hidden_code, figure_index, ledger, statements, details, explore,
    tooltips, chapter_header, live, sources, api, launch, theme, accessibility, site_files,
)  # fmt: skip


def setup(app: Sphinx) -> dict:
    """Register the extension ``livingpaper.sphinx``."""
    for part in PARTS:
        part.setup(app)
    # all state is in the domain and in Sphinx's metadata of pages, which merge what parallel readers found
    return {"parallel_read_safe": True, "parallel_write_safe": True}
