"""How the pages look: style sheets, scripts and templates of the press, its own MathJax, and only what pages use."""

import re
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.fileutil import copy_asset

HERE = Path(__file__).parent
STYLES = {"book.css": 700, "accessibility.css": 800, "print.css": 900}  #: each with its place among all style sheets
SCRIPTS = ("mode.js", "scroll.js", "copy-focus.js", "search.js", "print.js")
MATHJAX = "mathjax/tex-mml-chtml.js"  #: in the site; inside of _static every script would load on every page
FONTS = "_static/vendor/fontawesome/webfonts"

_NAMES = re.compile(r"\bfa-[a-z0-9-]+")
_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
_CHARACTER = re.compile(r'"(?:\\([ef][0-9a-f]{3})|([\ue000-\uf8ff]))"')


def configure(app: Sphinx, config: Config) -> None:
    """Put the files of the press before those of the theme and behind those of the book."""
    config.html_static_path.insert(0, str(HERE / "static"))
    config.templates_path.append(str(HERE / "templates"))
    config.html_favicon = config.html_favicon or str(HERE / "static" / "favicon.svg")
    config.mathjax_path = f"../{MATHJAX}"  # relative to _static


def copy_mathjax(app: Sphinx) -> None:
    """Give the site a MathJax of its own: a page asks no other host for anything."""
    if app.builder.format == "html":
        copy_asset(HERE / "mathjax", Path(app.outdir, "mathjax"))


def drop_thebe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Leave out the scripts for live cells, which Jupyter Book always loads.

    The book offers none; they name a foreign host, and stop with an error since their constants are declared twice.
    """
    if not context.get("theme_launch_buttons", {}).get("thebe"):
        context["script_files"] = [
            script
            for script in context.get("script_files", [])
            if "thebe" not in f"{getattr(script, 'filename', '')} {getattr(script, 'attributes', '')}"
        ]


def subset(app: Sphinx, exception: Exception | None) -> None:
    """Write web fonts and style sheets again without the icons that no page, script or other rule of the site names."""
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    wanted = _wanted(site)
    for whole in site.glob(f"{FONTS}/*.ttf"):
        font = TTFont(whole, recalcTimestamp=False)
        subsetter = Subsetter(Options(hinting=False, glyph_names=False))
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        font.flavor = "woff2"
        font.save(whole.with_suffix(".woff2"))
    for sheet in site.glob("_static/styles/*.css"):
        rules = sheet.read_text(encoding="utf-8")
        sheet.write_text(_RULE.sub(lambda rule: rule[0] if int(rule[2], 16) in wanted else "", rules), encoding="utf-8")
    # what would draw them a second time; see templates/static/webpack-macros.html
    for script in site.glob("_static/scripts/fontawesome.js*"):
        if script.suffix in (".js", ".map"):
            script.unlink()


def _wanted(site: Path) -> set[int]:
    """The characters of the icons: those of the classes in pages and scripts, and those that style sheets spell out."""
    styles = "".join(path.read_text(encoding="utf-8") for path in site.glob("_static/**/*.css"))
    sources = [*site.rglob("*.html"), *site.glob("_static/**/*.js")]
    named = set().union(*(_NAMES.findall(path.read_text(encoding="utf-8")) for path in sources))
    wanted = {int(code, 16) for names, code in _RULE.findall(styles) if named & set(_NAMES.findall(names))}
    spelled = _CHARACTER.findall(_RULE.sub("", styles))
    return wanted | {int(code, 16) if code else ord(character) for code, character in spelled}


def setup(app: Sphinx) -> None:
    """Register the files that every page uses, and what is done to them at the end."""
    app.connect("config-inited", configure)
    app.connect("builder-inited", copy_mathjax)
    app.connect("html-page-context", drop_thebe)
    for name, priority in STYLES.items():
        app.add_css_file(f"css/{name}", priority=priority)
    for name in SCRIPTS:
        app.add_js_file(f"js/{name}", priority=800)
    app.connect("build-finished", subset)
