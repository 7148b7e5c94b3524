"""The reference of the package: what a docstring becomes, and whether everything is there."""

import re
from pathlib import Path

import pytest
from docutils.core import publish_string

import benign
import livingpaper
from livingpaper.build.project import Project
from livingpaper.sphinx import api

#: What the chapters import: where it lies, and which folders.
SCIENCE = (Path(benign.__file__).parents[1], ["benign"])
PRESS = (Path(livingpaper.__file__).parents[1], ["livingpaper/say", "livingpaper/sweep"])
PROJECT = Project(Path(__file__).parents[3])


def said(docstring):
    """The docstring as docutils reads it after the escape, without a warning."""
    lines = docstring.splitlines()
    api.escape(None, "function", "f", None, None, lines)
    settings = {"report_level": 2, "halt_level": 2, "output_encoding": "unicode"}
    return publish_string("\n".join(lines), writer_name="pseudoxml", settings_overrides=settings)


@pytest.mark.parametrize(
    "prose",
    [
        "The norm ||w_j||^2 of y* mu, and |u| <= 1/H.",
        "The set *runs of a_ and of b__.",
        "A sum W_l <- W_l + s_l (1/|B|) sum_{i in B} r_i.",
        "A path C:\\new and a quote `here",
    ],
)
def test_a_sign_of_prose_is_no_markup(prose):
    assert prose in said(prose)


def test_code_stays_code():
    assert ["a * b_", "{glue:text}`name`"] == re.findall(
        r"<literal>\s*(.*)", said("See ``a * b_`` and ``{glue:text}`name```.")
    )


def test_a_list_stays_a_list():
    assert said("Either\n\n- one: ``x``, or\n- |two|.").count("<list_item>") == 2


def test_what_stands_in_a_literal_block_is_not_touched():
    shown = said("As in::\n\n    a = b * c  # |x|\n\nand *more.")
    assert "a = b * c  # |x|" in shown
    assert "and *more." in shown


def test_errors_and_columns_become_fields():
    columns = "``id``       a label,\n             unique;\n``low``, ``high``  ends."
    shown = said(f"It.\n\n{columns}\n\nRaises:\n    InputError: no *run.\n")
    assert re.findall(r"<field_name>\s*(.*)", shown) == ["param id", "param low, high", "raises InputError"]
    assert "no *run." in shown


def test_every_public_module_is_on_one_page():
    listed = []
    for page in sorted((PROJECT.root / "chapters/api").glob("*.md")):
        for arguments in re.findall(r"^```\{package\} (.+)$", page.read_text(), re.MULTILINE):
            names = arguments.split()
            listed += names if len(names) > 1 else api.modules(names[0])
        assert page.relative_to(PROJECT.root) in PROJECT.pages
    public = {
        ".".join(path.relative_to(home).with_suffix("").parts)
        for home, packages in (SCIENCE, PRESS)
        for package in packages
        for path in (home / package).rglob("*.py")
        if not path.name.startswith("_")
    }
    public.add("livingpaper.files")  # with which a chapter finds the root of its project
    assert sorted(listed) == sorted(public)
