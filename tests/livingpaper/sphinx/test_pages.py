"""A real book of two chapters, built the way the pipeline builds it, and what comes out."""

import hashlib
import json
import posixpath
import shlex

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell
from scipy.special import stdtrit
from sphinx.util.inventory import InventoryFile

from livingpaper import say
from livingpaper.sphinx.made import _again

DATA = pd.DataFrame({"dimension p": [10, 100, 1000], "test error": [0.5, 0.1 + 0.2, 1e-3]})

FIGURE = """\
:::{glue:figure} fig-error
:alt: Test error falls as the dimension grows.

Test error {glue:text}`error:.2f` against $p$, after {cite:t}`chatterji2021`; band: 95 % over seeds.
:::
"""
TABLE = """\
:::{glue:table} tab-rules
Three *rules* and their errors.
:::
"""


LIVE = "<script>alert(1)</script> {term}`x` $y$ [z](z.html)"


def draw_figure():
    figure, (axes, other) = plt.subplots(1, 2)
    axes.plot(DATA["dimension p"], DATA["test error"])
    figure.colorbar(other.imshow([[1.0, 2.0]]))  # no panel of its own
    say.figure("fig-error", figure, DATA)


def draw_table():
    data = pd.DataFrame(
        {"rule": ["$\\ell_2$ margin", "nearest"], "error": [1 / 3, 2.0], "gap": ["0.10 ± 0.02", "1.00 ± 0.03"]}
    ).assign(title=["a*b*c", LIVE])
    say.table("tab-rules", data, markup=["rule"])


def claim(name, low, high):
    apart = (high - low) / 2 / stdtrit(1, 0.975)  # two values whose interval has these ends
    return lambda: say.claim(f"claim-{name}", [(low + high) / 2 - apart, (low + high) / 2 + apart])


def words_of_claim(name, **options):
    given = "".join(f":{key}: {value}\n" for key, value in options.items())
    return f"""\
:::{{glue:claim}} claim-{name}
:where: Theorem 3.1, (10)
:holds-if: <= 0.05
{given}
The test error is at most $\\eta + \\exp(-c\\,n\\|\\mu\\|^4/p)$, see {{cite:p}}`chatterji2021`.

With the constant $c = 1$.

It bounds the mean.
:::
"""


ERRORS = """\
(chapter-errors)=
# Errors

See {numref}`fig-error`, {ref}`fig-error-b`, {ref}`claim-bound` and {numref}`tab-rules`.
"""

READ = """\
The dimension $p$ and again $p$, a sample of $n=100$, and $q$. A *benign overfitting* network, benign overfitting again,
and a Margin; marginal things are not. In `margin` and [a link to the margin](https://example.org) nothing is marked.
"""

RULES = """\
(chapter-rules)=
# Rules

:::{opening}
:needs: errors

That *one* rule is as good as another.
:::

:::{prf:theorem} No free lunch {cite:p}`chatterji2021`
:label: thm-rules

All rules err. The sample size is $n$ and the number of rules $p$.
:::
"""

NOTATION = """\
- {id: n, tex: [n], meaning: "number of samples, at least 1", defined: errors}
- {id: p, tex: [p], meaning: dimension, defined: errors, only: [errors]}
- {id: rules, tex: [p], meaning: number of rules, defined: rules, only: [rules]}
"""

NOTATION_PAGE = "# Notation\n\n```{notation-table}\n```\n"

COLUMNS = """\
everywhere: {test error: share that is wrong, error: share of a rule, dimension p: of no table}
fig-error fig-other: {dimension p: "dimension of the *inputs*, < infinity"}
"""

DEFINITION = "Fitting wrong labels without harm, whatever the"
GLOSSARY = f"""\
# Glossary

```{{glossary}}
margin
  Label times output.

benign overfitting
  {DEFINITION} {{term}}`margin`.

  See {{prf:ref}}`thm-rules`.
```
"""

PARAMETERS = """\
n: int = 100  # number of training samples $n$, in [2, 10000]
device: str = "cpu"  # where it runs, one of cpu, cuda
"""


def first_chapter(cells):
    return cells.notebook(
        new_markdown_cell(ERRORS),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell("# Parameters\nn = 50\n", metadata={"tags": ["injected-parameters", "remove-cell"]}),
        cells.code("tidy()", tags=["hide-input"]),
        new_markdown_cell("```{parameters-table}\n```"),
        cells.number("error", 0.3),
        cells.code("prepare()", tags=["hide-input"]),
        cells.code("draw()", draw_figure, tags=["hide-input"]),
        new_markdown_cell(FIGURE),
        cells.code("claims()", claim("bound", 0.01, 0.04), claim("vacuous", 0.1, 0.2), tags=["hide-input"]),
        new_markdown_cell(
            words_of_claim("bound", paper="chatterji2021", record="holds", figure="fig-error", theorem="thm-rules")
        ),
        new_markdown_cell(words_of_claim("vacuous", paper="chatterji2021", record="fails")),
        new_markdown_cell(READ),
    )


def second_chapter(cells):
    return cells.notebook(
        new_markdown_cell(RULES),
        cells.code("tabulate()", draw_table, tags=["remove-input"]),
        new_markdown_cell(TABLE),
        cells.code("claim()", claim("ours", 0.01, 0.2)),
        new_markdown_cell(words_of_claim("ours")),
    )


STATUS = """\
# Status

```{claims-summary}
```

```{claims-ledger}
```

```{figure-preview} fig-error
```

```{figure-preview} tab-rules
```

```{figure-thumbnail} fig-error
```

```{run-records}
```

```{cite-book}
```

```{figure-index}
```

```{statement-index}
```

```{bibliography}
```
"""

BIBTEX = """\
@article{chatterji2021,
  author = {Chatterji, Niladri S. and Long, Philip M.},
  title = {Finite-sample analysis of interpolating linear classifiers in the overparameterized regime},
  journal = {Journal of Machine Learning Research}, year = {2021}, volume = {22}
}
"""

CITATION = """\
cff-version: 1.2.0
message: Please cite it.
title: Benign overfitting, executable
version: 0.1.0
date-released: 2026-11-22
authors:
  - family-names: Pelletier
    given-names: Ada
  - name: The team
"""

RECORD = {
    "preset": "smoke",
    "variant": "smoke",
    "overrides": {"n": 50},
    "dirty": True,
    "started": "2026-11-22T09:00:00+00:00",
    "seconds": 12.345,
    "device": "cpu",
    "threads": 1,
    "machine": {"processor": "Abacus 2", "cores": 2, "system": "Linux x86_64", "python": "3.11.9"},
    "sweeps": [
        {"experiment": "A", "runs": 1200, "computed": 0, "seconds": 40.2, "seeds": [0, 9]},
        {"experiment": "B", "runs": 3, "computed": 3, "seconds": 1.4, "seeds": [4, 4]},
        {"experiment": "A", "runs": 7, "computed": 0, "seconds": 0.0, "seeds": [3, 20]},
    ],
    "python": "3.11.9",
    "versions": {"torch": "2.13.0", "numpy": "2.4.6"},
    "parameters": {"n": 50},
    "seeds": [0, 1],
    "commit": "0" * 40,
    "modules": {"benign.seeds": "ab"},
}


RECORDS = ("status", "notation", "glossary")


def build(render, tree, chapters, extra=()):
    parts = [{"caption": "Part", "numbered": True, "chapters": [{"file": f"chapters/{name}"} for name in chapters]}]
    parts.append({"caption": "The record", "chapters": [{"file": name} for name in RECORDS]})
    files = {
        "references.bib": BIBTEX,
        "index.md": "# Home\n\nThe error is {glue:text}`chapters/errors.ipynb::error:.3f`.\n",
        "status.md": STATUS,
        "notation.md": NOTATION_PAGE,
        "notation.yml": NOTATION,
        "columns.yml": COLUMNS,
        "glossary.md": GLOSSARY,
    }
    files |= {f"chapters/{name}.ipynb": content for name, content in chapters.items()}
    return render(tree, files | dict(extra), {"root": "index", "parts": parts})


@pytest.fixture(scope="module")
def site(tmp_path_factory, render, cells):
    """The pages of a book with run records and a CITATION.cff."""
    tree = tmp_path_factory.mktemp("book")
    built = {"repository": {"commit": "0" * 40, "dirty": False, "date": "2026-11-22"}, "places": {}, "variant": ""}
    extra = {"runs/errors.json": json.dumps(RECORD), "CITATION.cff": CITATION, "source.json": json.dumps(built)}
    extra["source.zip"] = "packed"
    book = build(render, tree, {"errors": first_chapter(cells), "rules": second_chapter(cells)}, extra)
    assert book.complaints == ""
    return book.site


@pytest.fixture(scope="module")
def faulty(tmp_path_factory, render, cells):
    """A book without run records or CITATION.cff in which a figure's id is used twice."""
    needs = ":::{opening}\n:needs: errors, twice, rulse\n\nNothing.\n:::\n"
    twice = cells.notebook(
        new_markdown_cell(f"# Twice\n\n{needs}"), cells.code("again()", draw_figure), cells.number("error", 0.4),
        new_markdown_cell(FIGURE),
    )  # fmt: skip
    chapters = {"errors": first_chapter(cells), "rules": second_chapter(cells), "twice": twice}
    return build(render, tmp_path_factory.mktemp("faulty"), chapters)


def page(site, name):
    return BeautifulSoup((site / f"{name}.html").read_text(), "html.parser")


def words(node):
    return " ".join(node.get_text().split())


def test_a_figure_is_numbered_and_described(site):
    figure = page(site, "chapters/errors").select_one("figure#fig-error")
    assert figure.img["src"] == "../figures/fig-error.svg"
    narrow = figure.img.find_parent("picture").source
    assert narrow["srcset"] == "../figures/fig-error.narrow.svg" and "screen" in narrow["media"]
    assert (site / "figures" / "fig-error.narrow.svg").is_file()
    assert figure.img["alt"] == "Test error falls as the dimension grows."
    caption = words(figure.figcaption)
    assert caption.startswith("Fig. 1.1 Test error 0.30 against")
    assert "Chatterji and Long" in caption and figure.select_one(".math")


def test_references_find_figures_tables_and_claims(site):
    found = page(site, "chapters/errors").select("section > p a.reference")
    links = {link["href"]: words(link) for link in found}
    assert links["#fig-error"] == "Fig. 1.1"
    assert links["#claim-bound"] == "Claim 1"
    assert links["rules.html#tab-rules"] == "Table 2.1"
    assert (site / "objects.inv").exists()


def test_every_link_of_the_legend_leads_somewhere(site):
    for name, id, kinds in [("chapters/errors", "fig-error", 12), ("chapters/rules", "tab-rules", 9)]:
        soup = page(site, name)
        node = soup.find(id=id)
        legend = (node if node.name == "figure" else node.find_parent(class_="book-table")).select_one(".figure-links")
        links = legend.select("a")
        assert len(links) == kinds
        assert [link.text for link in legend.select("details.cite a")] == ["BibTeX", "APA", "CSL-JSON"]
        for link in links:
            if link["href"].startswith("#"):
                assert soup.find(id=link["href"][1:])
            else:
                assert (site / "chapters" / link["href"]).resolve().is_file(), link


def test_the_code_link_leads_to_the_cell_or_else_to_the_notebook(site):
    source = page(site, "chapters/errors").find(id="fig-error-code")
    assert words(source) == "prepare() draw()" and source.find_parent("details")  # which a link to what is in it opens
    code = [link["href"] for link in page(site, "chapters/rules").select(".figure-links a") if link.text == "code"]
    assert code == ["../_sources/chapters/rules.ipynb"]


def test_the_files_are_what_the_figure_holds(site):
    read = pd.read_csv(site / "figures" / "fig-error.csv")
    pd.testing.assert_frame_equal(read, DATA, check_exact=True)
    assert (site / "figures" / "fig-error.png").read_bytes().startswith(b"\x89PNG")
    assert (site / "figures" / "fig-error.pdf").read_bytes().startswith(b"%PDF")


def test_the_panel_shows_the_published_citations(site):
    for name, id, what in [
        ("chapters/errors", "fig-error", "Figure 1.1"),
        ("chapters/rules", "tab-rules", "Table 2.1"),
    ]:
        node = page(site, name).find(id=id)
        panel = (node if node.name == "figure" else node.find_parent(class_="book-table")).select_one("details.cite")
        assert words(panel.summary) == f"cite {what}" and not panel.has_attr("open")
        shown = [pre.text for pre in panel.select(".highlight > pre")]
        files = [site / "figures" / f"{id}.{suffix}" for suffix in ("bib", "apa.txt", "csl.json")]
        assert shown == [file.read_text() for file in files]
        digest = json.loads((site / "figures" / f"{id}.json").read_text())["digest"]
        for text in shown:
            assert all(word in text for word in ("Pelletier", what, digest, "0.1.0", "commit 0000000000;", "2026"))
            # the caption as it reads on the page: no role, no key
            assert ("Test error 0.30 against $p$, after Chatterji and Long" in text) == (id == "fig-error")
    book = page(site, "status").select_one(".cite-book details.cite")
    assert words(book.summary) == "cite the whole book"
    assert book.select_one("pre").text == (site / "citation.bib").read_text()


def test_what_panels_say_is_no_hit_of_a_search(site):
    index = (site / "searchindex.js").read_text()
    assert "howpublished" not in index and "abacus" not in index and "infinity" not in index


def panel(site, id, kind):
    node = page(site, f"chapters/{'errors' if id == 'fig-error' else 'rules'}").find(id=id)
    return (node if node.name == "figure" else node.find_parent(class_="book-table")).select_one(f"details.{kind}")


def said(panel):
    return {row.th.text: words(row.td) for row in panel.select("tr")}


def test_the_columns_of_a_table_say_what_they_mean(site):
    shown = panel(site, "fig-error", "columns")
    assert words(shown.summary) == "columns of Figure 1.1"
    assert said(shown) == {"dimension p": "dimension of the *inputs*, < infinity", "test error": "share that is wrong"}
    assert said(panel(site, "tab-rules", "columns")) == {"error": "share of a rule"}
    for id in ("fig-error", "tab-rules"):
        published = json.loads((site / f"figures/{id}.json").read_text())["columns"]
        assert [column["name"] for column in published] == list(pd.read_csv(site / f"figures/{id}.csv").columns)
        assert {one["name"]: one["meaning"] for one in published if one["meaning"]} == said(panel(site, id, "columns"))


def test_how_it_was_made_is_said_to_people(site, faulty):
    made = said(panel(site, "fig-error", "made"))
    assert made["commit"] == "0000000000, with changes that were not committed"
    assert made["parameters"] == "n = 50" and made["preset"] == "smoke"
    assert made["trainings"] == "1,207 of A, seeds 0 to 20; 3 of B, seeds 4 to 4"
    assert made["software"] == "Python 3.11.9, torch 2.13.0, numpy 2.4.6"
    assert "Abacus 2, Linux x86_64" in made["machine"] and "12 s" in made["run"]
    assert made["again"] == "livingpaper run errors --preset smokelivingpaper verify fig-error --preset smoke"
    files = {link["href"] for link in panel(site, "fig-error", "made").select("a")}
    assert {"../figures/fig-error.json", "../source.zip"} <= files
    assert (site / "source.zip").read_text() == "packed"
    # drawn by Sphinx alone, it says as much
    alone = said(panel(site, "tab-rules", "made"))
    assert "livingpaper build keeps one" in alone["run"] and "Python" in alone["software"] and "commit" not in alone


def test_the_command_that_makes_it_again_has_the_values_that_it_had():
    changed = RECORD | {"variant": "custom-1", "overrides": {"n": 5, "names": ["a b"], "device": "cuda"}}
    (run,) = _again(changed, "errors", "fig-error", "benign")
    assert shlex.split(run) == ["benign", "run", "errors", "-p", "n=5", "-p", "names=['a b']", "-p", "device=cuda"]
    published = RECORD | {"variant": "published", "preset": "published"}
    assert _again(published, "errors", "fig-error", "benign") == ["benign run errors", "benign verify fig-error"]


def test_a_panel_of_a_figure_can_be_led_to_and_cited(site):
    errors = page(site, "chapters/errors")
    assert [target["id"] for target in errors.select("figure#fig-error > span[id]")] == [
        "fig-error-a",
        "fig-error-b",
    ]
    assert {link["href"]: words(link) for link in errors.select("section > p a.reference")}[
        "#fig-error-b"
    ] == "Figure 1.1b"
    cited = panel(site, "fig-error", "cite")
    assert words(cited.p.find_next_siblings("p")[-1]).startswith("A panel of it is cited as Figure 1.1a")


def test_the_index_of_figures_shows_them_by_chapter(site):
    soup = page(site, "status")
    assert [words(title) for title in soup.select("section[id^=figures-of] h2")] == ["1. Errors#", "2. Rules#"]
    jumps = [link["href"] for link in soup.select("section > ul a[href^='#figures']")]
    assert jumps == ["#figures-of-errors", "#figures-of-rules"] and all(soup.find(id=jump[1:]) for jump in jumps)
    figure, table = soup.select(".index-entry")
    assert (figure.img["src"], figure.img["loading"]) == ("figures/fig-error.png", "lazy")
    assert figure.img["alt"].startswith("Test error falls") and table.img is None
    assert words(figure.p).startswith("Fig. 1.1 Test error 0.30 against \\(p\\), after Chatterji and Long")
    links = [{link.text: link["href"] for link in entry.select(".index-links a")} for entry in (figure, table)]
    assert list(links[0]) == ["CSV", "JSON", "SVG", "PDF", "code", "BibTeX", "APA", "CSL-JSON", "how it was made"]
    assert list(links[1]) == ["CSV", "JSON", "code", "BibTeX", "APA", "CSL-JSON", "how it was made"]
    assert links[0]["code"] == "chapters/errors.html#fig-error-code"
    assert links[1]["code"] == "_sources/chapters/rules.ipynb"  # that cell is not shown
    for link in soup.select(".index-entry a"):
        path, _, anchor = link["href"].partition("#")
        assert (site / (path or "status.html")).is_file()
        if anchor:
            assert (page(site, path.removesuffix(".html")) if path else soup).find(id=anchor)


def test_provenance_holds_environment_run_and_digests(site):
    made = json.loads((site / "figures" / "fig-error.json").read_text())
    assert made["run"] == RECORD
    assert "numpy" in made["environment"]["versions"]
    for name, digest in made["files"].items():
        assert hashlib.sha256((site / "figures" / name).read_bytes()).hexdigest() == digest
    # the other chapter has no record
    assert json.loads((site / "figures" / "tab-rules.json").read_text())["run"] is None


def test_the_index_lists_figures_in_reading_order(site):
    index = json.loads((site / "figures" / "index.json").read_text())["figures"]
    assert [(entry["id"], entry["number"], entry["page"]) for entry in index] == [
        ("fig-error", "1.1", "chapters/errors.html#fig-error"),
        ("tab-rules", "2.1", "chapters/rules.html#tab-rules"),
    ]
    assert index[0]["caption"].startswith("Test error 0.30 against $p$, after Chatterji and Long")


def test_a_table_is_numbered_formatted_and_aligned(site):
    table = page(site, "chapters/rules").select_one("table#tab-rules")
    assert words(table.caption).startswith("Table 2.1 Three rules and their errors.")
    cells = [[words(cell) for cell in row.select("td")] for row in table.select("tbody tr")]
    assert [row[1:3] for row in cells] == [["0.3333", "0.10 ± 0.02"], ["2", "1.00 ± 0.03"]]
    assert [row[3] for row in cells] == ["a*b*c", LIVE]  # text, whatever is in it
    assert table.select_one("td .math") and not table.select("td script, td em, td a")
    first = table.select("tbody tr")[0].select("td")
    assert ["number" in cell["class"] for cell in first[1:3]] == [True, True]
    assert "number" not in first[0].get("class", [])


def test_a_claim_says_its_verdict_in_words(site):
    soup = page(site, "chapters/errors")
    holds = soup.find(id="claim-bound")
    assert {"claim", "claim-holds", "admonition"} <= set(holds["class"])
    text = words(holds)
    assert "✓ holds" in text and "Theorem 3.1, (10), Chatterji and Long" in text
    assert words(holds.summary) == "0.025 [0.01, 0.04]; holds if ≤ 0.05" and not holds.details.has_attr("open")
    assert "On record: holds. See Fig. 1.1" in words(holds.details) and "It bounds the mean." in words(holds.details)
    assert "✗ fails" in words(soup.find(id="claim-vacuous"))
    ours = words(page(site, "chapters/rules").find(id="claim-ours"))
    assert "? unresolved" in ours and "(ours)" in ours and "On record: nothing yet" in ours


def test_the_ledger_shows_what_failed_first(site):
    box = page(site, "status")
    ledger = box.select_one(".ledger table")
    rows = ledger.select("tbody tr")
    shown = ["1 claim fails", "✗ fails", "1 claim is unresolved", "? unresolved", "1 claim holds", "✓ holds"]
    assert [words(row)[: len(start)] for row, start in zip(rows, shown, strict=True)] == shown
    assert "on record: nothing yet differs" in words(rows[3]) and "on record" not in words(rows[5])
    assert "holds if" in words(rows[5]) and "Chatterji and Long" in words(rows[5]) and "(ours)" in words(rows[3])
    assert {"is-holds", "of-chatterji2021", "in-errors", "drawn-not"} <= set(rows[5]["class"])
    # without its script it is whole, has no dead controls, and each count of the summary leads to its claims
    assert box.select_one("form.ledger-tools").has_attr("hidden")
    counts = {link.text: link["href"] for link in box.select(".claims-summary a")}
    assert counts == {"1 holds": "#claims-holds", "1 fails": "#claims-fails", "1 is unresolved": "#claims-unresolved"}
    assert all(box.find(id=href[1:]) for href in counts.values())
    papers = box.select('.ledger-tools select[name="of"] option')
    assert [(one["value"], one.text) for one in papers] == [
        ("", "all"), ("chatterji2021", "Chatterji and Long, 2021"), ("ours", "this book"),
    ]  # fmt: skip


def test_hidden_code_says_whose_it_is(site):
    soup = page(site, "chapters/errors")
    bars = soup.select("details.above-input")
    assert [words(bar.select_one("summary .collapsed")) for bar in bars] == [
        "Show the code that prepares Fig. 1.1", "Show the code of Fig. 1.1", "Show the code of Claims 1 and 2",
    ]  # fmt: skip
    code = [[words(cell) for cell in bar.select("pre")] for bar in bars]
    assert code == [["tidy()"], ["prepare()", "draw()"], ["claims()"]]
    assert not soup.select("details.above-input summary[aria-label]")  # its name is what it says


def test_the_ledger_leads_to_claims_figures_and_citations(site):
    ledger = page(site, "status").select_one(".ledger table")
    hrefs = [link["href"] for link in ledger.select("a")]
    assert "chapters/errors.html#claim-bound" in hrefs and "chapters/errors.html#fig-error" in hrefs
    # a citation copied from a chapter points to the bibliography from this page
    assert any(href.startswith("#id") for href in hrefs)
    # and a formula copied from there is typeset on this one
    assert "tex-mml-chtml.js" in str(page(site, "status").head)


def test_claims_are_numbered_in_reading_order_wherever_they_are_named(site):
    numbers = {"claim-bound": 1, "claim-vacuous": 2, "claim-ours": 3}
    published = json.loads((site / "claims.json").read_text())["claims"]
    assert {claim["id"]: claim["number"] for claim in published} == numbers
    for name, ids in (("errors", ["claim-bound", "claim-vacuous"]), ("rules", ["claim-ours"])):
        soup = page(site, f"chapters/{name}")
        for id in ids:
            link = soup.find(id=id).select_one(".claim-number")
            assert (link.text, link["href"]) == (f"Claim {numbers[id]}", f"#{id}")
    ledger = {link["href"].partition("#")[2]: link.text for link in page(site, "status").select(".ledger a")}
    assert {id: ledger[id] for id in numbers} == {id: f"Claim {number}" for id, number in numbers.items()}


def test_a_claim_and_the_theorem_that_it_is_about_point_at_each_other(site):
    claim = page(site, "chapters/errors").find(id="claim-bound")
    assert "and Theorem 2.1." in words(claim)
    assert claim.find("a", string="Theorem 2.1")["href"] == "rules.html#thm-rules"
    theorem = page(site, "chapters/rules").find(id="thm-rules")
    assert words(theorem.select_one(".claims-about")) == "Claims about this: Claim 1 ✓ holds"
    assert theorem.select_one(".claims-about a")["href"] == "errors.html#claim-bound"
    listed = page(site, "status").find(id="statements-of-rules")
    assert "Theorem 2.1" in words(listed) and "Claim 1 ✓ holds" in words(listed)
    assert {"chapters/rules.html#thm-rules", "chapters/errors.html#claim-bound"} <= {a["href"] for a in listed("a")}
    assert page(site, "status").find(id="statements-of-errors") is None  # it states nothing
    assert listed.find("a", string="Chatterji and Long, 2021")["href"].startswith("#")
    assert not listed.find_all("span", id=True)  # of the citation in the chapter
    assert "· Theorem 2.1" in words(page(site, "status").select_one(".ledger"))
    assert "Theorem 2" not in words(page(site, "chapters/rules").find(id="claim-ours"))


def test_a_chapter_opens_with_what_it_teaches_and_needs(site):
    opening = page(site, "chapters/rules").select_one(".chapter-header")
    assert words(opening) == "That one rule is as good as another. After Errors."
    assert opening.a["href"] == "errors.html"
    assert page(site, "chapters/errors").select_one(".chapter-header") is None


def test_the_next_page_is_named_with_its_part(site):
    def link(name, which):
        return words(page(site, name).select_one(f".prev-next-area .{which}"))

    assert link("chapters/rules", "left-prev") == "previous Part 1. Errors"
    assert link("chapters/rules", "right-next") == "next The record Status"
    assert link("status", "left-prev") == "previous Part 2. Rules"
    assert link("chapters/errors", "left-prev") == "previous Home"
    assert page(site, "index").select_one(".prev-next-area .left-prev") is None
    assert page(site, "glossary").select_one(".prev-next-area .right-next") is None


def test_the_first_use_of_a_symbol_or_term_in_a_chapter_has_its_meaning(site):
    soup = page(site, "chapters/errors")
    marked = soup.select(".meaning")
    shown = [(words(m.a), m.a["href"], words(m.select_one("[role=tooltip]"))) for m in marked]
    assert shown == [
        ("\\(p\\)", "../notation.html#symbol-p", "dimension"),
        ("\\(n=100\\)", "../notation.html#symbol-n", "number of samples, at least 1"),
        (
            "benign overfitting",
            "../glossary.html#term-benign-overfitting",
            "Fitting wrong labels without harm, whatever the margin.",
        ),
        ("Margin", "../glossary.html#term-margin", "Label times output."),
    ]
    for mark in marked:
        tip = mark.select_one("[role=tooltip]")
        assert mark.a["aria-describedby"] == tip["id"] and "hidden" in tip.attrs
        target, _, anchor = mark.a["href"].removeprefix("../").partition("#")
        assert page(site, target.removesuffix(".html")).find(id=anchor)
    assert [mark.a.get("aria-label") for mark in marked] == ["p", "n=100", None, None]
    # another chapter, another meaning
    assert "number of rules" in [words(tip) for tip in page(site, "chapters/rules").select("[role=tooltip]")]
    assert not page(site, "index").select(".meaning")


def test_the_table_of_notation_says_where_a_symbol_is_introduced(site):
    rows = page(site, "notation").select(".symbols tbody tr")
    assert [words(row) for row in rows] == [
        "\\(n\\) number of samples, at least 1 Errors", "\\(p\\) dimension Errors", "\\(p\\) number of rules Rules",
    ]  # fmt: skip
    assert rows[2].a["href"] == "chapters/rules.html#chapter-rules"


def test_search_and_inventory_know_figures_and_claims(site):
    index = json.loads((site / "searchindex.js").read_text().removeprefix("Search.setIndex(").removesuffix(")"))
    found = {
        (prefix + "." if prefix else "") + name: (index["docnames"][page], index["objnames"][str(kind)][2], anchor)
        for prefix, objects in index["objects"].items()
        for page, kind, _, anchor, name in objects
    }
    figure = next(words for words in found if words.startswith("Figure 1.1: Test error 0\u202430 against p, after"))
    assert found[figure] == ("chapters/errors", "figure", "fig-error")
    claims = {anchor: words for words, (_, kind, anchor) in found.items() if kind == "claim"}
    assert claims["claim-bound"].startswith(
        "Claim 1, holds: The test error is at most eta + exp(-c n | mu |^4/p), see [Cha"
    )
    assert set(claims) == {"claim-bound", "claim-vacuous", "claim-ours"}
    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "https://example.org", posixpath.join)
    assert inventory["paper:claim"]["errors.claim-bound"][2] == "https://example.org/chapters/errors.html#claim-bound"
    assert inventory["paper:table"]["rules.tab-rules"][3].startswith("Table 2.1: Three rules")
    assert inventory["std:label"]["fig-error"][2].endswith("chapters/errors.html#fig-error")


def test_claims_are_published_as_json_and_counted(site):
    claims = json.loads((site / "claims.json").read_text())["claims"]
    assert [claim["id"] for claim in claims] == ["claim-bound", "claim-vacuous", "claim-ours"]
    assert claims[0]["page"] == "chapters/errors.html#claim-bound" and claims[0]["interval"] == pytest.approx(
        [0.01, 0.04]
    )
    # in words, not in the markup of a notebook
    bound = "The test error is at most $\\eta + \\exp(-c\\,n\\|\\mu\\|^4/p)$, see [Chatterji and Long, 2021]."
    assert claims[0]["statement"] == bound
    assert claims[0]["note"] == "With the constant $c = 1$.\n\nIt bounds the mean."
    assert words(page(site, "status").select_one(".claims-summary")) == "3 claims; 1 holds, 1 fails, 1 is unresolved."
    table = pd.read_csv(site / "claims.csv")
    assert table["id"].tolist() == [claim["id"] for claim in claims] and table["statement"][0] == bound
    assert table.loc[0, ["verdict", "holds_if"]].tolist() == ["holds", "<= 0.05"]
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx([0.01, 0.04])


def test_parameters_show_published_values_beside_this_build(site):
    rows = page(site, "chapters/errors").select(".parameters tbody tr")
    cells = [[words(cell) for cell in row.select("td")] for row in rows]
    assert cells[0] == ["n", "number of training samples \\(n\\)", "int in [2, 10000]", "100", "50 differs"]
    assert cells[1] == ["device", "where it runs", "one of cpu, cuda", "'cpu'", "'cpu'"]


def test_a_preview_shows_the_figure_of_another_page(site):
    soup = page(site, "status")
    preview = soup.select_one(".figure-preview")
    assert preview.source["srcset"] == "figures/fig-error.narrow.svg"
    assert preview.img["src"] == "figures/fig-error.svg" and preview.img["alt"].startswith("Test error falls")
    assert preview.a["href"] == "chapters/errors.html#fig-error" and words(preview) == "from Fig. 1.1"
    assert soup.find(id="fig-error") is None


def test_a_thumbnail_is_the_wide_picture_and_the_way_to_its_figure(site):
    thumbnail = page(site, "status").select(".figure-preview")[-1]
    assert thumbnail.select_one("a > img")["src"] == "figures/fig-error.svg" and not thumbnail.source
    assert {link["href"] for link in thumbnail.select("a")} == {"chapters/errors.html#fig-error"}


def test_a_preview_shows_the_rows_of_a_table_of_another_page(site):
    soup = page(site, "status")
    there, here = page(site, "chapters/rules").find(id="tab-rules"), soup.select_one(".table-preview")
    assert [words(cell) for cell in here.select("th, td")] == [words(cell) for cell in there.select("th, td")]
    assert "\\(\\ell_2\\) margin" in words(here) and here.caption is None and soup.find(id="tab-rules") is None
    assert here.select("p a")[-1]["href"] == "chapters/rules.html#tab-rules"


def test_run_records_are_tabulated(site):
    cells = [words(cell) for cell in page(site, "status").select(".run-records tbody td")]
    assert cells == [
        "errors", "smoke", "2026-11-22T09:00:00+00:00", "12", "1,210", "3", "42",
        "errors", "Abacus 2, Linux x86_64", "cpu, 1 thread a chapter", "3.11.9", "torch 2.13.0, numpy 2.4.6",
    ]  # fmt: skip


def test_numbers_reach_other_pages_and_images_have_words(site):
    assert "The error is 0.300." in words(page(site, "index"))
    for name in ("index", "status", "chapters/errors", "chapters/rules"):
        for image in page(site, name).select("article img"):
            assert image["alt"].strip() and "." not in image["alt"].split()[0]
    assert not (site / "_images").exists()


def test_pages_name_no_foreign_script(site):
    scripts = page(site, "chapters/errors").select("script")
    assert not [script for script in scripts if "://" in script.get("src", "") or "unpkg" in script.text]


def test_an_id_used_twice_fails_naming_both_places(faulty):
    assert "'fig-error' is used twice, in chapters/errors (" in faulty.complaints
    assert "and chapters/twice (" in faulty.complaints


def test_a_chapter_can_only_need_what_comes_before_it(faulty):
    assert "needs 'chapters/twice', which does not come before it" in faulty.complaints
    assert "needs 'chapters/rulse', which is no page of the book" in faulty.complaints
    assert "needs 'chapters/errors'" not in faulty.complaints


def test_without_records_the_page_says_so_and_without_cff_nothing_is_to_cite(faulty):
    assert "There are no run records" in words(faulty.page("status").article)
    assert not faulty.page("chapters/errors").select("details.cite") and not faulty.page("status").select(
        "details.cite"
    )
