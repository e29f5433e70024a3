"""A real browser: where it is, a visitor whose page must not go wrong, and what visitors do in the chat."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

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


@contextmanager
def visitor(browser: Browser, locale: str = "en-US") -> Iterator[Page]:
    """A new visitor's empty page. Errors of the page and requests to elsewhere fail the test at its end."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale=locale, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, wrong = context.new_page(), list[str]()
    page.route(_ELSEWHERE, lambda route: (wrong.append(route.request.url), route.abort()))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not [text for text in wrong if not _LEAVING.search(text)]


def opened(page: Page, url: str) -> None:
    page.goto(url)
    # The line about the model is the last thing that the opening page asks the server for.
    expect(page.locator("#model-facts")).to_contain_text(re.compile(r"\S"), timeout=30_000)


def send(page: Page, text: str) -> None:
    box = page.locator("#message textarea")
    box.fill(text)
    box.press("Enter")


def answer(page: Page, text: str) -> None:
    """Wait for this text in an answer."""
    expect(page.locator("#bot [data-testid=bot]").get_by_text(text).last).to_be_visible(timeout=20_000)


def choose(page: Page, model: str, name: str = "model") -> None:
    """Type a model into the list called `name`."""
    box = page.locator(f"#{name} input")
    box.fill(model)
    box.press("Enter")
    expect(box).to_have_value(re.compile(re.escape(model.partition("/")[2])))


def finished(page: Page) -> None:
    """Wait until the answer is whole, and another message can be sent."""
    expect(page.locator("#message button.submit-button")).to_be_visible(timeout=20_000)
    expect(page.locator("#message textarea")).to_be_enabled()
