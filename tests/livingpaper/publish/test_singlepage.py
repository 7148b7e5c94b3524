"""The pages as one document for paper, and what stands in the way of printing it."""

import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from livingpaper.build.project import Project
from livingpaper.publish.identity import identify
from livingpaper.publish.singlepage import Part, compose, parts_of

PAGES = ["intro.html", "chapters/first.html", "chapters/second.html", "claims.html"]


@pytest.fixture(scope="module")
def identity(pristine_build):
    project = Project(pristine_build.root)
    record = {"started": "2026-02-03T23:59:58+00:00", "seconds": 3.2, "dirty": False}
    return identify(project, project.variant(None, {}), [record])


@pytest.fixture(scope="module")
def document(pristine_build, identity):
    text = compose(pristine_build.site, parts_of(Project(pristine_build.root)), identity, home="")
    return BeautifulSoup(text, "html.parser")


def test_all_pages_are_in_it_in_reading_order(document):
    ids = [article["id"] for article in document.select("article")]
    assert ids == ["intro", "chapters-first", "chapters-second", "claims"]
    assert [link["href"] for link in document.select("nav a")] == [f"#{id}" for id in ids]
    assert [link.text for link in document.select("nav a")] == ["A book", "First", "Second", "Claims"]


def test_reference_and_thumbnails_stay_on_the_screen():
    project = Project(Path(__file__).parents[3])
    pages = {page.with_suffix(".html").as_posix() for page in project.pages}
    printed = {page for part in parts_of(project) for page in part.pages}
    left_out = pages - printed
    thumbnails = "chapters/record/figures.html"
    assert thumbnails in left_out and all(page.startswith("chapters/api/") for page in left_out - {thumbnails})
    assert {"chapters/intro.html", "chapters/record/claims.html", "chapters/record/references.html"} < printed


def test_every_id_stands_once_and_every_link_within_leads_somewhere(document):
    ids = Counter(node["id"] for node in document.select("[id]"))
    assert [id for id, count in ids.items() if count > 1] == []
    links = [link["href"] for link in document.select("a[href]")]
    assert [link for link in links if not link.startswith(("#", "https://"))] == []
    within = [link.removeprefix("#") for link in links if link.startswith("#")]
    assert len(within) > 6 and [link for link in within if link not in ids] == []


def test_a_citation_and_a_claim_lead_to_their_own_places(document):
    citation = document.select_one("#intro .bibtex-citation a")
    assert "Leclerc" in citation.parent.text
    assert document.find(id=citation["href"].removeprefix("#")).find_parent("article")["id"] == "intro"
    claim = next(link for link in document.select("#claims a") if link.text.startswith("Claim "))
    assert claim["href"] == "#chapters-first--claim-line-rises"


def test_numbers_are_those_of_the_pages(document, pristine_build):
    for name, id in zip(PAGES, ("intro", "chapters-first", "chapters-second", "claims"), strict=True):
        page = BeautifulSoup(pristine_build.page(name), "html.parser").select_one("article")
        numbers = [node.text for node in page.select(".caption-number, .section-number, .eqno")]
        assert [node.text for node in document.select(f"#{id} :is(.caption-number, .section-number, .eqno)")] == numbers


def test_what_only_a_screen_can_use_is_left_out(document, pristine_build):
    page = pristine_build.page("chapters/first.html")
    for mark in ("figure-links", "headerlink"):
        assert mark in page and not document.select(f".{mark}")
    assert document.select("article script, article button") == []
    # code that the page shows stays
    assert "ax.plot" in document.select_one("#chapters-first").text
    for picture in document.select("img"):
        assert (pristine_build.site / picture["src"]).is_file()


def test_the_title_page_says_which_build_it_is(document, identity, pristine_build):
    page = document.select_one(".title-page").text
    assert identity.title in page and "Version 1.2" in page and "last computed on 4 February 2026" in page
    assert "Georges Leclerc" in page and "not the paper’s" not in page
    project = Project(pristine_build.root)
    smoke = replace(identity, variant=project.variant("smoke", {}), commit="abc", changed=True)
    page = compose(pristine_build.site, parts_of(project), smoke, home="")
    assert "commit abc, with changes that were not committed" in page
    assert "<strong>smoke</strong>" in page and "not the paper’s" in page


def test_files_are_linked_where_the_site_is_known_to_be(pristine_build, identity):
    first = pristine_build.site / "chapters/first.html"
    assert "../figures/fig-line.csv" in first.read_text()
    parts = [Part("One & only", ["chapters/first.html"])]
    here = BeautifulSoup(compose(pristine_build.site, parts, identity, "https://example.org/"), "html.parser")
    assert here.select_one("article p.part").text == "One & only"
    assert here.select_one("nav li.part").text == "One & only"
    # pages that are not in the document, too
    links = {link["href"] for link in here.select("article a[href]")}
    assert not any(re.match(r"\.\.|/", link) for link in links)


def test_without_chromium_it_says_what_to_install(built, benign, monkeypatch):
    nowhere = built.root / "bin"
    nowhere.mkdir()
    monkeypatch.setenv("PATH", str(nowhere))
    said = benign("pdf")
    assert said.status == 1 and "install Chromium from your system's packages" in said.errors
    assert not list((built.root / "_build").glob("*.pdf"))


@pytest.mark.parametrize("package", ["playwright.sync_api", "pypdf"])
def test_without_the_extra_it_says_what_to_install(built, benign, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    said = benign("pdf")
    assert said.status == 1
    assert f"the package {package} is not installed: run `pip install playwright pypdf`" in said.errors
