"""A real browser for the tests: where it is, how it is started, and a visitor whose page must not go wrong."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM and not os.environ.get("SWITCHBOARD_TESTS_NEED_BROWSER"),
        reason="no Chromium on this machine (Debian: apt install chromium)",
    ),
]
_ELSEWHERE = re.compile(r"^https?://(?!127\.0\.0\.1|localhost)")
# A page that is left while it still asks the server something says so.
_LEAVING = re.compile("AbortError|Connection errored out")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "the browser tests must run here, and there is no Chromium"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


@contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """A new visitor's empty page. Errors of the page and requests to elsewhere fail the test at its end."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US", accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, wrong = context.new_page(), list[str]()
    page.route(_ELSEWHERE, lambda route: (wrong.append(route.request.url), route.abort()))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not [text for text in wrong if not _LEAVING.search(text)]
