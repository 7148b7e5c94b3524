"""The ways to a figure, by its number; its picture; and below it the ways to its data, its code and its files."""

import json
from collections.abc import Mapping, Sequence
from html import escape

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from livingpaper.sphinx import sources
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.references import address, joined, link

IMAGES = {"figure": ("svg", "pdf", "png"), "table": ()}
DETAILS = ("columns", "made", "cite-figure")  # what opens below a figure
NARROW = "screen and (max-width: 599.98px)"  # where a page shows the narrow version; paper has the wide one


class ResolveNumbers(SphinxPostTransform):
    """Resolve references to figures and tables: Sphinx reads the whole page of each again, to learn what it is."""

    default_priority = 9  # before all other references
    formats = ("html",)

    def run(self, **kwargs) -> None:
        catalogue, std = self.env.get_domain("paper"), self.env.get_domain("std")
        for pending in list(self.document.findall(addnodes.pending_xref)):
            figure = catalogue.figures.get(pending.get("reftarget"))
            if not figure or pending["reftype"] != "numref" or pending["refexplicit"]:
                continue
            form, number = self.config.numfig_format[figure["kind"]], catalogue.number(figure)
            if number and "%s" in form:
                words = form % number
                place = (pending["refdoc"], self.app.builder, figure["docname"], figure["id"])
                pending.replace_self(
                    std.build_reference_node(*place, words, "numref", nodeclass=addnodes.number_reference)
                )


@fills("picture")
def picture(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The image of a figure, at the address that stays."""
    figure = app.env.get_domain("paper").figures[place["shown_id"]]
    if app.builder.format == "latex":
        return [published(app, figure, "pdf")]
    narrow = escape(address(app, f"figures/{figure['id']}.narrow.svg"))
    before = f'<picture><source media="{NARROW}" srcset="{narrow}">'
    image = [nodes.raw("", before, format="html"), published(app, figure, "svg")]
    return [*image, nodes.raw("", "</picture>", format="html"), *_player(figure)]


def _player(figure: dict) -> list[nodes.Node]:
    """The names of a moving picture's frames, for the script that moves it; the picture itself is the last of them."""
    if not figure.get("frames"):
        return []
    names = escape(json.dumps(figure["frames"], ensure_ascii=False))
    return [nodes.raw("", f'<div class="player" data-frames="{names}" hidden></div>', format="html")]


@fills("figure-links")
def figure_links(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The line under a figure: its data, files and code; what its columns mean, how it was made, how to cite it."""
    if app.builder.format != "html":
        return []
    id = place["shown_id"]
    figure = app.env.get_domain("paper").figures[id]
    target, words = sources.link(app, id, figure["docname"])
    uri = target if "://" in target else address(app, target)
    source = nodes.reference("", "source", refuri=uri, reftitle=f"Source of {id}: {words}")
    images = {suffix.upper(): suffix for suffix in IMAGES[figure["kind"]]}
    parts = [
        [nodes.Text("data ("), *files(app, id, {"CSV": "csv"}, "Data"), nodes.Text(")")],
        *([[nodes.Text("image ("), *files(app, id, images, "{} image"), nodes.Text(")")]] if images else []),
        [code(app, figure, reftitle=f"Code of {id}"), nodes.Text(" ("), source, nodes.Text(")")],
    ]
    line = nodes.inline("", "", *joined(parts, " · "))
    return [nodes.container("", line, *(Later(kind=kind, shown_id=id) for kind in DETAILS), classes=["figure-links"])]


def files(app: Sphinx, id: str, suffixes: Mapping[str, str], title: str = "") -> list[nodes.Node]:
    """Links to published files of a figure, by the label that each has."""
    links = []
    for label, suffix in suffixes.items():
        titled = {"reftitle": f"{title.format(label)} of {id}"} if title else {}
        links.append([nodes.reference("", label, refuri=address(app, f"figures/{id}.{suffix}"), **titled)])
    return joined(links)


def code(app: Sphinx, figure: dict, **attributes: str) -> nodes.reference:
    """A link to the cell that made a figure, or to the notebook if its page does not show that cell."""
    page = figure["docname"]
    if figure.get("code_shown"):
        found = link(app, page, f"{figure['id']}-code", "code")
    else:
        found = nodes.reference("", "code", refuri=address(app, f"_sources/{page}.ipynb"))
    found.attributes.update(attributes)
    return found


def published(app: Sphinx, figure: dict, suffix: str, **options: str) -> nodes.image:
    """An image that the site publishes."""
    uri = address(app, f"figures/{figure['id']}.{suffix}")
    # "?" is Sphinx's mark of an image that is not among the sources and is not to be copied;
    # "dark-light" tells the theme to leave its colours alone in the dark
    return nodes.image(
        uri=uri, alt=figure["alt"], candidates={"?": uri}, classes=["published", "dark-light"], **options
    )


def setup(app: Sphinx) -> None:
    """Register the resolution of numbers, and what moves a picture."""
    app.add_css_file("css/player.css", priority=800)
    app.add_js_file("js/player.js", priority=800)
    app.add_post_transform(ResolveNumbers)
