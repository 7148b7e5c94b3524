"""What can be settled only when every page has been read, or only for one kind of output."""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.nodes import make_refnode
from sphinx.util.osutil import relative_uri

from livingpaper.say.claims import VERDICTS
from livingpaper.sphinx import sources
from livingpaper.sphinx.catalogue import Catalogue
from livingpaper.sphinx.directives import Gathered
from livingpaper.sphinx.glue import ClaimNumber, HandedOver, Picture, estimate_with_interval, predicate, verdict_badge
from livingpaper.sphinx.tables import table, text

logger = logging.getLogger(__name__)


class AnchorCode(SphinxTransform):
    """Give the code cell that made a figure the anchor ``<figure id>-code``."""

    default_priority = 500

    def apply(self, **kwargs) -> None:
        links = {link["code_of"]: link for link in self.document.findall(nodes.reference) if "code_of" in link}
        for mark in list(self.document.findall(HandedOver)):
            cell = bundle = mark.parent
            while cell is not None and cell.get("nb_element") != "cell_code":
                cell = cell.parent
            # with all its kinds of output: MyST-NB would choose another one where ours is gone
            while bundle.get("nb_element") != "mime_bundle":
                bundle = bundle.parent
            empty = bundle
            while empty is bundle or not empty.children:
                empty.parent.remove(empty)
                empty = empty.parent
            # a cell whose source is hidden for good has no code to go to
            link = links.get(mark["shown_id"])
            if (
                link is not None
                and cell is not None
                and cell.children
                and cell[0].get("nb_element") == "cell_code_source"
            ):
                cell["ids"].append(f"{mark['shown_id']}-code")
                link["refid"] = f"{mark['shown_id']}-code"


class UniqueIds(SphinxTransform):
    """Number the id that sphinx-proof gives the text of every theorem alike: an id stands once in a page."""

    default_priority = 500

    def apply(self, **kwargs) -> None:
        alike = [section for section in self.document.findall(nodes.section) if section["ids"] == ["proof-content"]]
        for number, section in enumerate(alike, start=1):
            section["ids"] = [f"proof-content-{number}"]


class Gather(SphinxPostTransform):
    """Put ledger, summary and previews where the pages ask for them, and the numbers of claims where they stand."""

    # before MyST-NB chooses among outputs and before references are resolved, so that copies are resolved here
    default_priority = 3

    def run(self, **kwargs) -> None:
        catalogue = self.env.get_domain("paper")
        self._number_claims(catalogue)
        for place in list(self.document.findall(Gathered)):
            what = {"ledger": self._ledger, "summary": self._summary, "preview": self._preview}[place["what"]]
            gathered = what(catalogue, place)
            place.replace_self(gathered)
            # Sphinx noted while reading whether a page needs MathJax; formulas that arrive now count too
            if any(next(node.findall(nodes.math), None) for node in gathered):
                self.env.get_domain("math").data["has_equations"][self.env.docname] = True

    def _number_claims(self, catalogue: Catalogue) -> None:
        """Write the numbers of claims into their boxes."""
        numbers = catalogue.claim_numbers()
        for place in list(self.document.findall(ClaimNumber)):
            id = place["claim_id"]
            link = nodes.reference("", f"Claim {numbers[id]}", refid=id, internal=True, classes=["claim-number"])
            place.replace_self(link)

    def _ledger(self, catalogue, place: Gathered) -> list[nodes.Node]:
        claims = catalogue.in_reading_order("claims")
        if not claims:
            return [nodes.paragraph("", "The book makes no claims yet.")]
        boxes = self._claim_boxes({claim["docname"] for claim in claims})
        numbers = catalogue.claim_numbers()
        papers = dict.fromkeys(claim["paper"] for claim in claims if claim["paper"])
        rows = []
        for paper in [*papers, None]:
            group = [claim for claim in claims if claim["paper"] == paper]
            if group:
                heading = [self._citation(paper)] if paper else text("Ours")
                shown = (self._ledger_row(claim, numbers[claim["id"]], boxes[claim["id"]]) for claim in group)
                rows += [[heading], *shown]
        header = ["verdict", "statement, and where it stands", "estimate and condition"]
        return [nodes.container("", table([text(title) for title in header], rows), classes=["ledger"])]

    def _ledger_row(self, claim: dict, number: int, box: nodes.Element) -> list[list[nodes.Node]]:
        statement = next(node for node in box.children if "claim-statement" in node["classes"]).deepcopy()
        for reference in statement.findall(addnodes.pending_xref):
            reference["refdoc"] = self.env.docname
        shown = [self._link(claim["docname"], claim["id"], f"Claim {number}"), nodes.Text(f" · {claim['where']}")]
        if claim["figure"]:
            shown += [nodes.Text(" · "), self._numref(claim["figure"])]
        if claim["theorem"]:
            shown += [nodes.Text(" · "), self._reference("prf", "ref", claim["theorem"])]
        verdict = [verdict_badge(claim["verdict"])]
        if claim["on_record"] != claim["verdict"]:
            record = [nodes.Text("on record: "), verdict_badge(claim["on_record"]), nodes.Text(" ")]
            verdict.append(_below(*record, nodes.inline("", "differs", classes=["differs"])))
        condition = _below(nodes.Text(f"holds if {predicate(claim)}"))
        return [verdict, [*statement.children, _below(*shown)], [*estimate_with_interval(claim), condition]]

    def _summary(self, catalogue, place: Gathered) -> list[nodes.Node]:
        found = [claim["verdict"] for claim in catalogue.claims.values()]
        hold, fail, unresolved = (found.count(verdict) for verdict in VERDICTS)
        claims = "1 claim" if len(found) == 1 else f"{len(found)} claims"
        words = (
            f"{claims}; {hold} {'holds' if hold == 1 else 'hold'}, {fail} {'fails' if fail == 1 else 'fail'}, "
            f"{unresolved} {'is' if unresolved == 1 else 'are'} unresolved."
        )
        return [nodes.paragraph("", words, classes=["claims-summary"])]

    def _preview(self, catalogue, place: Gathered) -> list[nodes.Node]:
        id = place["figure_id"]
        figure = catalogue.figures.get(id)
        if figure is None or figure["kind"] != "figure":
            known = ", ".join(sorted(key for key, entry in catalogue.figures.items() if entry["kind"] == "figure"))
            logger.warning("no figure has the id %r: there are %s", id, known or "none", location=place)
            return []
        picture = Picture(figure_id=id, alt=figure["alt"])
        line = nodes.paragraph("", "from ", self._numref(id), classes=["figure-preview-source"])
        return [nodes.container("", picture, line, classes=["figure-preview"])]

    def _claim_boxes(self, docnames: set[str]) -> dict[str, nodes.Element]:
        # the trees as read: a statement's citations and formulas are resolved again for the page they are copied to
        return {
            box["ids"][0]: box
            for docname in docnames
            for box in self.env.get_doctree(docname).findall(nodes.admonition)
            if "claim" in box["classes"]
        }

    def _link(self, docname: str, anchor: str, words: str) -> nodes.reference:
        return make_refnode(self.app.builder, self.env.docname, docname, anchor, nodes.Text(words))

    def _numref(self, id: str) -> addnodes.pending_xref:
        return self._reference("std", "numref", id)

    def _citation(self, key: str) -> addnodes.pending_xref:
        return self._reference("cite", "t", key)

    def _reference(self, domain: str, kind: str, target: str) -> addnodes.pending_xref:
        return addnodes.pending_xref(
            "",
            nodes.inline("", target),
            refdomain=domain,
            reftype=kind,
            reftarget=target,
            refdoc=self.env.docname,
            refexplicit=False,
            refwarn=True,
        )


class NoteWords(SphinxPostTransform):
    """Note captions and statements as they read on the page, for those who list or search them."""

    # after all references have become words
    default_priority = 900

    def run(self, **kwargs) -> None:
        catalogue = self.env.get_domain("paper")
        for node in self.document.findall(nodes.Element):
            if "published_id" in node:
                caption = next(child for child in node.children if isinstance(child, nodes.caption | nodes.title))
                catalogue.figures[node["published_id"]]["words"] = caption.astext()
            elif "claim-statement" in node.get("classes", ()):
                catalogue.claims[node.parent["ids"][0]]["words"] = node.astext()


class LinkFiles(SphinxPostTransform):
    """Point pictures and links at ``figures/``, the addresses that stay."""

    default_priority = 4

    def run(self, **kwargs) -> None:
        builder = self.app.builder
        suffix = "pdf" if builder.format == "latex" else "svg"
        for picture in list(self.document.findall(Picture)):
            uri = self._uri(f"figures/{picture['figure_id']}.{suffix}")
            # "?" is Sphinx's mark of an image that is not among the sources and is not to be copied;
            # "dark-light" tells the theme to leave its colours alone in the dark
            classes = ["published", "dark-light"]
            image = nodes.image(uri=uri, alt=picture["alt"], candidates={"?": uri}, classes=classes)
            # a box of its own, in which a wide picture can be moved sideways on a narrow screen
            picture.replace_self(nodes.container("", image, classes=["figure-scroll"]) if suffix == "svg" else image)
        for line in list(self.document.findall(nodes.container)):
            if "figure-links" not in line["classes"]:
                continue
            if builder.format != "html":
                line.parent.remove(line)
                continue
            for link in list(line.findall(nodes.reference)):
                self._resolve(link)

    def _resolve(self, link: nodes.reference) -> None:
        if "code_of" in link and "refid" not in link:
            docname = self.env.get_domain("paper").figures[link["code_of"]]["docname"]
            link["refuri"] = self._uri(f"_sources/{docname}.ipynb")
        elif "source_of" in link:
            docname = self.env.get_domain("paper").figures[link["source_of"]]["docname"]
            target, words = sources.link(self.app, link["source_of"], docname)
            page, _, anchor = target.partition("#")
            link["refuri"] = target if "://" in target else self._uri(page) + (f"#{anchor}" if anchor else "")
            link["reftitle"] = f"Source of {link['source_of']}: {words}"
        elif "published" in link:
            link["refuri"] = self._uri(link["published"])

    def _uri(self, path: str) -> str:
        return relative_uri(self.app.builder.get_target_uri(self.env.docname), path)


def _below(*content: nodes.Node) -> nodes.inline:
    """A second, quieter line in a cell."""
    return nodes.inline("", "", *content, classes=["below"])


def setup(app: Sphinx) -> None:
    """Register the transforms."""
    app.add_transform(AnchorCode)
    app.add_transform(UniqueIds)
    app.add_post_transform(Gather)
    app.add_post_transform(LinkFiles)
    app.add_post_transform(NoteWords)
