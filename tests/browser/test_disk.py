"""The pages from disk, as somebody reads them who unpacked a release: what scripts do works there too.

All other tests of this folder read them below a folder of a server, as forges have it; those of the search, and of the
live experiment, have their own of pages from disk.
"""

from livingpaper.publish import citation


def test_the_ledger_is_filtered_and_its_address_keeps_the_choice(disk):
    disk.goto("chapters/record/claims.html?is=fails")
    form = disk.locator(".ledger-tools")
    assert form.locator("[name=is]").input_value() == "fails"
    rows = disk.locator(".ledger tbody tr:not(.group):visible")
    failing = rows.count()
    form.locator("[name=is]").select_option("")
    disk.wait_for_function("!location.search.includes('fails')")
    assert 0 < failing < rows.count()
    assert form.locator("output").inner_text() == f"{rows.count()} claims"


def test_a_moving_picture_plays(disk):
    disk.emulate_media(reduced_motion="reduce")  # it waits to be asked
    disk.goto("chapters/gradient-descent.html")
    player = disk.locator(".player").first
    last = player.locator("output").inner_text()
    player.get_by_role("button").click()
    disk.wait_for_function("words => document.querySelector('.player output').value !== words", arg=last)
    assert "#frame-" in disk.locator("figure:has(.player) img").first.get_attribute("src")


def test_a_figure_is_explored_a_meaning_shown_and_a_panel_opened(disk):
    disk.goto("chapters/assumptions.html")
    word = disk.locator(".meaning-of").first
    word.focus()
    assert disk.locator(".meaning-text:visible").count() == 1
    figure = disk.locator("#fig-signal-diagram")
    figure.locator(".explore-marks").hover()
    assert "benign train" in figure.locator(".explore-command code").first.inner_text()
    for kind, words in {"columns": "signal load", "made": "benign run assumptions", "cite": "@misc"}.items():
        panel = figure.locator(f"details.{kind}")
        panel.locator("summary").click()
        assert words in panel.inner_text()
    cited = figure.locator("details.cite a").all()
    assert [link.get_attribute("href") for link in cited] == [
        f"../figures/fig-signal-diagram.{suffix}" for suffix in citation.FORMATS.values()
    ]
    assert disk.evaluate("document.documentElement.scrollWidth") <= 1440


def test_a_link_to_how_a_figure_was_made_opens_that(disk):
    disk.goto("chapters/record/figures.html")
    disk.locator("a[href$='#fig-signal-diagram-made']").click()
    disk.locator("#fig-signal-diagram-made", has_text="benign run assumptions").wait_for()
