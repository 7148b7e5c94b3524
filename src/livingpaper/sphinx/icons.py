"""The theme's icons, as web fonts of only those that the pages show."""

import re
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

FONTS = "_static/vendor/fontawesome/webfonts"

_NAMES = re.compile(r"\bfa-[a-z0-9-]+")
_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
_CHARACTER = re.compile(r'"(?:\\([ef][0-9a-f]{3})|([\ue000-\uf8ff]))"')


def subset(app: Sphinx, exception: Exception | None) -> None:
    """Write the web fonts again without the icons that no page, script or style sheet of the site names."""
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
    # what would draw them a second time; see assets/templates/static/webpack-macros.html
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
    """Register the subsetting of fonts."""
    app.connect("build-finished", subset)
