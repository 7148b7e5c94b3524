"""Jupyter Book's scripts for live cells, kept off the pages of a book that has none."""

from sphinx.application import Sphinx


def drop(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Leave out the scripts of sphinx-thebe, which Jupyter Book always loads.

    The book offers no live cells; the scripts name a foreign host and stop with an error on every page, since
    their constants are declared twice.
    """
    if context.get("theme_launch_buttons", {}).get("thebe"):
        return
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in str(getattr(script, "filename", "")) and "thebe" not in str(getattr(script, "attributes", ""))
    ]


def setup(app: Sphinx) -> None:
    """Register what drops the scripts."""
    app.connect("html-page-context", drop)
