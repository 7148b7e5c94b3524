"""How a figure, a table or the book is cited, and what its digest stands for."""

import dataclasses
import hashlib
import json
import subprocess
from datetime import date

import pytest
from pybtex.database import parse_string

from livingpaper.build.repository import Repository
from livingpaper.errors import InputError
from livingpaper.publish import citation

BOOK = {
    "title": "Benign overfitting: a paper",
    "version": "1.2.0",
    "authors": [
        {"family-names": "Pelletier", "given-names": "Ada B.", "name-particle": "van"},
        {"name": "The team & friends"},
    ],
}
STATE = Repository(commit="4dce3d0b7b" + "0" * 30, dirty=False, date="2026-11-24")
DIGEST = "ab" * 32
FIGURE = {
    "id": "fig-error",
    "kind": "figure",
    "number": "2.1",
    "caption": "Error of 50% at $\\|\\mu\\|_2$, see Fig. 1.2. Left: x.",
    "page": "chapters/a.html#fig-error",
    "digest": DIGEST,
}


def test_every_format_has_version_commit_digest_and_year():
    texts = citation.cite(BOOK, STATE, "", "https://book.org/", FIGURE)
    assert set(texts) == set(citation.FORMATS) == {"bibtex", "apa", "csl-json"}
    for text in texts.values():
        assert all(word in text for word in ("1.2.0", "4dce3d0b7b", DIGEST, "2026", "Figure 2.1, fig-error"))
        assert "https://book.org/chapters/a.html#fig-error" in text
        assert text.endswith("\n") and not text.endswith("\n\n")


def test_bibtex_can_be_read_and_spoils_neither_formula_nor_address():
    text = citation.cite(BOOK, STATE, "", "https://book.org/a%20b_c", FIGURE)["bibtex"]
    (entry,) = parse_string(text, "bibtex").entries.values()
    assert entry.key == "fig-error" and entry.fields["year"] == "2026"
    assert entry.fields["title"] == r"{Error of 50\% at $\|\mu\|_2$, see Fig. 1.2}"
    assert entry.fields["url"] == "https://book.org/a%20b_c/chapters/a.html#fig-error"
    assert [str(person) for person in entry.persons["author"]] == ["van Pelletier, Ada B.", r"{The team \& friends}"]


def test_csl_json_is_one_item():
    (item,) = json.loads(citation.cite(BOOK, STATE, "", "", FIGURE)["csl-json"])
    assert (item["id"], item["type"], item["container-title"]) == ("fig-error", "figure", BOOK["title"])
    assert item["issued"] == {"date-parts": [[2026, 11, 24]]}
    assert item["author"][0] == {"family": "Pelletier", "given": "Ada B.", "non-dropping-particle": "van"}
    assert "URL" not in item


def test_apa():
    table = FIGURE | {"id": "tab-error", "kind": "table", "number": None}
    assert citation.cite(BOOK | {"doi": "10.1/x"}, STATE, "", "https://book.org", table)["apa"] == (
        "van Pelletier, A. B., & The team & friends. (2026). Error of 50% at $\\|\\mu\\|_2$, see Fig. 1.2 "
        f"[Table tab-error; commit 4dce3d0b7b; SHA-256 {DIGEST}]. In Benign overfitting: a paper (Version 1.2.0). "
        "https://doi.org/10.1/x\n"
    )


def test_bibtex_has_the_address_of_the_anchor_and_a_doi_once_there_are_any():
    for home, doi in (("", None), ("https://book.org/sub/", "10.1/x")):
        text = citation.cite(BOOK | ({"doi": doi} if doi else {}), STATE, "", home, FIGURE)["bibtex"]
        (entry,) = parse_string(text, "bibtex").entries.values()
        address = f"{home}chapters/a.html#fig-error" if home else None
        assert (entry.fields.get("url"), entry.fields.get("doi")) == (address, doi)


def test_the_book():
    texts = citation.cite(BOOK, STATE, "", "https://book.org")
    assert texts["apa"].endswith(
        "(2026). Benign overfitting: a paper (Version 1.2.0) [Living paper; commit 4dce3d0b7b]. https://book.org\n"
    )
    assert texts["bibtex"].startswith("@misc{benign-overfitting,")


def test_what_is_not_the_published_state_says_so():
    dirty = citation.cite(BOOK, dataclasses.replace(STATE, dirty=True), "smoke", "", FIGURE)
    for text in dirty.values():
        assert "commit 4dce3d0b7b, with changes that are not committed; unpublished variant smoke; SHA-256" in text
    without = citation.cite(BOOK, Repository(), "", "", FIGURE)
    assert "commit" not in without["apa"] and "(n.d.)" in without["apa"] and "year" not in without["bibtex"]
    assert "(2026)." in citation.cite(BOOK | {"date-released": date(2026, 2, 3)}, Repository(), "", "", FIGURE)["apa"]


@pytest.mark.parametrize(
    ("caption", "title"),
    [
        ("One. Two.", "One"),
        ("The error at $p=10^6$, see Fig. 1.2. Left: a.", "The error at $p=10^6$, see Fig. 1.2"),
        ("Is it? Yes.", "Is it?"),
        ("Left: a, e.g. b; right: c.", "Left: a, e.g. b"),
        ("No stop", "No stop"),
        ("At 0.5 and\n more. $x$ is. And.", "At 0.5 and more. $x$ is"),
        ("Ends. Ärger.", "Ends"),
        ("Two ways. a: the first. b, dotted: the other.", "Two ways"),
        ("Half of them. b, c: more.", "Half of them"),
    ],
)
def test_a_figure_is_called_by_the_first_sentence_of_its_caption(caption, title):
    assert citation.first_sentence(caption) == title


def test_the_digest_is_what_sha256sum_gives(tmp_path):
    contents = {"fig-a.svg": b"<svg/>", "fig-a.csv": b"x\n1\n", "fig-a.png": b"\x89PNG"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    shell = "sha256sum fig-a.csv fig-a.png fig-a.svg | sha256sum"
    said = subprocess.run(shell, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    assert said.split()[0] == citation.digest(files)
    assert citation.digest(files | {"fig-a.csv": "0" * 64}) != citation.digest(files)


def test_what_is_cited_is_read_as_it_is_written(tmp_path):
    path = tmp_path / "CITATION.cff"
    path.write_text("title: No\nversion: 1.10\ndate-released: 2026-01-01\nauthors: [{family-names: On}]\n")
    read = {"title": "No", "version": "1.10", "date-released": "2026-01-01", "authors": [{"family-names": "On"}]}
    assert citation.read(path) == read
    for wrong in ("title: [a]\nversion: 1\nauthors: [{name: a}]", "title: a\nversion: 1\nauthors: [{name: [a]}]"):
        path.write_text(wrong)
        with pytest.raises(InputError, match=r"CITATION.cff: (title|name) is \['a'\]: write a text"):
            citation.read(path)
