"""Every page opens and holds together, at any width, in light and dark."""

from pathlib import Path

import pytest

from benign.book.project import Project

PAGES = sorted(str(path.with_suffix(".html")) for path in Project(Path(__file__).parents[2]).pages)


@pytest.mark.parametrize("width", [360, 1440, 1920])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_its_window(new_page, name, width):
    page = new_page(viewport={"width": width, "height": 900})
    page.goto(name)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
