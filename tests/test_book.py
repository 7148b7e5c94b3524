"""The real book: its sources as they are committed, and its pages as a smoke build makes them."""

import ast
import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup, NavigableString, Tag
from typer.testing import CliRunner

from livingpaper.build import columns, notation, parameters, words
from livingpaper.build.project import Project
from livingpaper.build.replications import PARAMETER
from livingpaper.cli.app import app
from livingpaper.say.claims import NOT_TESTABLE, VERDICTS

PROJECT = Project(Path(__file__).parents[1])
CHAPTERS = sorted(PROJECT.chapters)
PRESETS = PROJECT.presets
DISPLAYED, INLINE = re.compile(r"\$\$.*?\$\$", re.DOTALL), re.compile(r"(?<![\\$])\$([^$]+)\$")
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


# -- sources --------------------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_committed_without_outputs(chapter):
    for cell in PROJECT.notebook(chapter).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), f"cell {cell.id} was executed: run nbstripout"


def test_nbstripout_would_change_nothing():
    strip = [Path(sys.executable).with_name("nbstripout"), "--keep-id", "--verify"]
    done = subprocess.run([*strip, *PROJECT.chapters.values()], cwd=PROJECT.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_cells_have_names_that_stay(chapter):
    ids = [cell.id for cell in PROJECT.notebook(chapter).cells]
    assert [name for name in ids if not KEBAB.fullmatch(name)] == []
    # Jupyter makes up eight hexadecimal digits, papermill and others a whole UUID.
    assert [name for name in ids if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4,12})*", name)] == []
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_number_that_can_be_changed_says_what_is_allowed(chapter):
    for parameter in PROJECT.parameters(chapter).values():
        of_numbers = parameter.type in (int, float) or (
            parameter.type is list and parameter.default and not isinstance(parameter.default[0], str)
        )
        assert parameter.allowed is not None or not of_numbers, (
            f"{parameter.name}: end its help with e.g. ', in [1, 100]'"
        )


def bound(code):
    """What code binds outside its functions and comprehensions: each name with the expression that it is made of."""
    for node in ast.iter_child_nodes(code):
        if isinstance(node, ast.Assign | ast.For):
            made_of = node.value if isinstance(node, ast.Assign) else node.iter
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from ((name.id, made_of) for name in ast.walk(target) if isinstance(name, ast.Name))
        if isinstance(node, ast.For | ast.If | ast.With):
            yield from bound(node)


def test_what_a_cell_binds_is_found():
    code = ast.parse("for depth, ax in zip(depths, axes):\n    a = [n for n in depths]\ndef f(x):\n    n = x")
    assert [name for name, _ in bound(code)] == ["depth", "ax", "a"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_parameter_gets_another_meaning(chapter):
    """After a loop over `depth` it is the last one in all cells below; `depths = sorted(depths)` keeps its meaning."""
    parameters = PROJECT.parameters(chapter)
    for cell in code_cells(chapter):
        for name, made_of in bound(ast.parse(cell.source)):
            reads = {node.id for node in ast.walk(made_of) if isinstance(node, ast.Name)}
            assert name not in parameters or name in reads, f"cell {cell.id} makes the parameter {name} another thing"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_where_torch_has_no_gpu_unless_told_otherwise(chapter):
    device = PROJECT.parameters(chapter).get("device")
    assert device is None or (device.default, device.allowed) == ("cpu", None), "PyTorch knows which there are"


def said():
    """The words of every figure, table and claim of the book, each with its id and its chapter."""
    return [(id, chapter, told) for chapter in CHAPTERS for id, told in words.said(PROJECT.notebook(chapter)).items()]


def handed_over(code):
    """The ids that the calls of ``say`` in a piece of code hand over, each with the function's name."""
    return {
        node.args[0].value: node.func.attr
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in words.KINDS
        and ast.unparse(node.func.value) == "say"
    }


def code_cells(chapter):
    return [cell for cell in PROJECT.notebook(chapter).cells if cell.cell_type == "code"]


def calls_of(chapter, function):
    """The calls of a function in a chapter, by the name that it has there."""
    for cell in code_cells(chapter):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
                yield node


@cache
def overrides(preset):
    """The values of a preset, by chapter."""
    return PROJECT.variant(preset, {}).overrides


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_that_draws_at_random_can_be_drawn_again(chapter):
    """`benign replicate` takes other seeds by this parameter, and a claim holds only if it stands on them."""
    if any(calls_of(chapter, "sweep")):
        parameter = PROJECT.parameters(chapter)[PARAMETER]
        assert (parameter.default, 10**9 in parameter.allowed) == (0, True)
        assert not any(PARAMETER in overrides(preset).get(chapter, {}) for preset in PRESETS)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_interval_of_every_claim_is_made_from_draws(chapter):
    given = {keyword.arg for call in calls_of(chapter, "say.claim") for keyword in call.keywords}
    assert given <= {"statistic", "crossed", "testable"}


def test_ids_of_figures_tables_and_claims_are_used_once():
    ids = Counter(id for id, _, _ in said())
    assert len(ids) >= len(CHAPTERS)
    assert [name for name, uses in ids.items() if uses > 1] == []


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_the_code_hands_over_has_its_words_and_the_other_way_round(chapter):
    calls = Counter((id, kind) for cell in code_cells(chapter) for id, kind in handed_over(cell.source).items())
    told = {(id, words["kind"]) for id, of, words in said() if of == chapter}
    assert calls == Counter(told)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_words_stand_below_the_cell_that_computes_what_they_speak_of(chapter):
    """The page shows a figure where its directive stands, and its code above it: never the other way round."""
    handed, seen = set(), set()
    for cell in PROJECT.notebook(chapter).cells:
        if cell.cell_type == "code":
            handed |= handed_over(cell.source).keys()
        else:
            seen |= set(re.findall(r"\{glue:(?:figure|table|claim)\}[ ]+(\S+)", cell.source))
        assert seen <= handed, cell.id


def test_figures_have_alternatives_and_claims_have_records():
    for id, _, told in said():
        wanted = {"figure": ("caption", "alt"), "table": ("caption",)}.get(told["kind"], ())
        wanted = wanted or ("statement", "where", "holds_if", "on_record")
        assert [name for name in wanted if not told[name]] == [], id


def test_a_figure_is_cited_by_what_all_of_it_shows():
    """Its caption does not begin with a panel, for its first sentence is the title in a citation."""
    captions = [(id, told["caption"]) for id, _, told in said() if told["kind"] == "figure"]
    assert [id for id, caption in captions if re.match(r"\W*[a-h]\b\W*[:,]", caption)] == []


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_opens_with_what_it_teaches_or_found(chapter):
    """In a paragraph, and perhaps a figure of its own."""
    title = PROJECT.notebook(chapter).cells[0].source
    opening = r"^# .+\n\n:::\{opening\}\n(:needs: .+\n)?\n\S.+\.\n(\n```\{figure-preview\} (fig-[a-z-]+)\n```\n)?:::\n"
    found = re.search(opening, title, re.MULTILINE)
    assert found
    assert found[3] is None or f"{{glue:figure}} {found[3]}" in "".join(
        cell.source for cell in PROJECT.notebook(chapter).cells
    )


def exercises():
    """The cells with exercises, by chapter."""
    cells = [(chapter, cell.source) for chapter in CHAPTERS for cell in PROJECT.notebook(chapter).cells]
    return {chapter: source for chapter, source in cells if "{exercise}" in source}


def commands(kind):
    """What the exercises tell to type after ``benign``, as lists of words, those of a kind."""
    lines = [re.findall(rf"^benign ({kind} .+)$", source, re.MULTILINE) for source in exercises().values()]
    return [shlex.split(line) for line in sum(lines, [])]


def test_every_exercise_has_a_solution():
    assert len(exercises()) >= 11
    for chapter, source in exercises().items():
        assert re.findall(r"\{exercise\}|\{dropdown\} Solution", source) == ["{exercise}", "{dropdown} Solution"] * (
            source.count("{exercise}")
        ), chapter


def test_what_an_exercise_tells_to_train_is_a_setting_that_its_experiment_allows(monkeypatch):
    """Training it takes too long here."""
    trained = []

    def sweep(experiment, settings, seeds, **options):
        trained.extend(experiment(**setting, seed=seed) for setting in settings for seed in seeds)
        return pd.DataFrame([dataclasses.asdict(trained[-1])])

    monkeypatch.setattr("livingpaper.sweep.sweep", sweep)
    monkeypatch.chdir(PROJECT.root)
    for command in commands("train"):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, f"{command}: {done.exception}"
    assert len(trained) >= 2 * len(commands("train")) >= 20


def test_every_symbol_is_used_and_says_which_chapter_introduces_it():
    formulas = {
        chapter: [
            formula
            for cell in PROJECT.notebook(chapter).cells
            if cell.cell_type == "markdown"
            for formula in INLINE.findall(DISPLAYED.sub("", cell.source))
        ]
        for chapter in CHAPTERS
    }
    symbols = notation.read(PROJECT.root)
    assert symbols
    for symbol in symbols:
        assert {symbol.defined, *symbol.only} <= set(CHAPTERS), symbol
        assert any(symbol.is_in(formula, chapter) for chapter in CHAPTERS for formula in formulas[chapter]), symbol


def test_definitions_can_be_shown_as_plain_words():
    glossary = (PROJECT.root / "chapters/record/glossary.md").read_text(encoding="utf-8")
    assert "$" not in glossary and "\\" not in glossary


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_what_there_is_and_what_is_allowed(preset):
    variant = PROJECT.variant(preset, {})
    assert variant.overrides.keys() <= set(CHAPTERS)
    for chapter, values in variant.overrides.items():
        assert parameters.validate(chapter, PROJECT.parameters(chapter), values) == values


def test_the_smoke_preset_knows_every_chapter():
    """A chapter that it forgot would run at its published values in every test."""
    assert set(overrides("smoke")) == set(CHAPTERS)


# -- pages ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pages(site):
    """The parsed pages by their address relative to the site, without the mere redirections."""
    parsed = {
        str(path.relative_to(site)): BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.relative_to(site).parts
    }
    found = {name: page for name, page in parsed.items() if page.find("meta", {"http-equiv": "Refresh"}) is None}
    assert {str(path.with_suffix(".html")) for path in PROJECT.pages} <= found.keys()
    return found


@pytest.fixture(scope="session")
def anchors(pages):
    """The ids in each page, in the order of the page."""
    return {name: [tag["id"] for tag in page.find_all(id=True)] for name, page in pages.items()}


@pytest.fixture(scope="session")
def figures(site):
    """What the site says of its figures and tables, each with the page on which it stands."""
    entries = json.loads((site / "figures/index.json").read_text())["figures"]
    return [(entry, entry["page"].partition("#")[0]) for entry in entries]


def is_external(address):
    return bool(urlsplit(address).scheme or urlsplit(address).netloc)


def article(page):
    return page.find("article") or page.find("main")


def test_every_page_says_its_language_its_title_and_that_it_is_not_the_paper(pages):
    for name, page in pages.items():
        assert page.html.get("lang"), name
        assert page.title and page.title.get_text(strip=True), name
        assert "This is the build smoke" in page.get_text(" ", strip=True), name


def test_every_picture_is_described_in_words(pages):
    pictures = [(name, picture) for name, page in pages.items() for picture in page.find_all("img")]
    assert len(pictures) >= len(CHAPTERS)
    for name, picture in pictures:
        alt = picture.get("alt", "")
        assert alt.strip() and not re.fullmatch(r"\S+\.\w+", alt), f"{name}: {picture.get('src')}: alt is {alt!r}"


def test_ids_are_unique_in_every_page(anchors):
    for name, ids in anchors.items():
        assert [one for one, uses in Counter(ids).items() if uses > 1] == [], name


def test_no_link_leads_nowhere(site, pages, anchors):
    links, ids = set(), {name: set(found) for name, found in anchors.items()}
    for name, page in pages.items():
        for tag in page.find_all(lambda tag: tag.has_attr("href") or tag.has_attr("src")):
            address = tag.get("href") or tag["src"]
            if not (is_external(address) or address.startswith("data:")):
                links.add((name, address, tag.name == "a"))
    for name, address, leads in links:
        parts = urlsplit(address)
        target = (site / name).parent / unquote(parts.path) if parts.path else site / name
        assert target.is_file() or (target / "index.html").is_file(), f"{name}: {address}"
        if parts.fragment and leads and target.suffix == ".html":
            assert unquote(parts.fragment) in ids.get(os.path.relpath(target, site), ()), f"{name}: {address}"
    assert len(links) > 20 * len(pages)


def test_reading_asks_no_other_host_for_anything(site, pages):
    asking = {
        "script": "src",
        "img": "src",
        "link": "href",
        "iframe": "src",
        "source": "src",
        "video": "src",
        "audio": "src",
    }
    for name, page in pages.items():
        for tag in page.find_all(asking):
            address = tag.get(asking[tag.name], "")
            fetched = tag.name != "link" or set(tag.get("rel", [])) & {"stylesheet", "preload", "icon", "modulepreload"}
            assert not (fetched and is_external(address) and not address.startswith("data:")), f"{name}: {address}"
        for style in [tag.get_text() for tag in page.find_all("style")] + [
            tag["style"] for tag in page.find_all(style=True)
        ]:
            assert not external_in_css(style), name
    for path in site.rglob("*.css"):
        assert not external_in_css(path.read_text(encoding="utf-8", errors="replace")), path.relative_to(site)


def external_in_css(text):
    """The addresses on other hosts that a style sheet loads."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    found = re.findall(r"""url\(\s*['"]?([^'")]+)""", text) + re.findall(r"""@import\s+['"]([^'"]+)""", text)
    return [address for address in found if is_external(address) and not address.startswith("data:")]


def prose(tag):
    """The texts in a tag that are neither code, nor the signature of an object, nor a formula."""
    for child in tag.children:
        if type(child) is NavigableString:
            yield child
        elif isinstance(child, Tag) and child.name not in ("pre", "code", "script", "style"):
            classes = child.get("class", [])
            if "math" not in classes and not (child.name == "dt" and "sig" in classes):
                yield from prose(child)


def test_nothing_is_left_of_markup_that_should_have_been_replaced(pages):
    for name, page in pages.items():
        for formula in article(page).select(".math"):
            text = formula.get_text()
            assert "$" not in text and "{glue" not in text, f"{name}: {text}"
            assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}"), f"{name}: {text}"
            left, right = (text.count(rf"\{side}") - text.count(rf"\{side}arrow") for side in ("left", "right"))
            assert left == right, f"{name}: {text}"
        text = " ".join(prose(article(page)))
        for leftover in ("{glue", "{numref}", "{cite", "{ref}", "{eq}", "$", "np.float64", "nan", "**", "```", ":::"):
            pattern = rf"\b{leftover}\b" if leftover.isalpha() else re.escape(leftover)
            assert not re.search(pattern, text), f"{name}: {leftover!r} near {context(text, pattern)!r}"


def context(text, pattern):
    place = re.search(pattern, text).start()
    return text[max(0, place - 60) : place + 60]


def test_every_formula_is_within_what_the_typesetter_on_the_page_reads(pages):
    """MathJax searches elements of class ``math`` for these delimiters; a formula without them stays as it is."""
    formulas = [
        "".join(text for text in formula.find_all(string=True) if not text.find_parent(class_="eqno"))
        for page in pages.values()
        for formula in article(page).select(".math")
    ]
    assert len(formulas) > 20
    assert [text for text in formulas if not re.match(r"\s*\\[(\[].*\\[)\]]\s*$", text, re.DOTALL)] == []


def test_mathjax_comes_from_the_book(site, pages):
    for name, page in pages.items():
        for script in page.find_all("script", src=re.compile("mathjax|tex-")):
            assert ((site / name).parent / script["src"].partition("?")[0]).resolve().is_file(), name
    assert any(page.find("script", src=re.compile("mathjax")) for page in pages.values())


def test_the_lists_of_figures_and_claims_are_complete(site, anchors, figures):
    claims = json.loads((site / "claims.json").read_text())["claims"]
    written = {id for id, _, _ in said()}
    assert {entry["id"] for entry in [*(entry for entry, _ in figures), *claims]} == written
    for entry, _ in figures:
        assert entry["caption"] and entry["number"] and (entry["alt"] or entry["kind"] == "table")
        for file in entry["files"]:
            assert (site / "figures" / file).stat().st_size > 0
        record = json.loads((site / f"figures/{entry['id']}.json").read_text())["run"]
        assert record["variant"] == "smoke" and record["modules"] and record["versions"]["torch"]
    for claim in claims:
        assert claim["verdict"] in VERDICTS and claim["on_record"], claim["id"]
        if claim["verdict"] != NOT_TESTABLE:
            low, high = claim["interval"]
            assert low <= claim["estimate"] <= high
        page, _, anchor = claim["page"].partition("#")
        assert anchor in anchors[page], claim["page"]


def test_every_figure_and_table_says_how_to_cite_it(site, pages, figures):
    panels = {
        page: [[pre.text for pre in panel.find_all("pre")] for panel in pages[page].find_all("details", "cite")]
        for page in {page for _, page in figures}
    }
    for entry, page in figures:
        files = [site / f"figures/{entry['id']}.{suffix}" for suffix in ("bib", "apa.txt", "csl.json")]
        texts = [file.read_text(encoding="utf-8") for file in files]
        assert panels[page].count(texts) == 1, entry["id"]
        for text in texts:
            assert entry["digest"] in text and "unpublished variant smoke" in text, entry["id"]
            assert not re.search(r"\{\w+\}`|nan\b", text), text


def test_every_figure_has_its_legend_of_files(pages, anchors, figures):
    legends = {
        page: [{a["href"] for a in legend.find_all("a")} for legend in pages[page].find_all(class_="figure-links")]
        for page in {page for _, page in figures}
    }
    sources = {id: source for chapter in CHAPTERS for id, source in sources_of(chapter)}
    for entry, page in figures:
        suffixes = ["csv", "bib", "apa.txt", "csl.json", "json"]
        suffixes += ["svg", "pdf", "png"] if entry["kind"] == "figure" else []
        wanted = {f"../figures/{entry['id']}.{suffix}" for suffix in suffixes} | {f"#{entry['id']}-code"}
        wanted.add(sources[entry["id"]])
        assert len([links for links in legends[page] if wanted <= links]) == 1, entry["id"]
        assert entry["page"].partition("#")[2] in anchors[page], entry["page"]


def test_every_published_column_says_what_it_means(site, figures):
    described = {
        entry["id"]: json.loads((site / f"figures/{entry['id']}.json").read_text())["columns"] for entry, _ in figures
    }
    assert [(id, one["name"]) for id, all_of in described.items() for one in all_of if not one["meaning"]] == []
    # and nothing is said of a column that is not there, but where a preset gives it another name
    ours = {id: set(said) for id, said in columns.read(PROJECT.root).items() if id in described}
    assert {id for id, names in ours.items() if not names & {one["name"] for one in described[id]}} == set()


def test_the_command_that_is_printed_recomputes_a_digest(site):
    (command,) = re.findall(r"`(sha256sum [^`]*)`", (PROJECT.root / "chapters/record/figures.md").read_text())
    done = subprocess.run(command, shell=True, cwd=site / "figures", capture_output=True, text=True, check=True)
    id = command.split()[1].partition(".")[0]
    assert done.stdout.split()[0] == json.loads((site / f"figures/{id}.json").read_text())["digest"]


def test_places_of_columns_are_figures_tables_and_experiments():
    modules = PROJECT.root.glob("src/benign/experiments/*.py")
    classes = {
        f"{path.stem}.{name}" for path in modules for name in re.findall(r"^class (\w+)", path.read_text(), re.M)
    }
    assert columns.read(PROJECT.root).keys() <= {columns.EVERYWHERE} | classes | {id for id, _, _ in said()}


def sources_of(chapter):
    """Where the legends of a chapter's figures must lead, in a build that knows no address of a repository."""
    for cell in code_cells(chapter):
        for id in handed_over(cell.source):
            yield id, f"../_modules/chapters/{chapter}.html#cell-{cell.id}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_a_chapter_imports_from_the_package_leads_to_its_entry(site, pages, chapter):
    name = str(PROJECT.chapter(chapter).with_suffix(".html"))
    code = "\n".join(cell.source for cell in code_cells(chapter))
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and node.module.startswith(("benign", "livingpaper"))
        for alias in node.names
    }
    links = {link["href"].partition("#")[2] for link in pages[name].select("a.sphinx-codeautolink-a")}
    reexported = {
        "livingpaper.sweep.grid": "livingpaper.sweep.grid.grid",
        "livingpaper.sweep.sweep": "livingpaper.sweep.engine.sweep",
    }
    wanted = {reexported.get(entry, entry) for entry in imported}
    shown = {entry for entry in wanted if entry.rpartition(".")[2] in article(pages[name]).get_text()}
    # A module has an entry too, at the head of its section.
    assert {entry for entry in shown if entry not in links and f"module-{entry}" not in links} == set()
    assert len(shown) >= 3


def test_pages_weigh_less_than_a_megabyte_before_their_figures(site, pages):
    assert {name: (site / name).stat().st_size for name in pages if (site / name).stat().st_size > 1e6} == {}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_shows_its_parameters_with_published_and_present_values(pages, chapter):
    page = pages[str(PROJECT.chapter(chapter).with_suffix(".html"))]
    smoke = overrides("smoke")[chapter]
    tables = page.select(".parameters table")
    assert len(tables) == 1
    rows = {row.find("td").get_text(strip=True): row.get_text(" ", strip=True) for row in tables[0].select("tbody tr")}
    for name, parameter in PROJECT.parameters(chapter).items():
        if isinstance(parameter.default, int | float):
            assert str(parameter.default) in rows[name]
            assert str(smoke.get(name, parameter.default)) in rows[name]


def test_notebooks_that_the_site_offers_carry_no_trace_of_the_machine(site):
    """papermill writes paths and times into what it executes."""
    offered = list(site.rglob("*.ipynb"))
    assert {path.stem for path in offered} >= set(CHAPTERS)
    for path in offered:
        notebook = nbformat.read(path, as_version=4)
        assert "papermill" not in notebook.metadata
        assert not [cell.id for cell in notebook.cells if "papermill" in cell.metadata]
        assert str(site.parents[2]) not in path.read_text(encoding="utf-8")
