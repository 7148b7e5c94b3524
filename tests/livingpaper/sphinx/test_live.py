"""The live experiment's part of a page: scripts that need no other file, and something else where they cannot run."""

import base64
import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sphinx.testing.util import SphinxTestApp

from livingpaper.build.assemble import assemble
from livingpaper.build.project import Project, Variant
from livingpaper.sphinx import live

FOLDER = Path(__file__).parents[3] / "chapters" / "live"
FILES = {name: (FOLDER / name).read_text() for name in (*live.MODULES, live.VIEW, live.PRESETS)}
#: Only what is tested here: the other parts of the book's extension need a book.
CONFIG = """
from livingpaper.sphinx import live

extensions = ["myst_nb"]
nb_execution_mode = "off"
setup = live.setup
"""
PAGE = """\
# Try

```{live-experiment}
On *paper* there is this sentence.
```

Press {live-preset}`large start` if you can.
"""


def build(tree, page, files=FILES, builder="html"):
    """The page as Sphinx makes it, and what Sphinx complains of."""
    for name, text in (files | {"../conf.py": CONFIG, "../index.md": page}).items():
        path = tree / "index" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    app = SphinxTestApp(builder, srcdir=tree)
    try:
        app.build()
        return next(Path(app.outdir).glob("index.*")).read_text(), app.warning.getvalue()
    finally:
        app.cleanup()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    text, complaints = build(tmp_path_factory.mktemp("live"), PAGE)
    assert complaints == ""
    return BeautifulSoup(text, "html.parser")


def test_the_page_holds_all_that_it_runs(page):
    imports = json.loads(page.select_one('script[type="importmap"]').string)["imports"]
    for name in live.MODULES:
        kind, _, content = imports[f"./{name}"].partition(",")
        assert kind == "data:text/javascript;base64"
        assert base64.b64decode(content).decode() == FILES[name]
    view = page.select_one('script[type="module"]')
    assert view.string.strip() == FILES[live.VIEW].strip() and "src" not in view.attrs
    # a map counts only for what comes after it
    assert view in page.select_one('script[type="importmap"]').find_all_next("script")
    assert json.loads(page.select_one("script[data-live-presets]").string) == json.loads(FILES[live.PRESETS])


def test_the_view_imports_what_the_map_has_and_the_others_nothing():
    def imported(name):
        return {line.split('"')[1] for line in FILES[name].splitlines() if line.startswith("import ")}

    assert imported(live.VIEW) == {f"./{name}" for name in live.MODULES}
    assert all(imported(name) == set() and "import(" not in FILES[name] for name in live.MODULES)


def test_nothing_of_it_shows_until_the_script_runs(page):
    place = page.select_one("div.live")
    assert place.has_attr("hidden") and not place.contents
    assert page.select_one(".live-static em").string == "paper"
    button = page.select_one("button[data-live-preset]")
    assert button["data-live-preset"] == "large start" and button.has_attr("hidden")


def test_other_formats_have_the_content_only(tmp_path):
    text, complaints = build(tmp_path, PAGE, builder="text")
    assert complaints == ""
    assert "On *paper* there is this sentence." in text and "Press  if you can." in text.replace("\n", " ")
    assert "import" not in text


@pytest.mark.parametrize(
    ("content", "files", "complaint"),
    [
        (
            "```{live-experiment}\n```\n",
            FILES,
            "{live-experiment} is empty: say in it what a reader without JavaScript",
        ),
        (PAGE + "\n```{live-experiment}\nAgain.\n```\n", FILES, "there is a second {live-experiment} on this page"),
        ("{live-preset}`huge start`\n", FILES, "there is no preset 'huge start': there are benign, too little signal,"),
        (PAGE, FILES | {live.VIEW: "let x = '</script>';"}, "view.js must not hold '</script' or '<!--'"),
        (PAGE, FILES | {live.PRESETS: "{'a': 1}"}, "presets.json is no JSON"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, content, files, complaint):
    assert complaint in build(tmp_path, "# Title\n\n" + content, files)[1]


def test_a_missing_file_is_named(tmp_path):
    files = {name: text for name, text in FILES.items() if name != "engine.js"}
    assert "engine.js" in build(tmp_path, "# Title\n\n```{live-experiment}\nWords.\n```\n", files)[1]


def test_a_build_takes_the_files_along_that_stand_beside_a_page(tmp_path):
    files = {"_toc.yml": "format: jb-book\nroot: index\n", "_config.yml": "title: A\n", "index.md": "# A\n"}
    for name, text in (files | {"index/engine.js": "export {}", "other/engine.js": "export {}"}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    tree = tmp_path / "_build" / "tree"
    assemble(Project(tmp_path), Variant("published", None, {}, 1.0), [], tree)
    assert sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*.js")) == ["index/engine.js"]
