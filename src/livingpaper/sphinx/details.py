"""The panels that open in the line of links below a figure or table."""

from collections.abc import Iterable
from html import escape

from docutils import nodes
from sphinx.application import Sphinx


class Details(nodes.General, nodes.Element):
    """A panel of some ``kind``, about ``what``, with ``html`` in it; unlike raw HTML it is not in the search index."""


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names and what is said of them, in HTML."""
    lines = (f'<tr><th scope="row">{name}</th><td>{said}</td></tr>' for name, said in pairs)
    return f"<table><tbody>{''.join(lines)}</tbody></table>"


def visit_details(translator, node: Details) -> None:
    """It opens without JavaScript."""
    # who hears it hears what it is about; who sees it sees the figure above
    of = f'<span class="visually-hidden"> {escape(node["what"])}</span>'
    summary = node["summary"] + (of if node["what"] else "")
    at = f' id="{node["anchor"]}"' if "anchor" in node else ""  # inside: a link to it opens the panel
    translator.body.append(
        f'<details class="panel {node["kind"]}"><summary>{summary}</summary><div{at}>{node["html"]}</div></details>'
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the node and its looks."""
    app.add_css_file("css/details.css", priority=800)
    app.add_node(Details, html=(visit_details, None))
