"""The built site in headless Chromium; a page that complains, or asks another host for something, fails its test."""

import contextlib
import functools
import http.server
import os
import threading
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from livingpaper.errors import PaperError
from livingpaper.publish.pdf import launch_options


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            # the first test may wait for the smoke build
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="package")
def chromium():
    """A browser; the tests are skipped where there is none, but not in continuous integration."""
    try:
        options = launch_options()
    except PaperError as error:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(str(error))
    # Ended with this folder's tests: while it is open, no other test could run an event loop of its own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        yield browser
        browser.close()


#: As on a forge's pages: an address that begins with a slash leads out of the book.
FOLDER = "/somebody/book"


class BelowFolder(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        below = path.removeprefix(f"{FOLDER}/")
        return super().translate_path(f"/{below}" if below != path else "/nothing/there")

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="package")
def address(site):
    """Where the site is served."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(BelowFolder, directory=str(site))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}{FOLDER}"
        server.shutdown()


#: Requests that fail because of the test: it turned scripts off, or left the page before a picture had come.
OWN = ("csp", "net::ERR_ABORTED")


@contextlib.contextmanager
def watched(chromium, address):
    """A function that opens a window, with the options of a browser context, and watches what its pages do."""
    contexts, complaints = [], []

    def open_window(**options):
        context = chromium.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "base_url": f"{address}/"} | options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda a: a.failure not in OWN and complaints.append(f"{a.url}: {a.failure}"))
        page.on("response", lambda answer: answer.status >= 400 and complaints.append(f"{answer.url}: {answer.status}"))
        page.on("request", lambda asked: foreign(asked.url) and complaints.append(f"another host: {asked.url}"))
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def new_page(chromium, address):
    """A function that opens windows for one test."""
    with watched(chromium, address) as open_window:
        yield open_window


@pytest.fixture(scope="module")
def lasting_page(chromium, address):
    """A function that opens windows for all tests of a file: a page that is loaded once costs a second once."""
    with watched(chromium, address) as open_window:
        yield open_window


def foreign(url: str) -> bool:
    """Whether something comes from elsewhere than this machine or the page itself."""
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "file") and parts.hostname != "127.0.0.1"


@pytest.fixture
def disk(new_page, site):
    """A window for pages from disk."""
    return new_page(base_url=f"{site.as_uri()}/")


@pytest.fixture
def page(new_page):
    """A window of the size of a desktop's."""
    return new_page()
