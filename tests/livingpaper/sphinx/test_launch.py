"""Buttons and links of a book that knows its repository, and of one that does not."""

import json
import subprocess
from types import SimpleNamespace

import pytest
import yaml
from bs4 import BeautifulSoup

from livingpaper.build.repository import Repository, Sources
from livingpaper.sphinx import launch

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


@pytest.fixture
def known(built, benign):
    """The little book, in a repository whose address its settings name, built; with the commit."""
    config = yaml.safe_load((built.root / "_config.yml").read_text())
    config["repository"] = {"url": f"{URL}.git"}
    (built.root / "_config.yml").write_text(yaml.safe_dump(config))
    (built.root / ".gitignore").write_text("_build\ncalls.txt\n")
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "first"]):
        subprocess.run(["git", *identity, *words], cwd=built.root, check=True)
    said = benign("build")
    assert said.status == 0, said.errors
    assert "0 of 2 chapters executed, rendered" in said.text
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=built.root, check=True, capture_output=True, text=True)
    return built, head.stdout.strip()


@pytest.mark.timeout(300)
def test_with_an_address_links_and_buttons_lead_to_the_built_commit(known):
    book, commit = known
    page = BeautifulSoup(book.page("chapters/first.html"), "html.parser")
    links = {link["href"] for link in page.find_all("a", href=True)}
    assert f"https://mybinder.org/v2/gh/owner/name/{commit}?urlpath=lab/tree/chapters/first.ipynb" in links
    assert f"https://colab.research.google.com/github/owner/name/blob/{commit}/chapters/first.ipynb" in links

    source = page.select_one("#fig-line .figure-links").find("a", string="source")
    address, _, lines = source["href"].partition("#")
    assert address == f"{URL}/blob/{commit}/chapters/first.ipynb?plain=1"
    first, last = (int(line.removeprefix("L")) for line in lines.split("-"))
    text = (book.root / "chapters/first.ipynb").read_text().splitlines()[first - 1 : last]
    assert 'Figure(id="fig-line"' in "".join(json.loads(f"[{''.join(text)}]"))
    assert source["title"].endswith(f"lines {first} to {last}, at commit {commit[:10]}")

    listing = BeautifulSoup(book.page("_modules/chapters/first.html"), "html.parser").select_one(".source-state")
    assert listing.a["href"] == f"{URL}/blob/{commit}/chapters/first.ipynb"
    assert not [link for link in BeautifulSoup(book.page("claims.html"), "html.parser").find_all("a", href=True)
                if "mybinder" in link["href"]]  # fmt: skip


@pytest.mark.timeout(300)
def test_a_dirty_tree_says_so(known, benign):
    book, commit = known
    book.edit("claims.md", "# Claims", "# All claims")
    assert benign("build").status == 0
    page = BeautifulSoup(book.page("chapters/first.html"), "html.parser")
    title = page.select_one("#fig-line .figure-links").find("a", string="source")["title"]
    assert title.endswith(f"at commit {commit[:10]}, with changes that are not committed")


def test_without_an_address_there_is_no_button_and_the_source_is_a_page_of_the_site(built):
    page = BeautifulSoup(built.page("chapters/first.html"), "html.parser")
    assert not [link["href"] for link in page.find_all("a", href=True) if "://" in link["href"]
                and any(host in link["href"] for host in ("mybinder", "colab", "github.com"))]  # fmt: skip
    source = page.select_one("#fig-line .figure-links").find("a", string="source")
    assert source["href"] == "../_modules/chapters/first.html#cell-line"
    listing = BeautifulSoup(built.page("_modules/chapters/first.html"), "html.parser")
    assert 'Figure(id="fig-line"' in listing.find(id="cell-line").get_text()
    assert "print(" in listing.find(id="cell-numbers").get_text(), "a cell that the page leaves out"
    assert "at an unknown commit" in listing.select_one(".source-state").get_text()
    assert listing.select_one("article h1 a")["href"] == "../../chapters/first.html"
