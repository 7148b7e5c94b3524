"""Places in a page that are filled when every page has been read, each by the function that its kind names."""

from collections.abc import Callable, Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective


class Later(nodes.General, nodes.Inline, nodes.Element):
    """Stands where something of its ``kind`` goes; other attributes say which one."""


Fill = Callable[[Sphinx, Later], Sequence[nodes.Node]]
_FILLS: dict[str, Fill] = {}
_DIRECTIVES: list[str] = []


def fills(kind: str, directive: bool = False) -> Callable[[Fill], Fill]:
    """Let a function say what stands in the places of a kind; with ``directive``, pages ask for it by that name."""

    def register(fill: Fill) -> Fill:
        _FILLS[kind] = fill
        if directive:
            _DIRECTIVES.append(kind)
        return fill

    return register


class Placed(SphinxDirective):
    """A directive whose place is filled later; an argument is the id of what it shows."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        place = Later(kind=self.name, shown_id=(self.arguments or [None])[0])
        self.set_source_info(place)
        self.env.get_domain("paper").note_place(self.name, self.env.docname)
        return [place]


class FillPlaces(SphinxPostTransform):
    """Fill all places of a page, those too that come with what fills one."""

    # before MyST-NB chooses among outputs and before references are resolved, so that copies are resolved here
    default_priority = 3

    def run(self, **kwargs) -> None:
        waiting = list(self.document.findall(Later))
        while waiting:
            place = waiting.pop(0)
            content = list(_FILLS[place["kind"]](self.app, place))
            place.replace_self(content)
            waiting[:0] = [inner for node in content for inner in node.findall(Later)]
            # Sphinx noted while reading whether a page needs MathJax; formulas that arrive now count too
            if any(next(node.findall(nodes.math), None) for node in content):
                self.env.get_domain("math").data["has_equations"][self.env.docname] = True


def setup(app: Sphinx) -> None:
    """Register the places."""
    app.add_node(Later)
    app.add_post_transform(FillPlaces)
    for kind in _DIRECTIVES:
        app.add_directive(kind, Placed)
