"""What the whole book contains: every figure, table and claim, and the page it is on."""

from collections.abc import Iterable
from typing import ClassVar

from sphinx.domains import Domain
from sphinx.util import logging

logger = logging.getLogger(__name__)


class Catalogue(Domain):
    """The figures, tables and claims found while reading, by id, each with the page it was found on.

    A Sphinx domain is where Sphinx keeps such things: it forgets a page that is read again and merges what
    parallel readers found.
    """

    name = "benign"
    label = "figures and claims"
    data_version = 1
    initial_data: ClassVar = {"figures": {}, "claims": {}}

    @property
    def figures(self) -> dict[str, dict]:
        """Figure and table payloads by id; ``docname`` is the page, ``cell`` the cell's number there."""
        return self.data["figures"]

    @property
    def claims(self) -> dict[str, dict]:
        """Claim payloads by id, likewise."""
        return self.data["claims"]

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
                type="benign",
                subtype="duplicate",
            )

    def in_reading_order(self, kind: str) -> list[dict]:
        """All entries, pages in the order of the table of contents, then by cell."""
        order = {docname: position for position, docname in enumerate(_toctree_order(self.env))}
        last = len(order)
        entries = self.data[kind].values()
        return sorted(entries, key=lambda e: (order.get(e["docname"], last), e["docname"], e["cell"], e["id"]))

    def clear_doc(self, docname: str) -> None:
        for kind in self.initial_data:
            self.data[kind] = {id: entry for id, entry in self.data[kind].items() if entry["docname"] != docname}

    def merge_domaindata(self, docnames: list[str], otherdata: dict) -> None:
        for kind in self.initial_data:
            for entry in otherdata[kind].values():
                if entry["docname"] in docnames:
                    self.note(kind, entry["docname"], entry["cell"], entry)


def _toctree_order(env) -> Iterable[str]:
    seen = set()

    def walk(docname: str) -> Iterable[str]:
        if docname not in seen:
            seen.add(docname)
            yield docname
            for child in env.toctree_includes.get(docname, ()):
                yield from walk(child)

    return walk(env.config.root_doc)
