"""Docutils tables in one call."""

from collections.abc import Sequence

from docutils import nodes

Cell = Sequence[nodes.Node]


def table(
    header: Sequence[Cell], rows: Sequence[Sequence[Cell]], numeric: Sequence[bool] = (), title: Cell | None = None
) -> nodes.table:
    """A table whose cells are inline nodes; a row with one cell spans all columns and heads a group."""
    grid = nodes.table(classes=["book-grid"])
    if title is not None:
        grid += nodes.title("", "", *title)
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in header), cols=len(header))
    group += nodes.thead("", _row(header, len(header), numeric))
    group += nodes.tbody("", *(_row(row, len(header), numeric) for row in rows))
    grid += group
    return grid


def text(content: str) -> Cell:
    """A cell with plain text."""
    return [nodes.Text(content)]


def _row(cells: Sequence[Cell], columns: int, numeric: Sequence[bool]) -> nodes.row:
    if len(cells) == 1 < columns:
        return nodes.row("", _entry(cells[0], ["group"], morecols=columns - 1), classes=["group"])
    right = list(numeric) or [False] * columns
    return nodes.row(
        "", *(_entry(cell, ["number"] if number else []) for cell, number in zip(cells, right, strict=True))
    )


def _entry(cell: Cell, classes: list[str], **spans: int) -> nodes.entry:
    return nodes.entry("", nodes.paragraph("", "", *cell), classes=classes, **spans)
