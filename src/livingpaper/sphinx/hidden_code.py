"""Hidden code: neighbouring cells are behind one bar, which says whose code it is. A page has dozens of such cells."""

from collections.abc import Iterator
from itertools import groupby

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

WHOSE = "code_of"  #: on a cell: what its code makes, in words


class OneBar(SphinxPostTransform):
    """Join hidden cells between which nothing is to be seen, and say on the bar what they make.

    A cell that makes nothing a reader sees prepares what comes next; the last ones hand over numbers only.
    """

    default_priority = 198  # before MyST-NB hides them
    formats = ("html",)

    def run(self, **kwargs) -> None:
        cells: list[nodes.container] = []
        for cell in list(self.document.findall(_is_hidden)):
            cell[WHOSE] = list(self._makes(cell))
            if cells and _before(cell) is cells[-1] and len(cells[-1]) == 1:
                _join(cells[-1], cell)
            else:
                cells.append(cell)
        next_one = ""
        for cell in reversed(cells):
            if makes := cell[WHOSE]:
                next_one, whose = makes[0], f"the code of {', '.join(makes)}"
            else:
                whose = f"the code that prepares {next_one}" if next_one else "the code of numbers in the text"
            cell["prompt_show"], cell["prompt_hide"] = f"Show {whose}", f"Hide {whose}"

    def _makes(self, cell: nodes.container) -> Iterator[str]:
        if "parameters" in cell["cell_metadata"].get("tags", ()):
            yield "the parameters"
        catalogue = self.env.get_domain("paper")
        ids = [id.removesuffix("-code") for id in cell[0]["ids"]]
        for figure in filter(None, map(catalogue.figures.get, ids)):
            yield self.config.numfig_format[figure["kind"]] % catalogue.number(figure)
        numbers = catalogue.claim_numbers()
        yield from _spans(sorted(numbers[id] for id in ids if id in numbers))


def _is_hidden(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.container)
        and node.get("hide_mode") == "input"
        and node.children
        and node[0].get("nb_element") == "cell_code_source"
    )


def _before(node: nodes.Element) -> nodes.Node | None:
    """What stands before a node, a comment aside."""
    siblings = [one for one in node.parent.children[: node.parent.index(node)] if not isinstance(one, nodes.comment)]
    return siblings[-1] if siblings else None


def _join(first: nodes.container, second: nodes.container) -> None:
    source, *outputs = second.children
    first[0].extend(source.children)
    first[0]["ids"] += source["ids"]
    first.extend(outputs)
    first[WHOSE] += second[WHOSE]
    second.parent.remove(second)


def _spans(numbers: list[int]) -> Iterator[str]:
    """Claims by their numbers, those that follow one another in one breath."""
    for _, run in groupby(enumerate(numbers), lambda place: place[1] - place[0]):
        first, *more = [number for _, number in run]
        if not more:
            yield f"Claim {first}"
        else:
            yield f"Claims {first} {'to' if len(more) > 1 else 'and'} {more[-1]}"


def visit(translator, node: HideCodeCellNode) -> None:
    """MyST-NB's bar, which would have the same name for every cell to who hears it."""
    start = len(translator.body)
    visit_HideCellInput(translator, node)
    written = translator.body[start:]
    translator.body[start:] = [part.replace(' aria-label="Toggle hidden content"', "") for part in written]


def setup(app: Sphinx) -> None:
    """Register the bars."""
    app.add_post_transform(OneBar)
    app.add_node(HideCodeCellNode, override=True, html=(visit, depart_HideCellInput))
