"""Docutils tables in one call."""

from collections.abc import Sequence

from docutils import nodes

Cell = str | Sequence[nodes.Node]  #: plain text, or inline nodes, and what stands below them


class Row(list):
    """The cells of a row that has classes of its own."""

    def __init__(self, cells: Sequence[Cell], classes: Sequence[str] = ()):
        super().__init__(cells)
        self.classes = list(classes)


def table(header: Sequence[Cell], rows: Sequence[Sequence[Cell]], numeric: Sequence[bool] = ()) -> nodes.table:
    """A table; a row with one cell spans all columns and heads a group."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in header), cols=len(header))
    group += nodes.thead("", _row(header, len(header), numeric))
    group += nodes.tbody("", *(_row(row, len(header), numeric) for row in rows))
    return nodes.table("", group, classes=["book-grid"])


def boxed(name: str, *table_of, **options) -> nodes.container:
    """A table in a box of that class."""
    return nodes.container("", table(*table_of, **options), classes=[name])


def _row(cells: Sequence[Cell], columns: int, numeric: Sequence[bool]) -> nodes.row:
    if len(cells) == 1 < columns:
        return nodes.row("", _entry(cells[0], ["group"], morecols=columns - 1), classes=["group"])
    right = list(numeric) or [False] * columns
    entries = [_entry(cell, ["number"] if number else []) for cell, number in zip(cells, right, strict=True)]
    return nodes.row("", *entries, classes=getattr(cells, "classes", []))


def _entry(cell: Cell, classes: list[str], **spans: int) -> nodes.entry:
    shown = [nodes.Text(cell)] if isinstance(cell, str) else cell
    blocks = [node for node in shown if not isinstance(node, nodes.Inline | nodes.Text)]
    words = nodes.paragraph("", "", *(node for node in shown if node not in blocks))
    return nodes.entry("", words, *blocks, classes=classes, **spans)
