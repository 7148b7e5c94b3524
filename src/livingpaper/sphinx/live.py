"""The live experiment: a page that trains networks in the reader's browser, with scripts that the page itself holds.

A browser lets no page that was opened from disk load modules or data from files beside it. So what lies in the folder
of the page's name travels in the page: the view as a script, the other modules as addresses in an import map, under
which the view's ordinary ``import`` statements find them. The view moves the steps of a path, a
``{container} live-steps`` with a numbered list, beside the experiment; without JavaScript they stay where they are.
"""

import base64
import html
import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from livingpaper.errors import InputError

logger = logging.getLogger(__name__)

MODULES = ("engine.js", "plots.js")
VIEW, PRESETS = "view.js", "presets.json"


class LiveExperiment(SphinxDirective):
    """The experiment; its content stands in its place without JavaScript, in print, and in other formats than HTML."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        if not self.content:
            raise self.error(
                "{live-experiment} is empty: say in it what a reader without JavaScript, or on paper, sees"
            )
        if self.env.temp_data.setdefault("live experiment", self.lineno) != self.lineno:
            raise self.error("there is a second {live-experiment} on this page: a page holds one")
        try:
            part = page_part({name: self._text(name) for name in (*MODULES, VIEW, PRESETS)})
        except (OSError, InputError) as error:
            raise self.error(f"the live experiment cannot be put into the page: {error}") from None
        static = nodes.container(classes=["live-static"])
        self.state.nested_parse(self.content, self.content_offset, static)
        return [static, nodes.raw("", part, format="html")]

    def _text(self, name: str) -> str:
        path = folder(self.env) / name
        self.env.note_dependency(str(path))
        return path.read_text(encoding="utf-8")


class LivePreset(SphinxRole):
    """A button that sets the experiment of the page to one of its presets; shown only where the experiment runs."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            known = _presets((folder(self.env) / PRESETS).read_text(encoding="utf-8"))
            if self.text not in known:
                raise InputError(f"there is no preset {self.text!r}: there are {', '.join(known)}")
        except (OSError, InputError) as error:
            logger.warning("the live experiment: %s", error, location=self.get_location())
            return [], []
        name = html.escape(self.text)
        button = f'<button type="button" class="live-button" data-live-preset="{name}" hidden>Set: {name}</button>'
        return [nodes.raw("", button, format="html")], []


def folder(env: BuildEnvironment) -> Path:
    """The folder of a page's own files: ``live/`` beside ``live.md``."""
    return Path(env.doc2path(env.docname)).with_suffix("")


def page_part(texts: dict[str, str]) -> str:
    """The part of a page that the experiment needs, given its files: an empty place, the import map, the scripts.

    Raises:
        InputError: a file that cannot stand in a page, or presets that are no JSON.
    """
    if ends := [name for name in (VIEW, PRESETS) if "</script" in texts[name].lower() or "<!--" in texts[name]]:
        raise InputError(
            f"{ends[0]} must not hold '</script' or '<!--', which end a script in a page: write it otherwise"
        )
    imports = json.dumps({"imports": {f"./{name}": _address(texts[name]) for name in MODULES}})
    return "\n".join(
        [
            '<div class="live" hidden></div>',
            f'<script type="importmap">{imports}</script>',
            f'<script type="application/json" data-live-presets>{json.dumps(_presets(texts[PRESETS]))}</script>',
            f'<script type="module">\n{texts[VIEW]}</script>',
        ]
    )


def _presets(text: str) -> dict[str, dict]:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{PRESETS} is no JSON: {error}") from None


def _address(module: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(module.encode()).decode()


def setup(app: Sphinx) -> None:
    """Register the experiment and the buttons that set it."""
    app.add_css_file("css/live.css", priority=800)
    app.add_directive("live-experiment", LiveExperiment)
    app.add_role("live-preset", LivePreset())
