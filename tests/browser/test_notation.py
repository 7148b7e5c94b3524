"""The meaning of a symbol or term: shown by pointer, focus and tap, dismissed by Escape, a link without JavaScript."""

import pytest

PAGE = "chapters/setting.html"
#: The words whose meaning, at their focus, does not lie in the window with all corners, and before everything else.
CUT_OFF = """async () => {
    const found = [];
    for (const link of document.querySelectorAll(".meaning-of")) {
        link.focus();
        let seen = false;
        for (let frame = 0; frame < 30 && !seen; frame++) {  // until it is scrolled to
            await new Promise(requestAnimationFrame);
            seen = whole();
        }
        if (!seen) found.push(link.textContent);
    }
    return found;

    function whole() {
        const tips = [...document.querySelectorAll(".meaning-text")].filter((tip) => tip.checkVisibility());
        return tips.length === 1 && tips.every((tip) => {
            const {left, right, top, bottom} = tip.getBoundingClientRect();
            const inside = left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
            const corners = [left + 3, right - 3].flatMap((x) => [[x, top + 3], [x, bottom - 3]]);
            return inside && corners.every(([x, y]) => tip.contains(document.elementFromPoint(x, y)));
        });
    }
}"""


@pytest.fixture
def marked(page):
    page.goto(PAGE)
    first = page.locator(".meaning").first
    # with room below it: at the edge of the window the pointer's straight way to a meaning above leaves both
    first.evaluate("word => word.scrollIntoView({block: 'center', behavior: 'instant'})")
    return first


def test_it_shows_under_the_pointer_which_may_move_onto_it(page, marked):
    tip = marked.get_by_role("tooltip", include_hidden=True)
    assert not tip.is_visible()
    marked.locator("a").hover()
    assert tip.is_visible() and tip.inner_text()
    box = tip.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3, steps=5)
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    marked.locator("a").hover()
    page.mouse.move(2, 2)
    assert not tip.is_visible()


def test_it_shows_at_the_focus_and_describes_what_has_it(page, marked):
    link, tip = marked.locator("a"), marked.get_by_role("tooltip", include_hidden=True)
    link.focus()
    assert tip.is_visible()
    assert link.get_attribute("aria-describedby") == tip.get_attribute("id")
    page.keyboard.press("Escape")
    assert not tip.is_visible() and page.evaluate("document.activeElement.className") == "meaning-of"
    link.blur()
    link.focus()
    page.keyboard.press("Tab")
    assert not tip.is_visible()


def test_a_tap_shows_it_and_a_second_one_follows_the_link(new_page):
    page = new_page(viewport={"width": 360, "height": 800}, has_touch=True)
    page.goto(PAGE)
    link = page.locator(".meaning-of").first
    target = link.get_attribute("href")
    link.tap()
    assert page.url.endswith(PAGE) and page.locator(".meaning-text:visible").count() == 1
    link.tap()
    page.wait_for_url(f"**/{target.removeprefix('../')}")


@pytest.mark.parametrize("name", [PAGE, "chapters/assumptions.html"])
def test_all_of_it_can_be_seen_in_the_window(new_page, name):
    page = new_page(reduced_motion="reduce")
    page.goto(name)
    assert page.locator(".meaning-of").count() >= 5
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CUT_OFF) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_javascript_it_is_a_link_to_the_explanation(new_page):
    page = new_page(java_script_enabled=False)
    page.goto(PAGE)
    assert page.locator(".meaning-text:visible").count() == 0
    link = page.locator(".meaning-of").first
    anchor = link.get_attribute("href").partition("#")[2]
    link.click()
    assert page.locator(f"[id='{anchor}']").count() == 1
