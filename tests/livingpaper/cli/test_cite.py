"""``benign cite``, ``verify`` and ``diff`` on a small book."""

import io
import json
import shutil

import pandas as pd
import pytest
from bs4 import BeautifulSoup

EDITABLE = shutil.ignore_patterns("build.json")  # a site without its digests, which a test may make another of


@pytest.mark.parametrize("format", ["bibtex", "apa", "csl-json"])
@pytest.mark.parametrize("id", ["fig-line", "tab-throws"])
def test_cite_prints_what_the_page_shows(built, benign, id, format):
    said = benign("cite", id, "--format", format)
    page = BeautifulSoup(built.page(f"chapters/{'first' if id == 'fig-line' else 'second'}.html"), "html.parser")
    shown = [pre.text for pre in page.select("details.cite pre")]
    assert (said.status, said.errors) == (0, "") and said.text in shown and len(shown) == 3


def test_cite_without_id_cites_the_book(built, benign):
    assert benign("cite").text == (built.site / "citation.bib").read_text()
    (item,) = json.loads(benign("cite", "--format", "csl-json").text)
    assert item["type"] == "software" and item["version"] == "1.2"


def test_cite_knows_what_there_is_and_says_what_is_near(built, benign):
    for command in ("cite", "verify"):
        said = benign(command, "fig-lime")
        assert (said.status, said.errors) == (
            1,
            "error: there is no figure or table 'fig-lime': did you mean 'fig-line'?\n",
        )
    assert "`needle figures` lists them" in benign("cite", "claim-line-rises").errors
    (built.site / "figures/fig-line.bib").unlink()
    assert "has no figures/fig-line.bib: it was built without CITATION.cff" in benign("cite", "fig-line").errors


def test_verify_trains_again_and_finds_the_same(built, benign):
    trained = len(built.calls)
    said = benign("verify", "--json")
    assert said.status == 0 and said.errors == ""
    found = json.loads(said.text)
    assert [(one["id"], one["verdict"], one["changed"]) for one in found] == [
        ("fig-line", "identical", []),
        ("tab-throws", "identical", []),
    ]
    assert len(built.calls) == 2 * trained
    assert not list((built.root / "_build/verify").iterdir())


def test_verify_can_take_stored_trainings(built, benign, executed):
    ran = executed()
    assert benign("verify", "tab-throws").status == 0
    said = benign("verify", "tab-throws", "--stored-trainings")
    assert said.status == 0 and "identical" in said.text and "6 rows" in said.text, said.errors
    assert ran[0] != ran[1] == built.root / "_build/cache"


@pytest.mark.parametrize(("shift", "verdict", "status"), [(0.01, "within the seed band", 0), (10, "different", 1)])
def test_verify_says_by_how_much_and_what_has_changed(built, benign, executed, shift, verdict, status):
    def shifted(job, text):
        notebook = json.loads(text)
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                if payload := output.get("data", {}).get("application/vnd.livingpaper.figure+json"):
                    table = pd.read_csv(io.StringIO(payload["files"]["csv"]))
                    payload["files"]["csv"] = table.assign(crossed=table.crossed + shift).to_csv(index=False)
        return json.dumps(notebook)

    executed(shifted)
    built.edit("src/needle/experiments/throws.py", "run.length / 2", "run.length / 2.0")
    said = benign("verify", "tab-throws", "--json")
    (found,) = json.loads(said.text)
    assert (said.status, found["verdict"]) == (status, verdict)
    (column,) = found["comparison"]["columns"]
    assert (column["name"], column["cells"]) == ("crossed", 6) and column["absolute"] == pytest.approx(shift)
    assert found["changed"] == ["needle/experiments/throws.py changed"]
    told = benign("verify", "tab-throws")
    assert told.status == status and f"crossed: 6 cells, by up to {shift:.3g}" in told.text
    assert "changed since it was published: needle/experiments/throws.py changed" in told.text


def test_verify_compares_with_a_file_of_ones_own(built, benign, executed, tmp_path, monkeypatch):
    executed()
    mine = tmp_path / "mine.csv"
    shutil.copy(built.site / "figures/fig-line.csv", mine)
    assert benign("verify", "fig-line", "--against", str(mine)).status == 0
    mine.write_text(mine.read_text() + "9,1.5\n")
    said = benign("verify", "fig-line", "--against", str(mine))
    assert said.status == 1 and "1 row removed" in said.text
    assert "say which" in benign("verify", "--against", str(mine)).errors
    monkeypatch.delattr("livingpaper.build.execute.run")  # it does not train first
    assert "No such file" in benign("verify", "fig-line", "--against", str(tmp_path / "none.csv")).errors


def test_verify_distrusts_a_file_that_was_edited(built, benign, executed):
    executed()
    path = built.site / "figures/fig-line.csv"
    path.write_text(path.read_text().replace("0.1", "0.2", 1))
    said = benign("verify", "fig-line")
    assert said.status == 1 and f"{path} is not as it was published" in said.errors


def test_verify_says_which_chapter_failed_and_keeps_what_was_trained(built, benign, executed):
    def failing(job, text):
        job.failure = "cell run (4 of 7) failed" if job.chapter == "second" else None
        return text

    executed(failing)
    said = benign("verify")
    assert said.status == 1 and "fig-line  identical" in said.text
    assert "1 of 2 chapters could not be executed" in said.errors and "second: cell run" in said.errors
    assert list((built.root / "_build/verify").iterdir()) != []


def test_where_a_site_is_looked_for(built, benign, tmp_path):
    assert "there is no built site in" in benign("verify", "--site", str(tmp_path)).errors
    assert "both choose a site" in benign("verify", "--site", ".", "--preset", "smoke").errors
    shutil.copytree(built.site, built.root / "_build/other/html")
    assert "there are several sites in" in benign("diff", "_build", "_build").errors
    assert benign("diff", "_build/html", "_build/other").status == 0


def test_diff_of_a_build_with_itself(built, benign):
    said = benign("diff", "_build/html", "_build/html")
    assert (said.status, said.text) == (0, "nothing differs\n")
    assert benign("diff", "_build/html", "_build/html", "--json").text == "[]\n"


def test_diff_says_what_changed(built, benign):
    other = built.root / "other"
    shutil.copytree(built.site, other, ignore=EDITABLE)

    def edit(name, change):
        content = json.loads((other / name).read_text())
        change(content)
        (other / name).write_text(json.dumps(content))

    edit("claims.json", lambda c: c["claims"][0].update(verdict="fails", estimate=1.0, interval=[1.0, 1.0]))
    edit("figures/index.json", lambda c: c["figures"][0].update(caption="The line."))
    edit("figures/index.json", lambda c: c["figures"][1].update(id="tab-new"))
    edit("figures/fig-line.json", lambda c: c["run"]["parameters"].update(slope=1.0))
    table = built.site / "figures/tab-throws"
    for suffix in ("json", "csv"):
        shutil.copy(f"{table}.{suffix}", other / f"figures/tab-new.{suffix}")
    (other / "figures/fig-line.csv").write_text((other / "figures/fig-line.csv").read_text() + "4,8.1\n")
    said = benign("diff", "_build/html", "other")
    assert (said.status, said.errors) == (1, "")
    lines = said.text.splitlines()
    assert "  claim-line-rises: holds → fails; 2 [2, 2] → 1 [1, 1]" in lines
    assert "  tab-new: new" in lines and "  tab-throws: gone" in lines
    assert "  fig-line: 1 row added" in lines
    assert "  fig-line: caption: A line of 4 points. → The line." in lines
    assert "  first.slope: 2.0 → 1.0" in lines and "versions:" not in lines
    changes = json.loads(benign("diff", "_build/html", "other", "--json").text)
    verdict = next(change["facts"]["verdict"] for change in changes if change["what"] == "claim-line-rises")
    assert verdict == ["holds", "fails"]


def test_a_site_whose_figures_lead_out_of_it_is_refused(built, benign):
    path = built.site / "figures/index.json"
    path.write_text(path.read_text().replace('"fig-line"', '"../../../secret"'))
    (built.site / "build.json").unlink()  # whoever forges a site can leave its digests out
    for command in (["verify", "--site", "_build/html"], ["diff", "_build/html", "_build/html"], ["cite"]):
        said = benign(*command)
        assert said.status in (1, 2) and "id '../../../secret' is not 'fig-'" in said.errors


def test_diff_says_when_only_the_picture_or_the_software_changed(built, benign):
    other = built.root / "other"
    shutil.copytree(built.site, other, ignore=EDITABLE)
    index = json.loads((other / "figures/index.json").read_text())
    index["figures"][0]["files"]["fig-line.svg"] = "0" * 64
    (other / "figures/index.json").write_text(json.dumps(index))
    record = json.loads((other / "figures/fig-line.json").read_text())
    old, record["run"]["versions"]["numpy"] = record["run"]["versions"]["numpy"], "9.9"
    (other / "figures/fig-line.json").write_text(json.dumps(record))
    said = benign("diff", "_build/html", "other")
    assert said.status == 1 and said.text.splitlines() == [
        "figures and tables:",
        "  fig-line: the same numbers, drawn differently: fig-line.svg",
        "versions:",
        f"  first.numpy: {old} → 9.9",
    ]
