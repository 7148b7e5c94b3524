"""What the tiles and points of a figure stand for, put into the page for the script that shows it."""

import json
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from livingpaper import settings
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.records import read_records

HINT = "Point at a mark of the figure, tap it, or walk with the arrow keys: its setting, its numbers and its command."


@fills("explorer")
def explorer(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The data of an explorable figure, in a web page; nothing in others."""
    if app.builder.format != "html":
        return []
    figure = app.env.get_domain("paper").figures[place["shown_id"]]
    stem = figure["docname"].rpartition("/")[2]
    data = {"marks": figure["explore"], "whole": command(stem, read_records(Path(app.srcdir)).get(stem))}
    # "<" as an escape: nothing in the data can end the script
    inlined = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    html = (
        f'<div class="explorer" hidden><p class="explore-hint" id="{escape(figure["id"])}-hint">{HINT}</p>'
        f'<script type="application/json">{inlined}</script></div>'
    )
    return [nodes.raw("", html, format="html")]


def command(chapter: str, record: dict | None) -> str:
    """The command that executes a chapter with the values of this build."""
    words = [settings.read().command, "run", chapter]
    if record and record.get("variant") == record.get("preset") != "published":
        words += ["--preset", record["preset"]]
    elif record:
        for name, value in record.get("overrides", {}).items():
            words += ["-p", f"{name}={value}"]
    return shlex.join(words)


def setup(app: Sphinx) -> None:
    """Register what makes figures explorable."""
    app.add_css_file("css/explore.css", priority=800)
    app.add_js_file("js/explore.js", priority=800)
