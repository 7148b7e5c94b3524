"""What the whole book contains: every figure, table and claim, the page it is on, and what is said of it there."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import ClassVar

from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx
from sphinx.domains import Domain, ObjType
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)

ENTRIES = ("figures", "claims")  #: what has an id


class Catalogue(Domain):
    """The figures, tables and claims found while reading, by id, each with the page it was found on.

    A Sphinx domain is where Sphinx keeps such things: it forgets a page that is read again and merges what
    parallel readers found.
    """

    name = "paper"
    label = "figures and claims"
    data_version = 5
    initial_data: ClassVar = {"figures": {}, "claims": {}, "places": {}}
    object_types: ClassVar = {kind: ObjType(kind) for kind in ("figure", "table", "claim")}

    @property
    def figures(self) -> dict[str, dict]:
        """Figure and table payloads by id; ``docname`` is the page, ``cell`` the line there."""
        return self.data["figures"]

    @property
    def claims(self) -> dict[str, dict]:
        """Claim payloads by id, likewise."""
        return self.data["claims"]

    @property
    def places(self) -> Mapping[str, list[str]]:
        """The pages that gather something, e.g. the ledger, by what it is."""
        kinds: dict[str, list[str]] = defaultdict(list)
        for docname in sorted(self.data["places"]):
            for kind in self.data["places"][docname]:
                kinds[kind].append(docname)
        return kinds

    def note_place(self, kind: str, docname: str) -> None:
        """The page gathers that."""
        self.data["places"].setdefault(docname, []).append(kind)

    def note(self, kind: str, docname: str, cell: int, payload: dict) -> None:
        """Enter a payload under its id; a second one of the same id is a warning that names both places."""
        entry = payload | {"docname": docname, "cell": cell}
        other = self.data[kind].setdefault(payload["id"], entry)
        if other is not entry:
            logger.warning(
                "the id %r is used twice, in %s: an id is unique in the book; rename one of the two",
                payload["id"],
                " and ".join(sorted(f"{place['docname']} (cell {place['cell']})" for place in (other, entry))),
                location=docname,
                type="paper",
                subtype="duplicate",
            )

    def note_code(self, docname: str, id: str) -> None:
        """The page shows the code that made a figure or table."""
        if self.figures.get(id, {}).get("docname") == docname:
            self.figures[id]["code_shown"] = True

    def pages(self) -> list[str]:
        """The pages of the book in the order of its table of contents."""
        return list(self.env.collect_relations())

    def in_reading_order(self, kind: str) -> list[dict]:
        """All entries, pages in the order of the table of contents, then by cell."""
        order = {docname: position for position, docname in enumerate(self.pages())}
        last = len(order)
        entries = self.data[kind].values()
        return sorted(entries, key=lambda e: (order.get(e["docname"], last), e["docname"], e["cell"], e["id"]))

    def by_chapter(self, kind: str) -> dict[str, list[dict]]:
        """All entries in reading order, by page."""
        chapters: dict[str, list[dict]] = {}
        for entry in self.in_reading_order(kind):
            chapters.setdefault(entry["docname"], []).append(entry)
        return chapters

    def claim_numbers(self) -> dict[str, int]:
        """The number of each claim, by id: claims are counted through the book in reading order."""
        return {claim["id"]: number for number, claim in enumerate(self.in_reading_order("claims"), start=1)}

    def number(self, figure: dict) -> str:
        """The number of a figure or table as its page shows it; empty where it has none."""
        numbers = self.env.toc_fignumbers.get(figure["docname"], {}).get(figure["kind"], {})
        return ".".join(map(str, numbers.get(figure["id"], ())))

    def said(self, entry: dict, part: str) -> nodes.Element:
        """A ``caption``, ``statement`` or ``note`` in its page's tree, whose references are not resolved yet."""
        return _said(self.env, entry["docname"])[entry["id"], part]

    def in_words(self, entry: dict, part: str) -> str:
        """The same as it reads on the page: numbers in the place of their roles, formulas between dollars."""
        return _in_words(self.env, entry["docname"])[entry["id"], part]

    def get_type_name(self, type: ObjType, primary: bool = False) -> str:
        return type.lname

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        """What the search finds, by all words of a caption or statement, and what an inventory for other books lists.

        A name is ``chapter.id``: Sphinx's search takes a name that is an anchor for a sign that the displayed words
        are the anchor. Priority 1 puts figures and claims behind chapters that have the words in their title, and
        before pages that mention them.
        """
        for figure in self.figures.values():
            heading = f"{figure['kind'].title()} {self.number(figure)}"
            yield self._object(figure, figure["kind"], heading, self.in_words(figure, "caption"))
        numbers = self.claim_numbers()
        for claim in self.claims.values():
            heading = f"Claim {numbers[claim['id']]}, {claim['verdict']}"
            yield self._object(claim, "claim", heading, self.in_words(claim, "statement"))

    def _object(self, entry: dict, kind: str, heading: str, words: str) -> tuple[str, str, str, str, str, int]:
        page, id = entry["docname"], entry["id"]
        return f"{page.rpartition('/')[2]}.{id}", f"{heading}: {_readable(words)}", kind, page, id, 1

    def clear_doc(self, docname: str) -> None:
        self.data["places"].pop(docname, None)
        for kind in ENTRIES:
            self.data[kind] = {id: entry for id, entry in self.data[kind].items() if entry["docname"] != docname}

    def merge_domaindata(self, docnames: list[str], otherdata: dict) -> None:
        self.data["places"] |= {name: otherdata["places"][name] for name in docnames if name in otherdata["places"]}
        for kind in ENTRIES:
            for entry in otherdata[kind].values():
                if entry["docname"] in docnames:
                    self.note(kind, entry["docname"], entry["cell"], entry)


@cache  # asked for many times, and first when all pages have been read
def tree(env: BuildEnvironment, docname: str) -> nodes.document:
    """A page as it was read: to look at, and not to change."""
    return env.get_doctree(docname)


@cache
def _said(env: BuildEnvironment, docname: str) -> dict[tuple[str, str], nodes.Element]:
    """What a page says of what it shows, by id and part."""
    return {node["says"]: node for node in _saying(env, docname)}


def _saying(env: BuildEnvironment, docname: str) -> Iterator[nodes.Element]:
    """The nodes that glue's directives mark; a note of several paragraphs is several of them."""
    return (node for node in tree(env, docname).findall(nodes.Element) if "says" in node)


@cache
def _in_words(env: BuildEnvironment, docname: str) -> dict[tuple[str, str], str]:
    small = new_document(docname, tree(env, docname).settings)
    for text in _saying(env, docname):
        small += nodes.paragraph("", "", *(child.deepcopy() for child in text.children), says=text["says"])
    env.apply_post_transforms(small, docname)
    words: dict[tuple[str, str], list[str]] = {}
    for paragraph in small.findall(nodes.paragraph):
        words.setdefault(paragraph["says"], []).append(_words(paragraph))
    return {key: "\n\n".join(paragraphs) for key, paragraphs in words.items()}


def _words(node: nodes.Node) -> str:
    if isinstance(node, nodes.math):
        return f"${node.astext().strip()}$"
    return "".join(map(_words, node.children)) if node.children else node.astext()


def _readable(words: str) -> str:
    """Words with their formulas as one types them into a search field: names of symbols, without TeX's marks.

    Sentences are joined by semicolons, and a decimal point is another character of the same looks: of what has full
    stops, Sphinx's search prefers what comes after the last.
    """
    plain = " ".join(re.sub(r"\\[,;!]|[\\{}]", " ", words.replace("$", "")).split())
    return plain.replace(". ", "; ").removesuffix(".").replace(".", "\u2024")


def name_by_number(app: Sphinx, env: BuildEnvironment) -> None:
    """Let references to a claim, or to a panel of a figure, say its number, which is known when all has been read."""
    catalogue = env.get_domain("paper")
    labels = env.get_domain("std").labels
    for id, number in catalogue.claim_numbers().items():
        labels[id] = (catalogue.claims[id]["docname"], id, f"Claim {number}")
    for id, figure in catalogue.figures.items():
        for letter in figure.get("panels", ()):
            panel = f"{id}-{letter}"
            labels[panel] = (figure["docname"], panel, f"Figure {catalogue.number(figure)}{letter}")


def chapter_section(app: Sphinx, docname: str, kind: str, *content: nodes.Node) -> nodes.section:
    """A section of a list that is ordered by chapter: the chapter's title behind its number, and its entries."""
    numbers = app.env.toc_secnumbers.get(docname, {}).get("")
    prefix = f"{'.'.join(map(str, numbers))}. " if numbers else ""
    title = nodes.title("", f"{prefix}{app.env.titles[docname].astext()}")
    return nodes.section("", title, *content, ids=[f"{kind}-of-{docname.rpartition('/')[2]}"], names=[])


def setup(app: Sphinx) -> None:
    """Register the domain."""
    app.add_domain(Catalogue)
    app.connect("env-check-consistency", name_by_number)
