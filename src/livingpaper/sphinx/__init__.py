"""The Sphinx side of the press: figures, tables and claims out of notebook outputs, and the pages that gather them.

Everything needed travels in the executed notebooks; ``runs/<chapter>.json`` below the source folder, when the
pipeline has written it, enriches provenance and the status page.
"""

from sphinx.application import Sphinx

from livingpaper.sphinx import (
    accessible,
    catalogue,
    cite,
    directives,
    explore,
    figure_index,
    glue,
    launch,
    live,
    meanings,
    opening,
    publish,
    reference,
    resolve,
    sources,
    statements,
    theme,
)
from livingpaper.sphinx.glue import Renderer

__all__ = ["Renderer", "setup"]

#: What runs at the same moment runs in this order.
PARTS = (
    catalogue, glue, directives, resolve, figure_index, statements, cite, explore, meanings, opening, live,
    sources, reference, launch, theme, accessible, publish,
)  # fmt: skip


def setup(app: Sphinx) -> dict:
    """Register the extension ``livingpaper.sphinx``."""
    for part in PARTS:
        part.setup(app)
    # all state is in the domain, which merges what parallel readers found
    return {"parallel_read_safe": True, "parallel_write_safe": True}
