"""What the whole book contains: every figure, table and claim, and the page it is on."""

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains import Domain, ObjType
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)


class Catalogue(Domain):
    """The figures, tables and claims found while reading, by id, each with the page it was found on.

    A Sphinx domain is where Sphinx keeps such things: it forgets a page that is read again and merges what
    parallel readers found.
    """

    name = "paper"
    label = "figures and claims"
    data_version = 2
    initial_data: ClassVar = {"figures": {}, "claims": {}, "openings": {}}
    object_types: ClassVar = {kind: ObjType(kind) for kind in ("figure", "table", "claim")}

    @property
    def figures(self) -> dict[str, dict]:
        """Figure and table payloads by id; ``docname`` is the page, ``cell`` the cell's number there."""
        return self.data["figures"]

    @property
    def claims(self) -> dict[str, dict]:
        """Claim payloads by id, likewise."""
        return self.data["claims"]

    @property
    def openings(self) -> dict[str, dict]:
        """What chapters need, by page."""
        return self.data["openings"]

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

    def pages(self) -> list[str]:
        """The pages of the book in the order of its table of contents."""
        return list(_toctree_order(self.env))

    def in_reading_order(self, kind: str) -> list[dict]:
        """All entries, pages in the order of the table of contents, then by cell."""
        order = {docname: position for position, docname in enumerate(self.pages())}
        last = len(order)
        entries = self.data[kind].values()
        return sorted(entries, key=lambda e: (order.get(e["docname"], last), e["docname"], e["cell"], e["id"]))

    def claim_numbers(self) -> dict[str, int]:
        """The number of each claim, by id: claims are counted through the book in reading order."""
        return {claim["id"]: number for number, claim in enumerate(self.in_reading_order("claims"), start=1)}

    def number(self, figure: dict) -> str:
        """The number of a figure or table as its page shows it; empty before numbers are assigned."""
        numbers = self.env.toc_fignumbers.get(figure["docname"], {}).get(figure["kind"], {})
        return ".".join(map(str, numbers.get(figure["id"], ())))

    def get_type_name(self, type: ObjType, primary: bool = False) -> str:
        return type.lname

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        """What the search finds, by all words of a caption or statement, and what an inventory for other books lists.

        A name is ``chapter.id``: Sphinx's search takes a name that is an anchor for a sign that the displayed words
        are the anchor. Priority 0 puts figures and claims before whole pages.
        """
        for figure in self.figures.values():
            heading = f"{figure['kind'].title()} {self.number(figure)}"
            yield self._object(figure, figure["kind"], f"{heading}: {figure['words']}")
        numbers = self.claim_numbers()
        for claim in self.claims.values():
            yield self._object(claim, "claim", f"Claim {numbers[claim['id']]}, {claim['verdict']}: {claim['words']}")

    def _object(self, entry: dict, kind: str, words: str) -> tuple[str, str, str, str, str, int]:
        page, id = entry["docname"], entry["id"]
        return f"{page.rpartition('/')[2]}.{id}", _readable(words), kind, page, id, 0

    def clear_doc(self, docname: str) -> None:
        for kind in self.initial_data:
            self.data[kind] = {id: entry for id, entry in self.data[kind].items() if entry["docname"] != docname}

    def merge_domaindata(self, docnames: list[str], otherdata: dict) -> None:
        for kind in self.initial_data:
            for key, entry in otherdata[kind].items():
                if entry["docname"] not in docnames:
                    continue
                if kind == "openings":
                    self.openings[key] = entry
                else:
                    self.note(kind, entry["docname"], entry["cell"], entry)


class NoteWords(SphinxPostTransform):
    """Note captions and statements as they read on the page, for those who list or search them."""

    # after all references have become words
    default_priority = 900

    def run(self, **kwargs) -> None:
        catalogue = self.env.get_domain("paper")
        for node in self.document.findall(nodes.Element):
            if "published_id" in node:
                caption = next(child for child in node.children if isinstance(child, nodes.caption | nodes.title))
                catalogue.figures[node["published_id"]]["words"] = caption.astext()
            elif "claim-statement" in node.get("classes", ()):
                catalogue.claims[node.parent["ids"][0]]["words"] = node.astext()


def name_claims(app: Sphinx, env: BuildEnvironment) -> None:
    """Let references to a claim say its number, which is known when every page has been read."""
    catalogue = env.get_domain("paper")
    labels = env.get_domain("std").labels
    for id, number in catalogue.claim_numbers().items():
        labels[id] = (catalogue.claims[id]["docname"], id, f"Claim {number}")


def _readable(words: str) -> str:
    """Words with their formulas as one types them into a search field: names of symbols, without TeX's marks.

    Sentences are joined by semicolons: of what has full stops, Sphinx's search prefers what comes after the last.
    """
    plain = " ".join(re.sub(r"\\[,;!]|[\\{}$]", " ", words).split())
    return plain.replace(". ", "; ").removesuffix(".")


def chapter_title(env: BuildEnvironment, docname: str) -> str:
    """The title of a page behind its number, if it has one."""
    numbers = env.toc_secnumbers.get(docname, {}).get("")
    prefix = f"{'.'.join(map(str, numbers))}. " if numbers else ""
    return f"{prefix}{env.titles[docname].astext()}"


def _toctree_order(env) -> Iterable[str]:
    seen = set()

    def walk(docname: str) -> Iterable[str]:
        if docname not in seen:
            seen.add(docname)
            yield docname
            for child in env.toctree_includes.get(docname, ()):
                yield from walk(child)

    return walk(env.config.root_doc)


def setup(app: Sphinx) -> None:
    """Register the domain."""
    app.add_domain(Catalogue)
    app.add_post_transform(NoteWords)
    app.connect("env-check-consistency", name_claims)
