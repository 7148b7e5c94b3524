"""The panel below every figure and table that says how to cite it, and below what the whole book is cited by."""

from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from livingpaper.files import sha256
from livingpaper.publish import citation
from livingpaper.say.figures import contents
from livingpaper.sphinx.captions import captions

LABELS = {"bibtex": "BibTeX", "apa": "APA", "csl-json": "CSL-JSON"}


class CitePanel(nodes.General, nodes.Element):
    """How to cite the figure ``figure_id``, or the book if that is None; the texts do not go into the search index."""


class CiteBook(SphinxDirective):
    """How to cite the book."""

    def run(self) -> list[nodes.Node]:
        return [nodes.container("", CitePanel(figure_id=None), classes=["cite-book"])]


class FillPanels(SphinxPostTransform):
    """Write the citations into the panels; a book without CITATION.cff has none."""

    default_priority = 5

    def run(self, **kwargs) -> None:
        panels = list(self.document.findall(CitePanel))
        if not panels:
            return
        figures = self.env.get_domain("paper").figures
        words = captions(self.app, self.env.docname)
        here = self.app.builder.get_target_uri(self.env.docname)
        for panel in panels:
            id = panel["figure_id"]
            figure = None if id is None else summary(self.app, figures[id], words[id])
            texts = cite(self.app, figure)
            if not texts or self.app.builder.format != "html":
                panel.parent.remove(panel)
                continue
            panel["what"] = figure and f"{citation.KINDS[figure['kind']]} {figure['number'] or id}"
            stem = f"figures/{id}" if id else citation.BOOK
            panel["formats"] = [
                (LABELS[name], relative_uri(here, f"{stem}.{citation.FORMATS[name]}"), text)
                for name, text in texts.items()
            ]


def visit_panel(translator, node: CitePanel) -> None:
    """The panel in HTML: it opens without JavaScript; the copy buttons are sphinx-copybutton's."""
    shown = "".join(
        f'<p class="cite-format"><a href="{escape(address)}">{label}</a></p>'
        f'<div class="highlight notranslate"><pre>{escape(text)}</pre></div>'
        for label, address, text in node["formats"]
    )
    # who hears it hears what is cited; who sees it sees the figure above
    of = f'<span class="visually-hidden"> {escape(node["what"])}</span>' if node["what"] else " the whole book"
    translator.body.append(f'<details class="cite"><summary>cite{of}</summary><div>{shown}</div></details>')
    raise nodes.SkipNode


def cite(app: Sphinx, figure: dict | None) -> dict[str, str]:
    """The citations of a figure or table, or of the book, by format; none if there is no CITATION.cff."""
    if not can_cite(app):
        return {}
    sources = app.env.paper_sources
    book = citation.read(_source(app))
    return citation.cite(book, sources.repository, sources.variant, app.config.html_baseurl, figure)


def can_cite(app: Sphinx) -> bool:
    """Whether the book says how to cite it."""
    return _source(app).is_file()


def summary(app: Sphinx, entry: dict, caption: str) -> dict:
    """What ``figures/index.json`` says of a figure or table."""
    id = entry["id"]
    files = {f"{id}.{suffix}": sha256(content) for suffix, content in contents(entry).items()}
    numbers = app.env.toc_fignumbers.get(entry["docname"], {}).get(entry["kind"], {})
    return {
        "id": id,
        "kind": entry["kind"],
        "number": ".".join(map(str, numbers[id])) if id in numbers else None,
        "caption": caption,
        "alt": entry["alt"],
        "page": page(app, entry),
        "files": files,
        "digest": citation.digest(files),
    }


def page(app: Sphinx, entry: dict) -> str:
    """The address of a figure, table or claim in the site."""
    return f"{app.builder.get_target_uri(entry['docname']).partition('#')[0]}#{entry['id']}"


def _source(app: Sphinx) -> Path:
    return Path(app.srcdir, "CITATION.cff")


def setup(app: Sphinx) -> None:
    """Register the panels."""
    app.add_css_file("css/cite.css", priority=800)
    app.add_node(CitePanel, html=(visit_panel, None))
    app.add_directive("cite-book", CiteBook)
    app.add_post_transform(FillPanels)
