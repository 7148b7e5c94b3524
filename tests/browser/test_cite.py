"""Citing in a browser: by keyboard, by copying, without JavaScript; and the index of figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORMATS = ("bibtex", "apa", "csl-json")


@pytest.fixture(scope="module")
def figures(site):
    """The published figures and tables by id."""
    return {figure["id"]: figure for figure in json.loads((site / "figures/index.json").read_text())["figures"]}


@pytest.fixture
def said(site, tmp_path):
    """What ``benign cite`` prints for the site under test."""
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    (tmp_path / "intro.md").write_text("# Book\n")
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build/html").symlink_to(site)

    def cite(*arguments):
        command = [sys.executable, "-m", "livingpaper.cli", "cite", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    return cite


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
        for number, format in enumerate(FORMATS):
            page.keyboard.press("Tab")
            assert links.nth(number).evaluate("link => link === document.activeElement")
            page.keyboard.press("Tab")
            while not buttons.nth(number).evaluate("button => button === document.activeElement"):
                assert page.evaluate("document.activeElement.tagName") == "PRE"  # a box that can be scrolled
                page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_function("document.querySelector('.copybtn.success')")
            assert page.evaluate("navigator.clipboard.readText()") + "\n" == said(id, "--format", format)
        panel.locator("summary").focus()
        page.keyboard.press("Space")
        assert not panel.locator("pre").first.is_visible()


def test_the_panel_opens_without_javascript(new_page, figures, said):
    page = new_page(java_script_enabled=False)
    page.goto(figures["fig-dimension"]["page"])
    panel = page.locator("#fig-dimension details.cite")
    panel.locator("summary").click()
    assert panel.locator("pre").first.is_visible()
    assert [pre.text_content() for pre in panel.locator("pre").all()] == [
        said("fig-dimension", "--format", format) for format in FORMATS
    ]


def test_a_screen_reader_hears_what_is_cited(page, figures):
    page.goto(figures["fig-dimension"]["page"])
    name = f"cite Figure {figures['fig-dimension']['number']}"
    summary = page.locator("#fig-dimension details.cite summary")
    assert summary.inner_text().split() == name.split()
    assert summary.bounding_box()["width"] < 80  # the number is heard, not seen


@pytest.mark.parametrize("width", [360, 1440])
def test_an_open_panel_is_no_wider_than_the_window(new_page, figures, width):
    page = new_page(viewport={"width": width, "height": 800})
    page.goto(figures["fig-dimension"]["page"])
    for panel in page.locator("details.cite").all():
        panel.evaluate("panel => { panel.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for pre in page.locator("details.cite pre").all():
        assert pre.evaluate("pre => pre.scrollWidth <= pre.clientWidth")


@pytest.mark.parametrize("width", [360, 1440])
def test_the_index_shows_every_figure_with_links_that_lead_to_it(new_page, site, figures, width):
    page = new_page(viewport={"width": width, "height": 900})
    page.goto("chapters/record/figures.html")
    entries = page.locator(".index-entry")
    assert entries.count() == len(figures)
    found = entries.evaluate_all("entries => entries.map(e => [...e.querySelectorAll('a')].map(a => a.href))")
    for (id, figure), links in zip(figures.items(), found, strict=True):
        here = {link.split("/", 3)[3] for link in links}
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
