"""The page that shows every figure and table of the book, by chapter."""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx.util.osutil import relative_uri

from livingpaper.publish.citation import FORMATS
from livingpaper.sphinx.captions import as_read
from livingpaper.sphinx.catalogue import chapter_title
from livingpaper.sphinx.cite import LABELS, can_cite


class IndexPlace(nodes.General, nodes.Element):
    """Stands where the index of figures goes."""


class FigureIndex(SphinxDirective):
    """All figures and tables of the book, by chapter: thumbnail, caption, data, code, citation."""

    def run(self) -> list[nodes.Node]:
        return [IndexPlace()]


class GatherFigures(SphinxPostTransform):
    """Put the index in its place."""

    # before references are resolved, so that those in captions are resolved for this page
    default_priority = 3

    def run(self, **kwargs) -> None:
        for place in list(self.document.findall(IndexPlace)):
            chapters: dict[str, list[dict]] = {}
            for entry in self.env.get_domain("paper").in_reading_order("figures"):
                chapters.setdefault(entry["docname"], []).append(entry)
            sections = [self._chapter(docname, entries) for docname, entries in chapters.items()]
            place.replace_self([self._contents(sections), *sections])
            if any(next(section.findall(nodes.math), None) for section in sections):
                self.env.get_domain("math").data["has_equations"][self.env.docname] = True

    def _contents(self, sections: list[nodes.section]) -> nodes.Node:
        if not sections:
            return nodes.paragraph("", "The book has no figures yet.")
        links = [
            nodes.reference("", section[0].astext(), internal=True, refid=section["ids"][0]) for section in sections
        ]
        items = [nodes.list_item("", nodes.paragraph("", "", link)) for link in links]
        return nodes.bullet_list("", *items)

    def _chapter(self, docname: str, entries: list[dict]) -> nodes.section:
        stem = docname.rpartition("/")[2]
        title = nodes.title("", chapter_title(self.env, docname))
        page = self.env.get_doctree(docname)
        captions = as_read(page)
        anchors = {id for node in page.findall(nodes.Element) for id in node["ids"]}
        shown = [self._entry(entry, captions[entry["id"]], anchors) for entry in entries]
        return nodes.section("", title, *shown, ids=[f"figures-of-{stem}"], names=[])

    def _entry(self, entry: dict, caption: nodes.Element, anchors: set[str]) -> nodes.container:
        id, docname = entry["id"], entry["docname"]
        number = addnodes.pending_xref(
            "", nodes.inline("", id), refdomain="std", reftype="numref", reftarget=id, refdoc=self.env.docname,
            refexplicit=False, refwarn=True,
        )  # fmt: skip
        words = [child.deepcopy() for child in caption.children]
        for word in words:
            for reference in word.findall(addnodes.pending_xref):
                reference["refdoc"] = self.env.docname
        text = nodes.container("", nodes.paragraph("", "", nodes.strong("", "", number), nodes.Text(" "), *words))
        box = nodes.container("", classes=["index-entry", f"index-{entry['kind']}"])
        if self.app.builder.format == "html":
            if entry["kind"] == "figure":
                uri = self._uri(f"figures/{id}.png")
                picture = nodes.image(
                    uri=uri,
                    alt=entry["alt"],
                    candidates={"?": uri},
                    loading="lazy",
                    classes=["published", "dark-light"],
                )
                box += self._link(docname, id, picture)
            text += self._links(entry, anchors)
        box += text
        return box

    def _links(self, entry: dict, anchors: set[str]) -> nodes.paragraph:
        id = entry["id"]
        suffixes = {"CSV": "csv"} | {suffix.upper(): suffix for suffix in ("svg", "pdf") if suffix in entry["files"]}
        line = [nodes.Text("data and files: ")]
        line += self._files(id, suffixes)
        shown = f"{id}-code" in anchors  # a cell whose source is hidden for good has no code to go to
        notebook = nodes.reference("", "code", refuri=self._uri(f"_sources/{entry['docname']}.ipynb"))
        line += [nodes.Text(" · ")]
        line += [self._link(entry["docname"], f"{id}-code", nodes.Text("code")) if shown else notebook]
        if can_cite(self.app):
            line.append(nodes.Text(" · cite: "))
            line += self._files(id, {LABELS[name]: suffix for name, suffix in FORMATS.items()})
        line += [nodes.Text(" · "), *self._files(id, {"how it was made": "json"})]
        return nodes.paragraph("", "", *line, classes=["index-links"])

    def _files(self, id: str, suffixes: dict[str, str]) -> list[nodes.Node]:
        found = []
        for label, suffix in suffixes.items():
            found += [nodes.Text(", ")] if found else []
            found.append(nodes.reference("", label, refuri=self._uri(f"figures/{id}.{suffix}")))
        return found

    def _link(self, docname: str, anchor: str, shown: nodes.Node) -> nodes.reference:
        return make_refnode(self.app.builder, self.env.docname, docname, anchor, shown)

    def _uri(self, path: str) -> str:
        return relative_uri(self.app.builder.get_target_uri(self.env.docname), path)


def setup(app: Sphinx) -> None:
    """Register the index."""
    app.add_css_file("css/figure-index.css", priority=800)
    app.add_node(IndexPlace)
    app.add_directive("figure-index", FigureIndex)
    app.add_post_transform(GatherFigures)
