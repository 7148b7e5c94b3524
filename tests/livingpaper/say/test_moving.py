"""Moving pictures: one file with all frames, which shows the last unless its address names another."""

import base64
import io
import re
import shutil

import matplotlib.figure
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from livingpaper.errors import InputError
from livingpaper.publish.pdf import BROWSERS
from livingpaper.say import figures, moving

DATA = pd.DataFrame({"frame": [0, 1, 2]})
COLOURS = ("#ff0000", "#00ff00", "#0000ff")
NAMES = ["start", "middle", "end"]


def a_picture(frames=3):
    """A sheet that is all red, green or blue, by frame."""
    picture = matplotlib.figure.Figure(figsize=(1, 1))
    axes = picture.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for frame in range(frames):
        axes.axvspan(0, 1, color=COLOURS[frame], gid=moving.gid(frame, "sheet"))
    axes.set_xlim(0, 1)
    return picture


def colour(png):
    """What is in the middle of a picture."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    red, green, blue = image.getpixel((image.width // 2, image.height // 2))
    return max((red, "red"), (green, "green"), (blue, "blue"))[1]


@pytest.fixture
def handed_over(monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "display", lambda bundle, **_: shown.append(bundle[figures.MIME]))
    figures.figure("fig-sheet", a_picture(), DATA, frames=NAMES)
    return shown[0]


def test_a_figure_carries_its_frames_and_png_is_the_last_one(handed_over):
    assert handed_over["frames"] == NAMES
    assert colour(base64.b64decode(handed_over["files"]["png"])) == "blue"


@pytest.mark.parametrize(("frames", "named"), [(3, 2), (2, 3), (3, 0), (0, 1)])
def test_frames_that_are_not_named_or_not_drawn_are_refused(frames, named):
    with pytest.raises(InputError, match=rf"{named} frames have a name, and something is drawn in the frames"):
        figures.figure("fig-sheet", a_picture(frames), DATA, frames=NAMES[:named])


def test_what_is_not_in_a_frame_is_left_as_it_was():
    picture = a_picture()
    with moving.only_last(picture, NAMES):
        assert [patch.get_visible() for patch in picture.axes[0].patches] == [False, False, True]
    assert all(patch.get_visible() for patch in picture.axes[0].patches)


def test_a_browser_shows_the_frame_that_the_address_names(handed_over):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium here")
    address = "data:image/svg+xml;base64," + base64.b64encode(handed_over["files"]["svg"].encode()).decode()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 60, "height": 60})
        seen = []
        for mark in ("", "#frame-0", "#frame-1", "#frame-2", "#frame-9"):
            page.set_content(f'<body style="margin: 0"><img src="{address}{mark}">')
            page.wait_for_function("document.images[0].complete")
            seen.append(colour(page.screenshot()))
        chromium.close()
    assert seen == ["blue", "red", "green", "blue", "blue"]


def test_a_picture_without_frames_is_as_it_was(handed_over):
    svg = "<svg><defs><style>*{}</style></defs></svg>"
    assert moving.stacked("fig-a", svg, []) == svg
    assert re.findall(r'<g id="(frame-\d+)"/>', handed_over["files"]["svg"]) == ["frame-0", "frame-1", "frame-2"]
