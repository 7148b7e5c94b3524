"""``benign replicate``: chapters drawn again, what is kept of that, what it means for a claim, and where it shows."""

import json
import re
import signal
from dataclasses import asdict
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from livingpaper.build import replications
from livingpaper.build.plan import plan
from livingpaper.build.project import Project
from livingpaper.build.replications import Draw, Drawn, Number

CHAPTER, FILE = "chapters/drawn.ipynb", "chapters/drawn.replications.json"
LUCK = "holds in the published draw; holds, fails in fresh draws"


def kept(book):
    return json.loads((book.root / FILE).read_text())


def edit_kept(book, change):
    content = kept(book)
    change(content)
    (book.root / FILE).write_text(json.dumps(content))


def row(text, claim):
    """What a table for people says of a claim, cell by cell."""
    (line,) = [line for line in text.splitlines() if claim in line.split()[:2]]
    return re.split(r"\s{2,}", line.strip())


# -- what is kept ---------------------------------------------------------------------------------


def test_what_is_kept_is_what_each_block_of_seeds_gave(drawn):
    content = kept(drawn)
    assert [(draw["first_seed"], draw["seeds"]) for draw in content["draws"]] == [
        (0, [0, 11]), (10000, [10000, 10011]), (20000, [20000, 20011]),
    ]  # fmt: skip
    seeds = sorted(int(call.split()[1]) for call in drawn.calls)
    assert seeds == [first + seed for first in (0, 10000, 20000) for seed in range(12)]
    numbers = [draw["claims"]["claim-crossings"] for draw in content["draws"]]
    assert len({number["estimate"] for number in numbers}) == 3
    for number in numbers:
        assert number["interval"][0] < number["estimate"] < number["interval"][1]
        assert (number["draws"], number["holds_if"]) == (12, "> 0.5")
    made = content["made_of"]
    assert made["parameters"] == {"seeds": 12, "hundreds": 1} and "needle/experiments/throws.py" in made["modules"]
    assert (
        not {"python", "matplotlib"} & made["versions"].keys() and "livingpaper/say/figures.py" not in made["modules"]
    )
    assert len((drawn.root / FILE).read_text().splitlines()) < 150  # an interval is one line


def test_a_second_time_nothing_is_executed_and_the_file_is_the_same(drawn, benign):
    before, calls = drawn.files("chapters"), drawn.calls
    said = benign("replicate", "--blocks", "2")
    assert (said.status, said.errors) == (0, "")
    assert (drawn.files("chapters"), drawn.calls) == (before, calls) and "starting" not in said.text
    assert "first: left out, for it has no parameter first_seed" in said.text
    assert row(said.text, "claim")[1:] == ["published", "seeds from 10000", "seeds from 20000"]
    assert row(said.text, "claim-crossings")[1] == "0.6367 [0.611, 0.6591] holds"
    assert row(said.text, "claim-luck")[3].endswith("fails (changed, disjoint)")
    assert row(said.text, "claim-lengths")[1:] == ["not testable"] * 3
    assert "3 claims: 2 stood in all fresh draws, 1 did not; 1 with an interval that" in said.text
    rows = json.loads(benign("replicate", "drawn", "--blocks", "2", "--json").text)
    assert len(rows) == 9
    found = {(one["claim"], one["first_seed"]): one["verdict"] for one in rows}
    assert found["claim-luck", 10000] == "holds" and found["claim-luck", 20000] == "fails"


def test_no_draw_is_lost_by_asking_for_fewer_unless_it_says_nothing_any_more(drawn, benign):
    before = kept(drawn)
    assert benign("replicate", "drawn", "--blocks", "1").status == 0
    assert kept(drawn) == before and len(before["draws"]) == 3
    chapter = drawn.root / CHAPTER
    chapter.write_text(chapter.read_text().replace(":holds-if: '> ", ":holds-if: '>= "))
    assert benign("replicate", "drawn", "--blocks", "1").status == 0
    assert [draw["first_seed"] for draw in kept(drawn)["draws"]] == [0, 10000]


def test_a_replication_that_was_killed_goes_on_where_it_stopped(drawn, benign):
    drawn.calls_file.unlink()
    drawn.hold.touch()
    drawn.edit("src/needle/experiments/throws.py", "batch[0].hundreds == 2", "batch[0].seed == 10000")
    process = drawn.start("replicate", "drawn", "--blocks", "2", "--jobs", "1")
    while "1 10000" not in drawn.calls:
        assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate(timeout=20)
    assert "drawn, seeds from 0: done" in said and "drawn, seeds from 10000: starting" in said
    drawn.hold.unlink()
    said = benign("replicate", "drawn", "--blocks", "2")
    assert said.status == 0, said.errors
    assert set(re.findall(r"seeds from (\d+):", said.text)) == {"10000", "20000"}
    assert drawn.calls.count("1 0") == drawn.calls.count("1 20000") == 1
    assert "throws.py" in str(kept(drawn)["made_of"]) and len(kept(drawn)["draws"]) == 3


def test_a_chapter_whose_seeds_have_no_beginning_is_refused_by_name(drawn, benign):
    said = benign("replicate", "first")
    assert said.status == 1
    assert "first has no parameter 'first_seed', from which its seeds start: add `first_seed: int = 0" in said.errors


def pretend(monkeypatch, book, seeds):
    """Chapters are not executed: they give what they gave, and say that they had these seeds."""
    texts = [path.read_text() for path in (book.root / "_build/cache/notebooks").glob("*/*.ipynb")]
    text = next(text for text in texts if "claim-luck" in text)

    def run(jobs, parallel, time_limit, cache, watch):
        for job in jobs:
            job.folder.mkdir(parents=True, exist_ok=True)
            job.output.write_text(text)
            job.file("used").unlink(missing_ok=True)
            told = {"experiment": "Throw", "runs": 1, "computed": 1, "seconds": 1.0, "seeds": seeds(job)}
            job.file("progress.sweeps").write_text(json.dumps(told) + "\n")
            job.started, job.seconds = 0.0, 1.0
        watch(jobs)

    monkeypatch.setattr("livingpaper.build.execute.run", run)


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        (
            lambda job: [0, 11],
            "drawn: with first_seed = 10000 its sweep of Throw has the seeds 0 to 11: let them start there, as in "
            "seeds=range(first_seed, first_seed + 9)",
        ),
        (
            lambda job: [job.parameters.get("first_seed", 0), job.parameters.get("first_seed", 0) + 10000],
            "drawn: the blocks of seeds from 0 and from 10000 overlap: 0 to 10000 and 10000 to 20000; a chapter can "
            "have 10000 seeds",
        ),
    ],
)
def test_blocks_that_share_seeds_are_no_replications(drawn, benign, monkeypatch, seeds, told):
    before = (drawn.root / FILE).read_bytes()
    pretend(monkeypatch, drawn, seeds)
    drawn.edit("src/needle/experiments/throws.py", "run.length / 2", "run.length / 2.0")
    said = benign("replicate", "drawn", "--blocks", "1")
    assert said.status == 1 and told in said.errors
    assert (drawn.root / FILE).read_bytes() == before


# -- what it means --------------------------------------------------------------------------------


def draws(*estimates, holds_if="< 1"):
    claims = [{"claim-a": Number(value, [value - 0.1, value + 0.1], 9, holds_if)} for value in estimates]
    return [Draw(10000 * block, [0, 1], numbers) for block, numbers in enumerate(claims)]


def shown(drawn, verdict="holds"):
    return replications.applied({"id": "claim-a", "verdict": verdict, "holds_if": "< 1"}, drawn)


@pytest.mark.parametrize(
    ("estimates", "verdict", "words", "stood"),
    [
        ((0, 0, 0, 0), "holds", "stood in 3 of 3 fresh draws", True),
        ((0, 0), "holds", "stood in 1 of 1 fresh draw", True),
        ((0, 1, 0), "unresolved", "holds in the published draw; unresolved, holds in fresh draws", False),
        ((0, 2), "unresolved", "holds in the published draw; fails in fresh draw", False),
        ((0,), "holds", "not replicated yet", False),
        ((), "holds", "not replicated yet", False),
    ],
)
def test_a_claim_is_settled_only_if_every_fresh_draw_agrees(estimates, verdict, words, stood):
    claim = shown(Drawn(draws(*estimates), []))
    assert (claim["verdict"], claim["verdict_of_draw"]) == (verdict, "holds")
    assert (replications.in_words(claim), replications.stood(claim)) == (words, stood)
    assert [one["first_seed"] for one in claim["replications"]] == [10000 * block for block in range(1, len(estimates))]


def test_draws_that_are_outdated_are_shown_and_decide_nothing():
    claim = shown(Drawn(draws(0, 2), ["span.py changed", "n 1 → 2"]))
    assert claim["verdict"] == "holds" and not replications.stood(claim)
    assert replications.in_words(claim).endswith("fails in fresh draw; outdated: span.py changed and 1 more")
    claim = shown(Drawn(draws(0, 2, holds_if="< 0.5"), []))
    assert claim["verdict"] == "holds" and claim["replications_outdated"] == ["the predicate was < 0.5"]


@pytest.mark.parametrize(
    ("now", "counts"),
    [(0, True), (1e-15, True), (0.009, True), (0.011, False), (None, False)],
    ids=["the same", "rounded otherwise", "one training took another way", "another number", "nothing"],
)
def test_draws_still_count_where_code_has_changed_and_the_published_number_has_not(now, counts):
    (published,) = draws(now)[0].claims.values() if now is not None else (Number(None, None, None, "< 1"),)
    claim = {"id": "claim-a", "verdict": "holds"} | asdict(published)
    claim = replications.applied(claim, Drawn(draws(0, 0, 0), ["span.py changed"]))
    assert replications.stood(claim) is counts
    assert claim["replications_outdated"] == ([] if counts else ["span.py changed"])


def test_other_values_than_the_published_ones_show_their_own_verdict():
    claim = shown(None)
    assert (claim["verdict"], claim["replications"], replications.in_words(claim)) == ("holds", None, "")


def test_numbers_are_compared_with_the_published_ones():
    one, two, none = Number(0, [-1, 1], 9, "< 2"), Number(3, [2.5, 4], 9, "< 2"), Number(None, None, None, "< 2")
    assert [one.against(two), two.against(one)] == ["changed, disjoint"] * 2
    assert (one.against(one), one.against("holds"), one.against(None), none.against(one)) == ("", "", "", "changed")
    assert [str(one), str(none)] == ["0 [-1, 1] holds", "not testable"]


def outdated(book):
    project = Project(book.root)
    (step,) = plan(project, project.variant(None, {}), ["drawn"])
    return replications.read(project, "drawn", step.parts).outdated


@pytest.mark.parametrize(
    ("path", "old", "new", "reasons"),
    [
        ("src/needle/experiments/throws.py", "length / 2", "length / 3", ["needle/experiments/throws.py changed"]),
        (CHAPTER, "seeds: int = 12", "seeds: int = 13", ["seeds 12 → 13"]),
        (CHAPTER, "first_seed: int = 0", "first_seed: int = 7", []),
        (CHAPTER, "length=1.0", "length=0.5", ["cell run changed"]),
        (CHAPTER, "It is so by luck.", "It is so.", []),
    ],
)
def test_what_has_changed_since_is_named(drawn, path, old, new, reasons):
    assert outdated(drawn) == []
    drawn.edit(path, old, new)
    assert outdated(drawn) == reasons


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 1, "made_of": {}, "draws": []}', '{"draws": [{}]}'])
def test_a_damaged_file_says_how_to_mend_it(drawn, benign, content):
    (drawn.root / FILE).write_text(content)
    said = benign("build")
    assert said.status == 1 and "remove it and run `needle replicate drawn`" in said.errors


# -- where it shows -------------------------------------------------------------------------------


def words(node):
    return " ".join(node.get_text().split())


def test_pages_and_lists_say_how_claims_fared(drawn, benign):
    page = BeautifulSoup(drawn.page("chapters/drawn.html"), "html.parser")
    luck, lengths = page.find(id="claim-luck"), page.find(id="claim-lengths")
    assert "claim-unresolved" in luck["class"] and "? unresolved" in words(luck.p)
    assert words(luck.summary) == f"0.6367 [0.611, 0.6591]; holds if > 0.5; {LUCK}"
    assert [words(one) for one in luck.select("details li")] == [
        "Seeds from 10000: 0.6267 [0.5835, 0.6633] ✓ holds", "Seeds from 20000: -0.3708 [-0.3976, -0.3436] ✗ fails",
    ]  # fmt: skip
    assert words(luck.select_one(".claim-changed")) == "Predicate changed: It was more than all, which nobody says."
    assert "claim-not-testable" in lengths["class"] and lengths.select_one(".verdict-not-testable")
    assert words(lengths.summary) == "nothing to test; holds if > 0.5"
    assert "On record: not testable." in words(lengths.details)
    ledger = BeautifulSoup(drawn.page("claims.html"), "html.parser")
    rows = {words(row.a): row for row in ledger.select(".ledger tbody tr") if row.a}
    assert words(rows["Claim 2"].summary) == "Stood in 2 of 2 fresh draws"
    assert "Predicate changed: It was more" in words(rows["Claim 3"]) and rows["Claim 3"].em
    assert "Not replicated yet" in words(rows["Claim 1"])
    assert not rows["Claim 3"].select("p details")  # a browser would take it out of there
    assert words(ledger.select_one(".claims-summary")) == (
        "4 claims; 2 hold, 0 fail, 1 is unresolved, 1 is not testable; of these 1 stood in every fresh draw."
    )
    published = {claim["id"]: claim for claim in json.loads(benign("claims", "--json").text)}
    luck = published["claim-luck"]
    assert (luck["verdict"], luck["verdict_of_draw"], luck["replications_outdated"]) == ("unresolved", "holds", [])
    assert [(one["first_seed"], one["verdict"]) for one in luck["replications"]] == [(10000, "holds"), (20000, "fails")]
    assert luck["changed"] == "It was more than all, which nobody says."
    assert published["claim-lengths"]["interval"] is None and published["claim-line-rises"]["replications"] == []
    listed = benign("claims").text
    told = {
        claim: listed.partition(f"{claim}  ")[2].partition("claim-")[0] for claim in ("claim-lengths", "claim-luck")
    }
    assert "nothing to test" in told["claim-lengths"] and LUCK in told["claim-luck"]


def test_the_verdict_on_record_is_the_one_that_is_shown(drawn, benign, no_pages):
    found = (drawn.root / FILE).read_bytes()
    # code that has changed since, and computes the same
    edit_kept(drawn, lambda content: content["made_of"]["modules"].update({"needle/unused.py": "ab"}))
    assert benign("build").status == 0
    # and that does not
    edit_kept(drawn, lambda content: content["draws"][0]["claims"]["claim-luck"].update(estimate=0.6))
    said = benign("build")
    assert said.status == 1 and "claim-luck holds, on record: unresolved" in said.errors
    assert "; outdated: needle/unused.py removed)" in said.errors
    assert "Outdated draws decide nothing: `needle replicate drawn` makes new ones." in said.errors
    drawn.edit(CHAPTER, ":record: unresolved", ":record: holds")
    assert benign("build").status == 0
    (drawn.root / FILE).write_bytes(found)
    said = benign("build")
    told = f"drawn: claim-luck unresolved, on record: holds (0.6367 [0.611, 0.6591]; holds if > 0.5; {LUCK})"
    assert said.status == 1 and told in said.errors and "outdated" not in said.errors.lower()


# -- a run, and what it is compared with ----------------------------------------------------------


def run(benign, *arguments):
    """What a run says, and its folder."""
    said = benign("run", *arguments)
    assert said.status == 0, said.errors
    return said.text, re.search(r"record of the run: (.*)", said.text)[1]


def test_a_run_ends_with_what_became_of_each_claim(drawn, benign):
    text, folder = run(benign, "drawn", "-p", "first_seed=20000")  # as it was drawn already
    assert "Parameters: first_seed 0 → 20000\n" in text
    assert row(text, "claim-crossings")[1:] == ["0.6367 [0.611, 0.6591] holds", "0.6292 [0.6024, 0.6564] holds"]
    assert row(text, "claim-luck")[1:] == [
        "0.6367 [0.611, 0.6591] holds", "-0.3708 [-0.3976, -0.3436] fails", "changed, disjoint",
    ]  # fmt: skip
    claims = json.loads(Path(folder, "claims.json").read_text())["claims"]
    assert claims[0]["statement"] == "More than 50% of 1 hundred cross."
    assert {claim["id"]: claim["verdict"] for claim in claims}["claim-luck"] == "fails"
    before = row(text, "claim-luck")
    (drawn.root / FILE).unlink()
    text, _ = run(benign, "drawn", "-p", "first_seed=20000")
    assert row(text, "claim-luck") == before  # from the site
    drawn.site.rename(drawn.root / "elsewhere")
    text, _ = run(benign, "drawn", "-p", "first_seed=20000")
    assert row(text, "claim-luck")[1:] == ["unresolved", "-0.3708 [-0.3976, -0.3436] fails", "changed"]
    assert "Parameters: the published ones" in run(benign, "drawn")[0]


def test_diff_takes_what_run_wrote(drawn, benign):
    _, same = run(benign, "drawn")
    _, one = run(benign, "drawn", "-p", "first_seed=10000")
    _, two = run(benign, "drawn", "-p", "first_seed=20000")
    assert benign("diff", "_build/html", same).text == "nothing differs\n"
    for sides in (("_build/html", two), (one, two)):
        said = benign("diff", *sides)
        assert (said.status, said.errors) == (1, "")
        lines = said.text.splitlines()
        (luck,) = [line for line in lines if "claim-luck" in line]
        assert luck.endswith("→ fails; 0.6367 [0.611, 0.6591] → -0.3708 [-0.3976, -0.3436]") or (
            luck.endswith("holds → fails; 0.6267 [0.5835, 0.6633] → -0.3708 [-0.3976, -0.3436]") and sides[0] == one
        )
        assert any("tab-crossings: " in line and "crossed" in line for line in lines)
        assert any(re.fullmatch(r"  drawn.first_seed: (0|10000) → 20000", line) for line in lines)
        assert (
            "first" not in said.text.replace("first_seed", "") and "captions:" not in lines and "gone" not in said.text
        )
    drawn.edit(CHAPTER, "What came out of", "What there was in")
    said = benign("diff", one, run(benign, "drawn", "-p", "first_seed=10000")[1])
    assert said.text == "nothing differs\n"  # the same folder, written anew
    _, other = run(benign, "first")
    said = benign("diff", one, other)
    assert said.status == 1 and f"{one} is a run of drawn, and {other} of first: compare two of one" in said.errors
    Path(one, "drawn.ipynb").write_text("{")
    assert "drawn.ipynb is damaged" in benign("diff", one, two).errors
