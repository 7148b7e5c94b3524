"""Every page opens and holds together: at any width, in light and dark, by keyboard, on paper, without JavaScript.

Beyond what each test asserts, a page must raise no error, fail no request and ask no other host (``new_page``).
With ``--screenshots FOLDER`` every page is photographed for a person to look at.
"""

import functools
import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from livingpaper.build.project import Project

PROJECT = Project(Path(__file__).parents[2])
CHAPTERS = [str(PROJECT.chapter(name).with_suffix(".html")) for name in PROJECT.chapters]
PAGES = [str(path.with_suffix(".html")) for path in PROJECT.pages]
SOURCES = ["_modules/benign/train/span.html", f"_modules/{CHAPTERS[0]}"]
GENERATED = ["search.html", "genindex.html", *SOURCES]
SAMPLE = (PAGES[0], CHAPTERS[0])
LEDGER = "chapters/record/claims.html"


def sampled(names, some=SAMPLE):
    """Some pages stand for all but in `make test-all`: a visit takes seconds."""
    return [name if name in some else pytest.param(name, marks=pytest.mark.slow) for name in names]


#: How people look at pages: a name, a window, a preference.
VIEWS = {
    "desktop-light": (1440, 900, "light"),
    "desktop-dark": (1440, 900, "dark"),
    "wall-light": (1920, 1080, "light"),
    "telephone-light": (360, 740, "light"),
    "telephone-dark": (360, 740, "dark"),
}
WATCHED = ("desktop-light", "telephone-dark")  # each width and each preference once


def opened(page, name):
    """The page, its formulas typeset."""
    page.goto(name)
    page.evaluate("Promise.all([window.MathJax?.startup?.promise, document.fonts.ready])")
    return page


def violations(page):
    """What axe finds."""
    # not preloaded: axe would fetch style sheets again, from addresses of its own making
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [(rule["id"], node["html"], node["failureSummary"]) for rule in found for node in rule["nodes"]]


def turned(page, view):
    """An open page in another view, at rest."""
    width, height, scheme = VIEWS[view]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    # Colours that fade are none yet; and in a closed panel, which is not drawn, they would fade for ever.
    page.evaluate("document.getAnimations().forEach((one) => one instanceof CSSTransition && one.finish())")
    return page


def fits(page):
    """A page is typeset, and no wider than its window."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert page.locator("mjx-merror").count() == 0


@functools.cache
def anchors(file):
    """The places within a page of the site; none in another file, None where there is no file."""
    if not file.is_file():
        return None
    return set(re.findall(r'\b(?:id|name)="([^"]*)"', file.read_text())) if file.suffix == ".html" else set()


def dead_links(page, site, address):
    """The links within the book, as the browser resolves them, that arrive at no file, or at no place within a page."""
    links = page.eval_on_selector_all("a[href]", "links => [...new Set(links.map(link => link.href))]")
    dead = []
    for link in sorted(link for link in links if urlsplit(link).hostname == "127.0.0.1"):
        parts = urlsplit(link)
        places = anchors(site / unquote(link.partition("#")[0].removeprefix(f"{address}/")))
        if places is None or (parts.fragment and unquote(parts.fragment) not in places):
            dead.append(link)
    return dead


@pytest.mark.parametrize("name", sampled(PAGES, (*SAMPLE, *CHAPTERS[-2:], LEDGER)))
def test_a_page_fits_its_windows_is_light_and_leads_somewhere(page, site, address, request, name):
    """In one visit: its weight, its links, and how it looks at each width, in light and dark.

    Under a megabyte of all that the browser asks for, fonts too, as a server sends it; the figures come on top.
    """
    asked = []
    page.on("requestfinished", lambda request: asked.append(request.url.removeprefix(f"{address}/").partition("?")[0]))
    opened(page, name)
    needed = [path for path in asked if not path.startswith(("figures/", "blob:"))]  # a blob is made of what came
    weights = {path: len(gzip.compress((site / path).read_bytes())) for path in needed}
    assert name in weights and any(path.endswith(".css") for path in weights)
    assert sum(weights.values()) < 1_000_000, weights
    assert dead_links(page, site, address) == []
    screenshots = request.config.getoption("--screenshots")
    for view in VIEWS if screenshots else WATCHED:
        fits(turned(page, view))
        if screenshots:
            stem = name.removesuffix(".html").replace("/", "-")
            page.screenshot(path=screenshots / f"{stem}-{view}.png", full_page=True)


@pytest.mark.parametrize("name", GENERATED)
def test_a_page_that_was_made_fits(page, name):
    opened(page, name)
    for view in WATCHED:
        fits(turned(page, view))


@pytest.mark.parametrize("name", sampled([*PAGES, *GENERATED]))
def test_a_page_is_accessible(page, name):
    """By axe, in light on a desk and in the dark on a telephone."""
    opened(page, name)
    for view in WATCHED:
        turned(page, view)
        # what scrolls becomes a stop of the keyboard 300 ms after a window has changed, by the page's own clock
        page.evaluate("new Promise((go) => requestAnimationFrame(() => setTimeout(go, 350)))")
        assert violations(page) == [], view


def test_icons_are_drawn_without_scripts(new_page):
    """By a web font, and a style sheet, of only those that the site shows."""
    page = new_page(java_script_enabled=False)
    with (
        page.expect_response(re.compile(r"fa-solid-900\.woff2")) as font,
        page.expect_response(re.compile(r"pydata-sphinx-theme\.css")) as styles,
    ):
        page.goto(CHAPTERS[0])
    assert len(font.value.body()) < 10_000
    assert ".fa-expand:before" in styles.value.text() and ".fa-accessible-icon:before" not in styles.value.text()
    icon = page.locator(".bd-header-article .fa-expand")
    assert icon.is_visible() and icon.bounding_box()["width"] > 10


@pytest.mark.parametrize("name", sampled(CHAPTERS))
def test_without_javascript_a_chapter_still_says_and_shows_everything(new_page, name):
    page = new_page(java_script_enabled=False)
    page.goto(name)
    figures = page.locator("figure.book-figure img.published")
    assert figures.count() > 0
    for picture in figures.all():
        picture.scroll_into_view_if_needed()
        assert picture.is_visible() and picture.bounding_box()["height"] > 50
    for claim in page.locator(".admonition.claim").all():
        assert claim.is_visible() and claim.inner_text().strip()
    assert page.locator(".bd-sidebar-primary a", has_text="References").first.is_visible()


def test_the_keyboard_alone_leads_through_a_page(page):
    """Tab reaches the skip link first, then every link and control, each with a visible focus; none is a trap."""
    opened(page, CHAPTERS[0])
    seen = []
    for _ in range(400):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => {
                const at = document.activeElement;
                if (at === document.body) return null;
                // the theme's switches have no extent of their own, only what stands in them
                const seen = at.matches(".bd-links summary") ? at.firstElementChild : at;
                const style = getComputedStyle(seen), box = seen.getBoundingClientRect();
                const focus = style.outlineStyle !== "none" || style.boxShadow !== "none";
                const words = at.getAttribute("aria-label") || at.textContent || at.title || at.id;
                return [words.trim(), focus, box.width * box.height > 0, at.href ?? ""];
            }"""
        )
        if place is None:
            break
        seen.append(place)
    else:
        pytest.fail("the focus never left the page")
    assert seen[0][0] == "Skip to main content"
    assert [stop for stop in seen if not all(stop[:3])] == []
    reached = {address for *_, address in seen}
    legends = page.eval_on_selector_all(".figure-links a:not(details a)", "links => links.map(link => link.href)")
    assert legends and set(legends) <= reached


def test_a_table_fades_where_there_is_more_of_it(new_page):
    page = opened(new_page(viewport={"width": 390, "height": 844}), "chapters/assumptions.html")
    table = page.locator(".pst-scrollable-table-container.has-more").first
    table.wait_for()
    handle = table.element_handle()
    handle.evaluate("box => box.scrollTo({left: box.scrollWidth})")
    page.wait_for_function("box => !box.classList.contains('has-more')", arg=handle)


def test_motion_stops_for_those_who_ask(new_page):
    page = opened(new_page(reduced_motion="reduce"), CHAPTERS[0])
    longest = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("*")].flatMap(
            (one) => getComputedStyle(one).transitionDuration.split(",").map(parseFloat)))"""
    )
    assert longest < 0.001
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_on_paper_there_is_the_article_and_no_furniture(page):
    opened(page, CHAPTERS[0])
    page.emulate_media(media="print")
    for furniture in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article", ".prev-next-footer"):
        assert not page.locator(furniture).first.is_visible(), furniture
    assert page.locator("figure.book-figure img.published").first.is_visible()


def test_from_disk_a_chapter_opens_without_a_complaint(new_page, site):
    page = opened(new_page(base_url=None), (site / CHAPTERS[0]).as_uri())
    assert page.locator("mjx-container").count() > 0
