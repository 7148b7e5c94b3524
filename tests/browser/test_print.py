"""A single page, printed from the browser."""

import pytest

WIDTH = 643  # pixels between the margins of A4
SIDE_BARS = ".bd-sidebar-primary, .bd-sidebar-secondary, .bd-header, .bd-header-article, .prev-next-footer"
UNUSED = ".headerlink, .figure-links, .copybtn, details.above-input, #jb-print-docs-body"


@pytest.fixture(
    scope="module", params=["chapters/test-error.html", "chapters/dimension-free.html", "chapters/record/claims.html"]
)
def printed(lasting_page, request):
    """A page as the printer sees it, for a reader who likes it dark."""
    page = lasting_page(viewport={"width": WIDTH, "height": 1000}, color_scheme="dark")
    page.goto(request.param)
    page.evaluate("window.MathJax?.startup?.promise")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    return page


def test_paper_shows_the_chapter_and_nothing_to_click(printed):
    shown = "nodes => nodes.filter(node => node.getClientRects().length).map(node => node.className)"
    for selector in (SIDE_BARS, UNUSED):
        assert printed.eval_on_selector_all(selector, shown) == []
    # the smoke build's numbers are not the paper's, and paper says so too
    assert printed.locator(".bd-header-announcement").is_visible()
    title = printed.locator("article h1").first
    assert title.is_visible()
    assert printed.locator("article").first.bounding_box()["width"] > 0.9 * WIDTH


def test_nothing_is_cut_off(printed):
    assert printed.evaluate("document.documentElement.scrollWidth") <= WIDTH
    cut = """nodes => nodes.filter(node => getComputedStyle(node).overflowX !== 'visible'
                                        && node.scrollWidth > node.clientWidth + 1).map(node => node.outerHTML)"""
    assert printed.eval_on_selector_all("article :is(div, pre, table, figure, mjx-container)", cut) == []


def test_text_is_dark_on_white_even_after_dark_mode(printed):
    light = """nodes => nodes.filter(node => node.getClientRects().length && node.textContent.trim())
        .map(node => getComputedStyle(node).color.match(/[0-9.]+/g).slice(0, 3).map(Number))
        .filter(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b > 140)"""
    assert printed.eval_on_selector_all("article :is(p, h1, h2, li, td, th, a, span, code)", light) == []


def test_only_links_to_elsewhere_show_their_target(printed):
    target = "nodes => nodes.map(node => getComputedStyle(node, '::after').content)"
    assert set(printed.eval_on_selector_all("article a.internal", target)) <= {"none", "normal"}
    outside = printed.eval_on_selector_all('article a.external[href^="http"]', target)
    assert all("http" in content for content in outside)


def test_a_moving_picture_that_paper_shows_first_stands_at_its_end(page):
    page.goto("chapters/live.html")  # where the experiment hides it
    page.locator(".live-stage").wait_for()
    picture = page.locator(".figure-preview:has(.player) img")
    assert not picture.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.wait_for_timeout(600)  # a frame stands for 450
    slider = page.locator(".player input")
    assert slider.input_value() == slider.get_attribute("max")


def test_a_ledger_that_was_filtered_says_so_on_paper(page):
    page.goto("chapters/record/claims.html?words=margin")
    shown = page.locator(".ledger-tools output").inner_text()
    page.emulate_media(media="print")
    assert page.locator(".ledger-tools output").is_visible() and " of " in shown
    assert not page.locator(".ledger-tools label").first.is_visible()
