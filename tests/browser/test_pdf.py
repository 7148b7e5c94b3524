"""The whole book as one PDF: what is on the pages is on paper, with the same numbers."""

import json
import multiprocessing
import re
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from pypdf import PdfReader

from livingpaper.build.project import Project
from livingpaper.publish import pdf
from livingpaper.publish.identity import identify
from livingpaper.publish.singlepage import parts_of

pytestmark = pytest.mark.slow

PROJECT = Project(Path(__file__).parents[2])
PAGES = [page for part in parts_of(PROJECT) for page in part.pages]


@pytest.fixture(scope="module")
def reader(site, chromium, tmp_path_factory):
    """The smoke site as a PDF."""
    record = {"started": "2026-02-03T12:00:00+00:00", "seconds": 1.0, "dirty": False}
    smoke = identify(PROJECT, PROJECT.variant("smoke", {}), [record])
    path = tmp_path_factory.mktemp("pdf") / "book.pdf"
    # Two Playwrights in one process get into each other's way, and these tests have one open.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        sheets = process.submit(pdf.write, site, parts_of(PROJECT), smoke, "", path).result()
    made = PdfReader(path)
    assert len(made.pages) == sheets
    return made


@pytest.fixture(scope="module")
def text(reader):
    """The words of each sheet, with single spaces."""
    return [re.sub(r"\s+", " ", sheet.extract_text()) for sheet in reader.pages]


@pytest.fixture(scope="module")
def soups(site):
    return {name: BeautifulSoup((site / name).read_text(), "html.parser").select_one("article") for name in PAGES}


def titles(soups) -> list[str]:
    for soup in soups.values():
        for link in soup.select(".headerlink"):
            link.decompose()
    return [soup.find("h1").get_text().strip() for soup in soups.values()]


def squeezed(words: str) -> str:
    """Without what layout does to words: spaces, line breaks, ligatures that fonts make."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", words))


def test_it_is_a_tagged_a4_document_with_a_title(reader):
    assert reader.metadata.title == yaml.safe_load((PROJECT.root / "CITATION.cff").read_text())["title"]
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in reader.trailer["/Root"]
    for sheet in reader.pages:
        assert [round(float(side)) for side in sheet.mediabox[2:]] == [595, 842]
    assert len(reader.pages) > 5 * len(PAGES)


def test_the_outline_and_the_table_of_contents_are_the_chapters(reader, text, soups):
    chapters = [entry for entry in reader.outline if not isinstance(entry, list)]
    sections = [
        entry.title
        for below in reader.outline
        if isinstance(below, list)
        for entry in below
        if not isinstance(entry, list)
    ]
    assert len(sections) > 50 and [title for title in sections if "\\" in title] == []
    expected = titles(soups)
    assert [squeezed(chapter.title) for chapter in chapters] == [squeezed(title) for title in expected]
    sheets = [reader.get_destination_page_number(chapter) for chapter in chapters]
    assert sheets == sorted(set(sheets))
    contents = squeezed("".join(text[1 : sheets[0]]))
    for title, sheet in zip(expected, sheets, strict=True):
        assert f"{squeezed(title)}{sheet + 1}" in contents
        assert squeezed(title) in squeezed(text[sheet])
        assert text[sheet].rstrip().endswith(f" {sheet + 1}") or f"{sheet + 1}" in text[sheet].split()


def test_every_figure_table_and_theorem_has_the_number_that_it_has_on_its_page(text, soups, site):
    everything = squeezed(" ".join(text))
    index = json.loads((site / "figures/index.json").read_text())["figures"]
    for figure in index:
        kind = "Fig." if figure["kind"] == "figure" else "Table"
        first = re.match(r"\w*", figure["caption"]).group()  # a formula has other letters on paper
        assert squeezed(f"{kind} {figure['number']}{first}") in everything, figure["id"]
    theorems = [node.text for soup in soups.values() for node in soup.select(".proof .caption-number")]
    assert len(theorems) > 5
    for theorem in theorems:
        assert squeezed(theorem) in everything
    equations = [node.text.strip("#\n ") for soup in soups.values() for node in soup.select(".eqno")]
    assert len(equations) > 20
    for equation in equations:
        assert squeezed(equation) in everything


def test_nothing_raw_is_left(text):
    for sheet, words in enumerate(text, start=1):
        raw = re.findall(r"\\[(\[)\]]|\\(?:frac|mathbb|langle|le|ge|mu|text)\b|\{glue|\{numref|Show code cell", words)
        assert raw == [], f"sheet {sheet}"


def test_links_lead_into_the_document_or_to_the_web(reader):
    names, elsewhere, within = reader.named_destinations, [], 0
    for sheet in reader.pages:
        for annotation in (entry.get_object() for entry in sheet.get("/Annots", [])):
            if "/Dest" in annotation:
                within += 1
                assert not isinstance(annotation["/Dest"], str) or annotation["/Dest"] in names
            elif "/A" in annotation and "/URI" in annotation["/A"]:
                elsewhere.append(annotation["/A"]["/URI"])
    assert within > 100
    assert [address for address in elsewhere if not re.match(r"https?://(?!book\.invalid)", address)] == []


def test_figures_are_drawn_not_photographed(reader, text):
    caption = squeezed("The price of fitting every label, against the dimension.")
    (sheet, *_) = [number for number, words in enumerate(text) if caption in squeezed(words)]
    assert len(reader.pages[sheet].images.keys()) == 0
