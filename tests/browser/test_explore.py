"""Explorable figures in the browser: pointer, finger, keyboard, and what is left without JavaScript and on paper."""

import itertools
import json
import re
import shlex

import numpy as np
import pytest

from livingpaper.build.project import Project

CORNERS = """(figure, places) => {
    const image = figure.querySelector("img.published"), canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * image.naturalWidth, 2 * image.naturalHeight];
    const pen = canvas.getContext("2d", {willReadFrequently: true});
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    const colour = (x, y) => [...pen.getImageData(x * canvas.width, y * canvas.height, 1, 1).data];
    const near = [0.06, 0.94];
    return places.map(([x, y, w, h]) => near.flatMap((a) => near.map((b) => colour(x + a * w, y + b * h))));
}"""
#: How far the centre of each mark is from where its data and the picture's box have it, in pixels.
OFFSETS = """(figure, places) => {
    const image = figure.querySelector("img.published"), style = getComputedStyle(image);
    const box = image.getBoundingClientRect(), [x, y] = [parseFloat(style.paddingLeft), parseFloat(style.paddingTop)];
    return places.map(([left, top, width, height], index) => {
        const mark = figure.querySelector(`#${figure.id}-mark-${index}`).getBoundingClientRect();
        return [
            mark.left + mark.width / 2 - box.left - x - (left + width / 2) * (box.width - 2 * x),
            mark.top + mark.height / 2 - box.top - y - (top + height / 2) * (box.height - 2 * y),
        ];
    });
}"""
SHOWN = "name => document.querySelector('#fig-good-event img').currentSrc.endsWith(name)"
DATA = re.compile(r'class="explorer".*?<script type="application/json">(.*?)</script>')  # in it, < is escaped
PAGE, FIGURE = "chapters/assumptions.html", "#fig-signal-diagram"


def opened(page, name=PAGE, figure=FIGURE):
    page.goto(name)
    found = page.locator(figure)
    found.scroll_into_view_if_needed()
    return found


@pytest.fixture(scope="module")
def figure(lasting_page):
    """A figure with marks, on one page for the tests that leave it as it was."""
    return opened(lasting_page(permissions=["clipboard-read", "clipboard-write"]))


def data(figure):
    return json.loads(figure.locator(".explorer script").text_content())


def told(figure):
    return {part: figure.locator(f".explore-{part}").inner_text() for part in ("setting", "numbers")} | {
        "command": figure.locator(".explore-command code").first.inner_text()
    }


def place_of(figure, mark, version="at"):
    """The centre of a mark in the window, from its data and the picture's own box."""
    box = figure.locator("img.published").evaluate(
        """image => {
            const box = image.getBoundingClientRect(), style = getComputedStyle(image);
            const [x, y] = [parseFloat(style.paddingLeft), parseFloat(style.paddingTop)];
            return [box.left + x, box.top + y, box.width - 2 * x, box.height - 2 * y];
        }"""
    )
    x, y, width, height = mark[version]
    return box[0] + (x + width / 2) * box[2], box[1] + (y + height / 2) * box[3]


def test_every_mark_answers_to_the_pointer(figure):
    page, marks = figure.page, data(figure)["marks"]
    assert len(marks) >= 12
    for mark in marks:
        page.mouse.move(*place_of(figure, mark))
        assert told(figure) == {
            "setting": mark["setting"],
            "numbers": "; ".join([*mark["numbers"], mark["seeds"]]) + ".",
            "command": mark["command"],
        }


def test_marks_lie_on_the_cells_that_the_browser_draws(page):
    figure = opened(page, "chapters/setting.html", "#fig-good-event")  # no line crosses its cells
    marks = data(figure)["marks"]
    for width, scheme in itertools.product((1440, 360), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        figure.scroll_into_view_if_needed()
        places = [mark["narrow" if width < 600 else "at"] for mark in marks]
        page.wait_for_function(SHOWN, arg="narrow.svg" if width < 600 else "event.svg")
        assert np.abs(figure.evaluate(OFFSETS, places)).max() < 1
        # the picture itself, drawn on a canvas: a mark's corners are all of the colour of its cell
        colours = figure.evaluate(CORNERS, places)
        assert len({tuple(corners[0]) for corners in colours}) >= 2
        for corners in colours:
            assert all(abs(a - b) <= 3 for corner in corners[1:] for a, b in zip(corner, corners[0], strict=True))


def test_a_click_keeps_a_mark_until_the_next(figure):
    page = figure.page
    first, second, *_ = data(figure)["marks"]
    page.mouse.click(*place_of(figure, first))
    page.mouse.move(*place_of(figure, second))
    assert told(figure)["setting"] == first["setting"]
    page.mouse.click(*place_of(figure, first))
    page.mouse.move(*place_of(figure, second))
    assert told(figure)["setting"] == second["setting"]


def test_the_keyboard_reaches_every_mark_and_leaves(figure):
    page, marks = figure.page, data(figure)["marks"]
    listbox = figure.get_by_role("listbox")
    listbox.focus()
    page.keyboard.press("Home")
    seen = [told(figure)["setting"]]
    for _ in marks[1:]:
        page.keyboard.press("PageDown")
        seen.append(told(figure)["setting"])
    assert seen == [mark["setting"] for mark in marks]
    # arrows go to neighbours: right to a larger x, then up to a larger y, which is higher on the page
    page.keyboard.press("Home")
    at = [marks[0]["at"]]
    for key in ("ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
        at.append(next(mark["at"] for mark in marks if mark["setting"] == told(figure)["setting"]))
    assert at[1][0] > at[0][0] and at[1][1] == pytest.approx(at[0][1])
    assert at[2][1] < at[1][1] and at[2][0] == pytest.approx(at[1][0])
    chosen = figure.get_by_role("option", selected=True)
    assert chosen.count() == 1
    assert listbox.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    assert chosen.get_attribute("aria-label") == told(figure)["setting"]
    assert listbox.evaluate("box => parseFloat(getComputedStyle(box).outlineWidth)") >= 2
    assert figure.get_by_role("status").inner_text() == told(figure)["numbers"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "copy the command for this mark alone"


def test_a_finger_may_miss_a_point_a_little(new_page):
    page = new_page(viewport={"width": 360, "height": 800}, has_touch=True)
    figure = opened(page, "chapters/phenomenon.html", "#fig-dimension")
    mark = data(figure)["marks"][0]
    figure.get_by_role("option").first.scroll_into_view_if_needed()  # the column is higher than the window
    x, y = place_of(figure, mark, "narrow")
    page.touchscreen.tap(x + 15, y + 10)
    assert told(figure)["setting"] == mark["setting"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_moving_picture_moves_on_a_telephone_too(new_page):
    page = new_page(viewport={"width": 390, "height": 800}, reduced_motion="reduce")
    figure = opened(page, "chapters/gradient-descent.html", "#fig-memory")
    image = figure.locator("img.published")
    assert image.evaluate("image => image.currentSrc").endswith("fig-memory.narrow.svg")
    seen = []
    for frame in ("0", "5"):
        figure.get_by_role("slider").fill(frame)
        assert figure.locator("source").get_attribute("srcset").endswith(f"#frame-{frame}")
        page.evaluate("new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))")
        seen.append(image.screenshot())
    assert seen[0] != seen[1]


def test_the_command_can_be_copied(figure):
    page, mark = figure.page, data(figure)["marks"][0]
    page.mouse.click(*place_of(figure, mark))
    button = figure.get_by_role("button", name="copy the command for this mark alone")
    button.click()
    assert page.evaluate("navigator.clipboard.readText()") == mark["command"]
    assert button.inner_text() == "copied"
    page.mouse.click(*place_of(figure, mark))  # lets go of it


def test_without_javascript_and_on_paper_the_picture_stands_alone(new_page):
    still = new_page(java_script_enabled=False)
    figure = opened(still)
    assert figure.locator("img.published").is_visible() and not figure.locator(".explorer").is_visible()
    printed = new_page()
    figure = opened(printed)
    printed.mouse.move(*place_of(figure, data(figure)["marks"][0]))
    printed.emulate_media(media="print")
    assert figure.locator("img.published").is_visible()
    assert not figure.locator(".explorer").is_visible() and not figure.get_by_role("listbox").is_visible()


def test_every_command_names_an_experiment_and_a_chapter_that_exist(site):
    from livingpaper.cli.training import _experiment, _setting

    for name in ("assumptions", "setting", "test-error", "phenomenon", "deep-classification"):
        panels = DATA.findall((site / f"chapters/{name}.html").read_text())
        assert panels
        for panel in panels:
            content = json.loads(panel)
            assert re.fullmatch(r"benign run \S+ --preset smoke", content["whole"])
            Project.find().chapter(shlex.split(content["whole"])[2])
            for mark in content["marks"]:
                program, train, experiment, *setting, seeds, number = shlex.split(mark["command"])
                assert (program, train, seeds) == ("benign", "train", "--seeds") and int(number) >= 1
                kind = _experiment(experiment)
                kind(**_setting(kind, setting), seed=0)
