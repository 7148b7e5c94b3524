"""Buttons and links of a book that knows its repository, and of one that does not."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from livingpaper import errors, say
from livingpaper.build.repository import Place, Repository, Sources
from livingpaper.sphinx import launch, sources

URL = "https://github.com/owner/name"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
BUTTONS = {
    "thebe": False,
    "notebook_interface": "jupyterlab",
    "binderhub_url": "https://mybinder.org",
    "colab_url": "https://colab.research.google.com",
}


def options(folder, repository):
    """The theme's options in a tree of that repository."""
    Sources(repository, {}).write(folder)
    config = SimpleNamespace(html_theme_options={"launch_buttons": dict(BUTTONS), "repository_url": repository.url})
    launch.aim(SimpleNamespace(srcdir=folder, config=config), config)
    return config.html_theme_options


@pytest.mark.parametrize(
    ("url", "commit", "served"),
    [
        (URL, COMMIT, {"binderhub_url", "colab_url"}),
        ("https://gitlab.com/owner/name", COMMIT, {"binderhub_url"}),
        ("https://gitlab.com/group/part/name", COMMIT, set()),
        ("https://example.org/owner/name", COMMIT, set()),
        (URL, None, set()),
        (None, COMMIT, set()),
    ],
)
def test_only_buttons_that_lead_somewhere_are_offered(tmp_path, url, commit, served):
    found = options(tmp_path, Repository(url, commit))
    assert {name for name in found["launch_buttons"] if name.endswith("_url")} == served
    assert found["repository_url"] == (url if served else "")
    assert found.get("repository_branch") == (commit if served else None)


def test_a_book_in_a_folder_of_its_repository_is_found_there(tmp_path):
    assert options(tmp_path, Repository(URL, COMMIT, prefix="paper/"))["path_to_docs"] == "paper/"


@pytest.fixture(scope="module")
def book(tmp_path_factory, render, cells):
    """A function that renders a little book whose sources are in the given repository."""

    def of(repository):
        data = pd.DataFrame({"a": [1]})
        chapter = cells.notebook(
            new_markdown_cell("# First", id="title"),
            new_code_cell("print(1)", id="hidden", metadata={"tags": ["remove-cell"]}),
            cells.code('say.table("tab-one", data)', lambda: say.table("tab-one", data)),
            new_markdown_cell(":::{glue:table} tab-one\nOne.\n:::", id="words"),
        )
        chapter.cells[2].id = "table"
        tree = tmp_path_factory.mktemp("book")
        sources = Sources(repository, {"tab-one": Place("chapters/first.ipynb", "table", (20, 21))})
        sources.write(tree)
        files = {"index.md": "# Home\n\nWords.\n", "chapters/first.ipynb": chapter, "references.bib": ""}
        book = render(tree, files, {"root": "index", "chapters": [{"file": "chapters/first"}]})
        assert book.complaints == ""
        return book

    return of


def addresses(page):
    return {link["href"] for link in page.find_all("a", href=True)}


def source(page):
    return page.select_one(".figure-links").find("a", string="source")


def test_with_an_address_links_and_buttons_lead_to_the_built_commit(book):
    known = book(Repository(URL, COMMIT, dirty=True, date="2026-11-22"))
    page = known.page("chapters/first")
    assert f"https://mybinder.org/v2/gh/owner/name/{COMMIT}?urlpath=lab/tree/chapters/first.ipynb" in addresses(page)
    assert f"https://colab.research.google.com/github/owner/name/blob/{COMMIT}/chapters/first.ipynb" in addresses(page)
    assert source(page)["href"] == f"{URL}/blob/{COMMIT}/chapters/first.ipynb?plain=1#L20-L21"
    assert source(page)["title"].endswith(
        f"lines 20 to 21, at commit {COMMIT[:10]}, with changes that are not committed"
    )
    listing = known.page("_modules/chapters/first").select_one(".source-state")
    assert listing.a["href"] == f"{URL}/blob/{COMMIT}/chapters/first.ipynb"
    assert not [address for address in addresses(known.page("index")) if "colab" in address]


def test_without_an_address_there_is_no_button_and_the_source_is_a_page_of_the_site(book):
    unknown = book(Repository(date="2026-11-22"))
    page = unknown.page("chapters/first")
    hosts = ("mybinder", "colab", "github.com")
    assert not [address for address in addresses(page) if any(host in address for host in hosts) and "://" in address]
    assert source(page)["href"] == "../_modules/chapters/first.html#cell-table"
    listing = unknown.page("_modules/chapters/first")
    assert 'say.table("tab-one", data)' in listing.find(id="cell-table").get_text()
    assert "print(" in listing.find(id="cell-hidden").get_text(), "a cell that the page leaves out"
    assert "at an unknown commit" in listing.select_one(".source-state").get_text()
    assert listing.select_one("article h1 a")["href"] == "../../chapters/first.html"


SOURCE = Path(errors.__file__).read_text().splitlines()
FIRST = next(number for number, line in enumerate(SOURCE, 1) if line.startswith("class InputError("))
LINES = f"L{FIRST}-L{FIRST + 1}"  # the class and its docstring


@pytest.mark.parametrize(
    ("module", "name", "found"),
    [
        ("livingpaper.errors", "InputError", f"{URL}/blob/{COMMIT}/src/livingpaper/errors.py#{LINES}"),
        ("livingpaper.sweep", "sweep", None),  # is defined elsewhere
        ("livingpaper.no_such_module", "f", None),
    ],
)
def test_an_entry_of_the_reference_leads_to_its_lines_in_the_repository(module, name, found):
    info = {"module": module, "fullname": name}
    assert sources.resolve(Repository(URL, COMMIT), "py", info) == found
    assert sources.resolve(Repository(), "py", info) is None
