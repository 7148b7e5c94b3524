"""A new chapter: the template filled in, an entry in the table of contents, values in the presets."""

from pathlib import Path

import nbformat
import pytest
import yaml

from livingpaper.build import words
from livingpaper.build.project import Project

ROOT = Path(__file__).parents[3]


@pytest.fixture
def templated(unbuilt):
    """The small paper with a template: its first chapter under other ids."""
    unbuilt.edit("pyproject.toml", 'command = "needle"\n', 'command = "needle"\ntemplate = "chapters/template.ipynb"\n')
    text = (unbuilt.root / "chapters/first.ipynb").read_text()
    text = (
        text.replace("# First", "# {title}")
        .replace("fig-line", "fig-{name}")
        .replace("claim-line-rises", "claim-{name}")
    )
    notebook = nbformat.reads(text, as_version=4)
    notebook.metadata["livingpaper"] = {"presets": {"smoke": {"n": 3, "names": ["a"]}, "full": {"n": 9}}}
    nbformat.write(notebook, unbuilt.root / "chapters/template.ipynb")
    return unbuilt


def test_the_papers_own_template_passes_what_is_asked_of_a_chapter():
    """Its parameters can be read, each preset's values are allowed, each directive has its words."""
    project = Project(ROOT)
    template = nbformat.read(ROOT / project.settings.template, as_version=4)
    assert words.said(template).keys() == {"fig-{name}", "claim-{name}"}
    assert all(cell.id and not cell.get("outputs") for cell in template.cells)
    declared = words.parameters.read(template)
    presets = template.metadata["livingpaper"]["presets"]
    assert presets.keys() == set(project.presets)
    for values in presets.values():
        assert words.parameters.validate("template", declared, values) == values


def test_a_new_chapter_stands_in_the_book_and_comments_stay(templated, benign):
    presets = templated.root / "presets/smoke.yml"
    presets.write_text("# small\n" + presets.read_text())
    said = benign("new", "what-now")
    assert said.status == 0, said.errors
    assert "needle run what-now --preset smoke" in said.text
    project = Project(templated.root)
    assert project.chapter("what-now") == Path("chapters/what-now.ipynb")
    notebook = project.notebook("what-now")
    assert notebook.cells[0].source == "# What now" and "livingpaper" not in notebook.metadata
    assert words.said(notebook).keys() == {"fig-what-now", "claim-what-now"}
    assert project.variant("smoke", {}).overrides["what-now"] == {"n": 3, "names": ["a"]}
    assert presets.read_text().startswith("# small\ntime_limit: 100\n")
    assert not (templated.root / "presets/full.yml").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["first"], "there is already chapters/first.ipynb: choose another name"),
        (["claims"], "there is already claims.md: choose another name"),
        (["line"], "first has the id 'fig-line' already: choose another name"),
        (["My_Question"], "use lower-case words joined by single hyphens, e.g. my-question"),
        (["what-now", "--part", "One"], "_toc.yml has no part 'One': it has no parts"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(templated, benign, words, complaint):
    before = templated.files(".")
    said = benign("new", *words)
    assert said.status == 1
    assert complaint in said.errors.replace("\n", " ")
    assert templated.files(".") == before


def test_a_paper_without_a_template_says_where_to_name_one(unbuilt, benign):
    said = benign("new", "what-now")
    assert said.status == 1 and "`template` in [tool.livingpaper]" in said.errors


def test_it_stands_in_the_part_that_is_asked_for(templated, benign):
    (templated.root / "_toc.yml").write_text(
        "# order of reading\nformat: jb-book\nroot: intro\nparts:\n"
        "  - caption: One\n    chapters:\n      - file: chapters/first\n        sections:\n          - file: claims\n"
        "  - caption: Two\n    chapters:\n      - file: chapters/second # last\n"
    )
    assert benign("new", "in-one", "--part", "One").status == 0
    assert benign("new", "in-two").status == 0
    text = (templated.root / "_toc.yml").read_text()
    assert text.startswith("# order of reading\n") and "chapters/second # last\n" in text
    one, two = yaml.safe_load(text)["parts"]
    assert [entry["file"] for entry in one["chapters"]] == ["chapters/first", "chapters/in-one"]
    assert [entry["file"] for entry in two["chapters"]] == ["chapters/second", "chapters/in-two"]
    assert "did you mean 'One'" in benign("new", "again", "--part", "Ones").errors
