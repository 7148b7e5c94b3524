"""Citing in a browser: by keyboard, by copying, without JavaScript; and the index of figures."""

import json

import pytest

from livingpaper.publish import citation


@pytest.fixture(scope="module")
def figures(site):
    """The published figures and tables by id."""
    return {figure["id"]: figure for figure in json.loads((site / "figures/index.json").read_text())["figures"]}


@pytest.fixture(scope="module")
def said(site):
    """What was published, and what ``benign cite`` prints, of a figure or table in each format."""
    return lambda id: [(site / f"figures/{id}.{suffix}").read_text() for suffix in citation.FORMATS.values()]


def test_the_panel_opens_by_keyboard_and_copies_what_the_command_prints(new_page, figures, said):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    for id in ("fig-dimension", "tab-digits"):
        page.goto(figures[id]["page"])
        page.wait_for_function("document.querySelectorAll('details.cite .copybtn').length > 2")
        holder = page.locator(f"figure#{id}, .book-table:has(#{id})").last
        panel = holder.locator("details.cite")
        assert not panel.locator("pre").first.is_visible()
        panel.locator("summary").focus()
        page.keyboard.press("Enter")
        assert panel.locator("pre").first.is_visible()
        links, buttons = panel.locator("a"), panel.locator("button.copybtn")
        assert (links.count(), buttons.count()) == (3, 3)
        # the way of the keyboard: each format's file, then its copy button
        for number, text in enumerate(said(id)):
            page.keyboard.press("Tab")
            assert links.nth(number).evaluate("link => link === document.activeElement")
            page.keyboard.press("Tab")
            while not buttons.nth(number).evaluate("button => button === document.activeElement"):
                assert page.evaluate("document.activeElement.tagName") == "PRE"  # a box that can be scrolled
                page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_function("document.querySelector('.copybtn.success')")
            assert page.evaluate("navigator.clipboard.readText()") + "\n" == text
        panel.locator("summary").focus()
        page.keyboard.press("Space")
        assert not panel.locator("pre").first.is_visible()


def test_the_panel_opens_without_javascript(new_page, figures, said):
    page = new_page(java_script_enabled=False)
    page.goto(figures["fig-dimension"]["page"])
    panel = page.locator("#fig-dimension details.cite")
    panel.locator("summary").click()
    assert panel.locator("pre").first.is_visible()
    assert [pre.text_content() for pre in panel.locator("pre").all()] == said("fig-dimension")


def test_a_screen_reader_hears_what_is_cited(page, figures):
    page.goto(figures["fig-dimension"]["page"])
    name = f"cite Figure {figures['fig-dimension']['number']}"
    summary = page.locator("#fig-dimension details.cite summary")
    assert summary.inner_text().split() == name.split()
    assert summary.bounding_box()["width"] < 80  # the number is heard, not seen


def test_an_open_panel_is_no_wider_than_the_window(page, figures):
    page.goto(figures["fig-dimension"]["page"])
    page.evaluate("document.querySelectorAll('details.cite').forEach((panel) => { panel.open = true })")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = "boxes => boxes.filter((box) => box.scrollWidth > box.clientWidth).length"
        assert page.locator("details.cite pre").count() > 0
        assert page.eval_on_selector_all("details.cite pre", wide) == 0


@pytest.mark.parametrize("width", [360, 1440])
def test_the_index_shows_every_figure_with_links_that_lead_to_it(new_page, address, site, figures, width):
    page = new_page(viewport={"width": width, "height": 900})
    page.goto("chapters/record/figures.html")
    entries = page.locator(".index-entry")
    assert entries.count() == len(figures)
    found = entries.evaluate_all("entries => entries.map(e => [...e.querySelectorAll('a')].map(a => a.href))")
    for (id, figure), links in zip(figures.items(), found, strict=True):
        here = {link.removeprefix(f"{address}/") for link in links}
        assert {figure["page"], f"figures/{id}.csv", f"figures/{id}.json", f"figures/{id}.bib"} <= here
        assert all((site / link.partition("#")[0]).is_file() for link in here)
    thumbnails = page.locator(".index-entry img")
    assert thumbnails.count() == sum(figure["kind"] == "figure" for figure in figures.values())
    last = thumbnails.last
    assert last.evaluate("image => !image.complete || !image.naturalWidth")  # far below, not asked for yet
    last.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=last.element_handle())
    assert last.bounding_box()["width"] <= width and last.get_attribute("alt")


def test_the_page_of_figures_is_light(site):
    assert (site / "chapters/record/figures.html").stat().st_size < 1_000_000
