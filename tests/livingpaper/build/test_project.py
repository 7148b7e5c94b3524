"""Sources, presets and parameters of a book, and what is said when they are wrong."""

import json

import pytest

from livingpaper.build.project import Project
from livingpaper.errors import InputError, PaperError


@pytest.fixture
def project(unbuilt):
    return Project(unbuilt.root)


def edit_notebook(path, change):
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))


def test_a_book_is_found_from_below(project, monkeypatch):
    assert Project.find(project.root / "chapters") == project
    with pytest.raises(PaperError, match="no book at / or above it: run this inside a folder that has a _toc.yml"):
        Project.find(project.root.__class__("/"))


@pytest.mark.parametrize(
    "toc",
    [
        "root: intro\nentries:\n- file: chapters/first\n- file: claims\n- file: chapters/second\n",
        "format: jb-book\nroot: intro.md\nparts:\n- caption: One\n  chapters:\n  - file: chapters/first.ipynb\n"
        "- caption: Two\n  chapters:\n  - file: claims\n  - file: chapters/second\n",
        "format: jb-article\nroot: intro\nsections:\n- file: chapters/first\n  sections:\n  - file: claims\n"
        "- url: https://example.org\n- file: chapters/second\n",
        "format: jb-book\nroot: intro\nchapters:\n- file: chapters/first\n  title: Another\n  sections:\n"
        "  - file: claims\n  - file: chapters/second\n",
    ],
)
def test_pages_are_read_in_the_order_of_any_kind_of_table_of_contents(project, toc):
    (project.root / "_toc.yml").write_text(toc)
    assert [path.stem for path in project.pages] == ["intro", "first", "claims", "second"]
    assert list(project.chapters) == ["first", "second"]


@pytest.mark.parametrize(
    "toc, message",
    [
        ("format: jb-book\nroot: intro\nchapters:\n- file: chapters/third\n", "'chapters/third', but there is neither"),
        ("format: jb-book\nroot: intro\nchapters:\n- glob: chapters/*\n", "the pattern 'chapters/\\*': name each file"),
        ("format: jb-book\nroot: intro\nsections:\n- file: claims\n", "cannot read .*_toc.yml: Unknown keys"),
        ("format: jb-bock\nroot: intro\n", "cannot read .*_toc.yml: 'format' key value not recognised"),
        ("format: jb-book\nroot: text-notebook\n", "`jupytext --to ipynb text-notebook.md`, and take text-notebook.md"),
        ("format: jb-book\nroot: ../other/first\n", "names '../other/first.ipynb', which leads out of"),
        ("format: jb-book\nroot: intro\nchapters:\n- file: ROOT/chapters/first\n", "names '/.*first.ipynb', which lea"),
        ("format: jb-book\nroot: linked\n", "names 'linked.ipynb', which leads out of"),
        ("[1, 2]", "_toc.yml holds a list"),
        ("a: [", "cannot read .*_toc.yml"),
        ("root: intro\nroot: claims\n", "_toc.yml, line 2: 'root' stands in line 1 already"),
        ("", "cannot read .*_toc.yml"),
    ],
)
def test_a_table_of_contents_that_is_wrong(project, toc, message):
    (project.root.parent / "other").mkdir()
    (project.root.parent / "other/first.ipynb").touch()
    (project.root / "linked.ipynb").symlink_to("../other/first.ipynb")
    (project.root / "text-notebook.md").write_text("---\nfile_format: mystnb\n---\n\n```{code-cell}\n1 + 1\n```\n")
    (project.root / "_toc.yml").write_text(toc.replace("ROOT", str(project.root)))
    with pytest.raises(PaperError, match=message):
        _ = project.pages


def test_two_chapters_of_the_same_name(project):
    (project.root / "more").mkdir()
    (project.root / "more/first.ipynb").write_text((project.root / "chapters/first.ipynb").read_text())
    with (project.root / "_toc.yml").open("a") as toc:
        toc.write("- file: more/first\n")
    with pytest.raises(PaperError, match="have the same name 'first': rename one of them"):
        _ = project.chapters


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda n: n["cells"][1].update(id=n["cells"][2]["id"]), "every cell needs an id of its own"),
        (lambda n: n["cells"][1].pop("id"), "every cell needs an id"),
        (
            lambda n: n.update(nbformat_minor=4, cells=[{k: c[k] for k in c if k != "id"} for c in n["cells"]]),
            "format 4.5",
        ),
        (lambda n: n.clear(), "as a notebook"),
    ],
)
def test_a_notebook_whose_outputs_could_not_be_found_again(project, change, message):
    edit_notebook(project.root / "chapters/first.ipynb", change)
    with pytest.raises(PaperError, match=message):
        project.notebook("first")


def with_lines(end):
    return lambda n: [cell.update(source="".join(cell["source"]).replace("\n", end)) for cell in n["cells"]]


@pytest.mark.parametrize(
    "change, encode",
    [
        (with_lines("\r\n"), lambda text: text.replace("\n", "\r\n").encode("utf-8-sig")),
        (with_lines("\r"), str.encode),
        (lambda n: n.update(metadata={}), str.encode),
        (lambda n: n.update(metadata={"language_info": {"name": "Python"}}), lambda text: text.encode("utf-16")),
    ],
)
def test_a_notebook_is_the_same_whatever_tool_has_saved_it(project, change, encode):
    path, before = project.root / "chapters/first.ipynb", project.notebook("first")
    edit_notebook(path, change)
    path.write_bytes(encode(path.read_text()))
    after = project.notebook("first")
    assert after.cells == before.cells and after.metadata.kernelspec == before.metadata.kernelspec


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda n: n["cells"][1].update(id="x" * 264), r"\['cells'\]\[1\]\['id'\] 'xxx"),
        (
            lambda n: n["metadata"]["kernelspec"].update(language="R"),
            "is written in 'R': a chapter is",
        ),
        (lambda n: n["cells"][1]["metadata"].update(tags=None), "None is not of type 'array'"),
        (lambda n: n["cells"].append(1), "cannot read .*first.ipynb as a notebook"),
        (lambda n: n["cells"][1].update(source="'\ud800'"), "surrogates not allowed"),
        (lambda n: n.pop("cells"), "missing an expected key: cells"),
        (lambda n: n.update(nbformat=3), "cannot read .*first.ipynb as a notebook|format 4.5"),
    ],
)
def test_a_notebook_that_no_jupyter_would_save(project, change, message):
    edit_notebook(project.root / "chapters/first.ipynb", change)
    with pytest.raises(PaperError, match=message):
        project.notebook("first")


def test_a_name_that_stands_twice_in_a_notebook(project):
    path = project.root / "chapters/first.ipynb"
    path.write_text(path.read_text().replace('"cells"', '"cells": [], "cells"', 1))
    with pytest.raises(PaperError, match="'cells' stands twice in one place: keep one of the two"):
        project.notebook("first")


def test_a_chapter_that_is_no_notebook(project):
    (project.root / "chapters/first.ipynb").write_text("{half")
    with pytest.raises(PaperError, match=r"cannot read .*first\.ipynb as a notebook"):
        project.notebook("first")


def test_a_chapter_without_a_parameters_cell_is_named(project):
    edit_notebook(project.root / "chapters/first.ipynb", lambda n: n["cells"][1]["metadata"].clear())
    with pytest.raises(InputError, match=r"chapters/first\.ipynb: 0 cells are tagged 'parameters'"):
        project.parameters("first")


def test_the_published_variant_is_the_defaults(project):
    variant = project.variant(None, {})
    assert (variant.name, variant.overrides, variant.published) == ("published", {}, True)
    assert project.site(variant) == project.root / "_build/html"


def test_a_value_that_is_the_published_one_changes_nothing(project):
    assert project.variant(None, {"first": {"n": 4}}) == project.variant(None, {})
    assert project.variant("smoke", {"first": {"n": 2}}) == project.variant("smoke", {})


def test_a_preset_and_changes_of_it_have_folders_of_their_own(project):
    smoke, changed = project.variant("smoke", {}), project.variant("smoke", {"second": {"seeds": 3}})
    assert smoke.overrides == {"first": {"n": 2, "slope": 1.0}, "second": {"seeds": 1}}
    assert (smoke.name, smoke.time_limit, smoke.published) == ("smoke", 100.0, False)
    assert changed.overrides == {"first": {"n": 2, "slope": 1.0}, "second": {"seeds": 3}}
    sites = {project.site(variant) for variant in (smoke, changed, project.variant(None, {"second": {"seeds": 3}}))}
    assert len(sites) == 3


def test_a_change_may_take_a_presets_value_back_to_the_published_one(project):
    variant = project.variant("smoke", {"second": {"seeds": 2}})
    assert variant.overrides == {"first": {"n": 2, "slope": 1.0}}
    assert variant.name.startswith("custom-")


@pytest.mark.parametrize(
    "content, message",
    [
        ("chapters:\n  frist:\n    n: 1\n", "presets/smoke.yml: there is no chapter 'frist': did you mean 'first'"),
        (
            "chapters:\n  first:\n    widht: 1\n",
            "presets/smoke.yml: first has no parameter 'widht': did you mean 'width'",
        ),
        ("chapters:\n  first:\n    n: 0\n", r"presets/smoke.yml: first: parameter n = 0: .*int in \[1, 100\]"),
        ("chapters: [first]\n", r"presets/smoke.yml: chapters = \['first'\]: Input should be a valid dictionary"),
        ("chapters:\n  first:\n", "presets/smoke.yml: chapters.first = None: Input should be a valid dictionary"),
        ("time_limit: 0\n", "presets/smoke.yml: time_limit = 0: Input should be greater than 0"),
        ("time_limit: true\n", "presets/smoke.yml: time_limit = True: Input should be a valid number"),
        ("time_limit: soon\n", "presets/smoke.yml: time_limit = 'soon': Input should be a valid number"),
        ("limit: 3\n", "presets/smoke.yml: limit = 3: .* it takes time_limit, chapters"),
        ("- 1\n", "smoke.yml holds a list: it must map names to values"),
        ("a: [\n", "cannot read .*smoke.yml"),
        ("chapters: {1: {n: 2}}\n", "smoke.yml, line 1: the name 1 is not a text: quote it"),
        ("chapters: {first: {n: !!timestamp 3}}", "smoke.yml, line 1: the tag .*timestamp is not for people"),
        ("chapters: {first: {slope: .nan}}", "parameter slope = nan: nan is no finite number"),
    ],
)
def test_a_preset_that_is_wrong(project, content, message):
    (project.root / "presets/smoke.yml").write_text(content)
    with pytest.raises(PaperError, match=message):
        project.variant("smoke", {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_numbers_and_letters_are_read_as_people_write_them(project, encoding):
    text = "chapters: {first: {slope: 1e5, names: ['é', \"no\", nö]}}\r\n"
    (project.root / "presets/smoke.yml").write_bytes(text.encode(encoding))
    assert project.variant("smoke", {}).overrides == {"first": {"slope": 1e5, "names": ["é", "no", "nö"]}}


@pytest.mark.parametrize("word", ["no", "On", "010", "0x1F", "1_000", "12:30", "1:30.5"])
def test_a_word_that_readers_of_yaml_disagree_about_is_refused(project, word):
    (project.root / "_config.yml").write_text(f"title: '{word}'\nhtml: {word}\n")
    with pytest.raises(InputError, match=f"_config.yml, line 2: {word} is not the same to all readers: quote it"):
        _ = project.config


@pytest.mark.parametrize("content", ["repository: true", "repository: [a]", "repository: a"])
def test_a_section_of_the_configuration_that_is_none(project, content):
    (project.root / "_config.yml").write_text(content)
    with pytest.raises(InputError, match="_config.yml: repository is .*: it must map names to values"):
        _ = project.repository_url


def test_an_unknown_preset_names_the_nearest(project):
    with pytest.raises(InputError, match="there is no preset 'smok': did you mean 'smoke'"):
        project.variant("smok", {})


def test_the_cache_is_where_the_command_was_started_even_if_the_variable_is_relative(project, monkeypatch):
    """Chapters run in their own folders and would each take the variable for another place."""
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", "mine")
    assert project.cache == project.root / "mine"


@pytest.mark.parametrize("name", ["cache", "published", ".", ".."])
def test_a_preset_may_not_take_a_folder_of_the_build(project, name):
    (project.root / "presets" / f"{name}.yml").write_text("chapters: {}\n")
    with pytest.raises(InputError, match=rf"_build/{name} is a folder of the build's own: rename the preset"):
        project.variant(name, {})


def test_a_table_of_settings_that_is_none(project):
    (project.root / "pyproject.toml").write_text("tool = 3\n")
    with pytest.raises(InputError, match="pyproject.toml: .* = 3: Input should be a valid dictionary"):
        _ = project.settings


@pytest.mark.parametrize("setting", ["notation", "template"])
def test_a_setting_that_leads_out_of_the_book_is_refused(project, setting):
    (project.root / "pyproject.toml").write_text(f'[tool.livingpaper]\n{setting} = "../mine.yml"\n')
    with pytest.raises(InputError, match=rf"\] {setting} names '../mine.yml', which leads out of"):
        _ = project.settings
