"""What leads from one page to another, made where all pages are known."""

from collections.abc import Iterable, Sequence

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode
from sphinx.util.osutil import relative_uri


def reference(env: BuildEnvironment, role: str, target: str) -> addnodes.pending_xref:
    """What a role with that target makes, e.g. ``std:numref``, on the page that is read or resolved."""
    domain, kind = role.split(":")
    return addnodes.pending_xref(
        "", nodes.inline("", target), refdomain=domain, reftype=kind, reftarget=target, refdoc=env.docname,
        refexplicit=False, refwarn=True,
    )  # fmt: skip


def copied(env: BuildEnvironment, content: Iterable[nodes.Node]) -> list[nodes.Node]:
    """A copy of what another page says: its references are resolved for this page, and nothing leads to them."""
    copies = [node.deepcopy() for node in content]
    for node in copies:
        for pending in node.findall(addnodes.pending_xref):
            pending["refdoc"], pending["ids"] = env.docname, []
    return copies


def link(app: Sphinx, docname: str, anchor: str, shown: nodes.Node | str) -> nodes.reference:
    """A link to a place of a page."""
    shown = nodes.Text(shown) if isinstance(shown, str) else shown
    return make_refnode(app.builder, app.env.docname, docname, anchor, shown)


def address(app: Sphinx, path: str) -> str:
    """A file of the site, or a page of it with an anchor, as this page addresses it."""
    page, mark, anchor = path.partition("#")
    return relative_uri(app.builder.get_target_uri(app.env.docname), page) + mark + anchor


def joined(parts: Iterable[Sequence[nodes.Node]], separator: str = ", ") -> list[nodes.Node]:
    """Parts of a sentence in a row, with a separator between them."""
    row: list[nodes.Node] = []
    for part in parts:
        row += [*([nodes.Text(separator)] if row else []), *part]
    return row
