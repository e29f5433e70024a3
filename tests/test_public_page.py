"""Visitors of a public page in a real browser: their own keys, which are nobody else's, and their jobs."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from playwright.sync_api import Browser, Page, expect

from tests.browsing import answer, needs_browser, opened, send, visitor
from tests.live import launched
from tests.services import Provider, Raw, Say

pytestmark = needs_browser

CANARY = "sk-canary-4711"
OPENAI = "openai/gpt-4.1"
ENVIRONMENT = {
    "SWITCHBOARD_PUBLIC": "1", "SWITCHBOARD_VISITOR_KEYS": "1", "SWITCHBOARD_MODEL": OPENAI,
    "GRADIO_HEARTBEAT_INTERVAL": "0.3",
}  # fmt: skip


def bring(page: Page, key: str) -> None:
    page.get_by_role("tab", name="Settings").click()
    page.get_by_role("textbox", name="OpenAI").fill(key)
    page.locator("#use-keys").click()
    expect(page.locator("#keys-held")).to_contain_text("Held for this page: OpenAI", timeout=20_000)
    expect(page.get_by_role("textbox", name="OpenAI")).to_have_value("")
    page.get_by_role("tab", name="Chat").click()


def kept_in(folder: Path) -> str:
    """Everything that the app has written: its log, its data, what Gradio keeps."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "app.log" for path in files)
    return "".join(path.read_text("latin-1") for path in files)


def test_a_key_is_one_sessions_and_nowhere_else(browser: Browser, url: str, service: Provider, folder: Path) -> None:
    service.say(Say(("Hello", " there")))
    with visitor(browser) as page, visitor(browser) as other:
        opened(page, url)
        opened(other, url)
        send(page, "Without a key")
        answer(page, "Enter your own key under “Settings” to use OpenAI.")
        assert service.asked() == []
        bring(page, CANARY)
        send(page, "With a key")
        answer(page, "Hello there")
        assert service.asked()[-1].headers["authorization"] == f"Bearer {CANARY}"
        # Not the other session's, whether on the page or through an endpoint.
        send(other, "Whose key?")
        answer(other, "Enter your own key")
        assert len(service.asked()) == 1
        rows = {row["choice"]: row for row in Client(url, verbose=False).predict(api_name="/models")}
        assert "Enter your own key" in rows["openai/"]["reason"]
        # Nowhere: neither where strangers can read, nor in the browser, nor on the disk.
        public = "".join(page.request.get(f"{url}{path}").text() for path in ("/", "/config", "/gradio_api/info"))
        stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert "switchboard" in stored
        shown = page.content() + other.content()
        linked = page.request.get(f"{url}/gradio_api/deep_link?session_hash=x")
        assert linked.status == 403
        for place in (public, stored, shown, kept_in(folder)):
            assert "canary" not in place
        # Its own money: the owner's budget is untouched.
        with sqlite3.connect(folder / "data" / "budget.sqlite3") as books:
            assert books.execute("select sum(tokens) from spent").fetchone()[0] in (None, 0)
        books.close()
    assert "canary" not in kept_in(folder)


def test_a_key_goes_with_its_page(browser: Browser, url: str, service: Provider) -> None:
    service.say(Say(("Hello", " there")))
    with visitor(browser) as page:
        opened(page, url)
        bring(page, CANARY)
        session = page.evaluate("window.gradio_config?.session_hash ?? ''")
        page.reload()
        opened(page, url)
        send(page, "Is it still there?")
        answer(page, "Enter your own key")
        assert CANARY not in page.content() + str(session)


def test_keys_can_be_forgotten_and_wrong_ones_are_told(browser: Browser, url: str, service: Provider) -> None:
    with visitor(browser) as page:
        opened(page, url)
        bring(page, CANARY)
        page.get_by_role("tab", name="Settings").click()
        page.locator("#forget-keys").click()
        expect(page.locator("#keys-held")).to_contain_text("No key is held.")
        page.get_by_role("tab", name="Chat").click()
        send(page, "Is it still there?")
        answer(page, "Enter your own key")
        page.get_by_role("tab", name="Settings").click()
        page.get_by_role("textbox", name="Groq").fill("not a key")
        page.locator("#use-keys").click()
        expect(page.locator("#keys-held")).to_contain_text("This cannot be a key: Groq.")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_says_that_it_is_open(browser: Browser, url: str, width: int) -> None:
    with visitor(browser) as page:
        page.set_viewport_size({"width": width, "height": 900})
        opened(page, url)
        expect(page.locator("#banner")).to_contain_text("This page is open to others")
        expect(page.locator("#banner")).to_contain_text("your own keys")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_browsers_jobs_are_its_own_also_after_a_reload(browser: Browser, url: str, service: Provider) -> None:
    service.say(Say(("ok",), then="silence"))
    service.hung_up.clear()
    with visitor(browser) as page, visitor(browser) as other:
        opened(page, url)
        page.get_by_role("tab", name="Compare").click()
        page.get_by_role("tab", name="Bench").click()
        box = page.locator("#bench-models input")
        box.fill("ollama/llama3.2:3b")
        box.press("Enter")
        page.locator("#bench-run").click()
        expect(page.locator("#job-0")).to_contain_text("A bench of", timeout=20_000)
        page.reload()
        expect(page.locator("#job-0")).to_contain_text("A bench of", timeout=20_000)
        opened(other, url)
        expect(other.locator("#jobs")).to_be_hidden()
        page.locator("#jobs").get_by_role("button", name="Stop").click()
        expect(page.locator("#job-0")).to_contain_text("stopped", timeout=20_000)
        cookie = next(one for one in page.context.cookies() if one["name"] == "switchboard-visitor")
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
        assert re.fullmatch("[0-9a-f]{32}", cookie["value"])


# --- jobs, on the owner's own page ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(service: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with launched(tmp_path_factory.mktemp("own"), **service.environment()) as address:
        yield address


def pull(page: Page, model: str) -> None:
    page.get_by_role("button", name=re.compile("^Get another model")).click()
    page.get_by_label("Provider").click()
    page.get_by_role("option", name="Ollama").click()
    page.get_by_label("Model", exact=True).last.fill(model)
    page.get_by_role("button", name="Download").click()


def steps(*done: int) -> str:
    return "".join(
        f"{json.dumps({'status': 'pulling', 'digest': 'a', 'completed': at, 'total': 400})}\n" for at in done
    )


def test_a_job_goes_on_without_its_page(browser: Browser, own: str, service: Provider) -> None:
    service.pull = Raw(steps(0, 100), "application/x-ndjson", then="silence")
    service.hung_up.clear()
    with visitor(browser) as page:
        opened(page, own)
        expect(page.locator("#jobs")).to_be_hidden()
        pull(page, "qwen3:0.6b")
        expect(page.locator("#job-0")).to_contain_text("Downloading qwen3:0.6b", timeout=10_000)
        expect(page.locator("#job-0")).to_contain_text("25%")
    assert not service.hung_up.wait(2)
    with visitor(browser) as page:
        opened(page, own)
        expect(page.locator("#job-0")).to_contain_text("25%")
        page.locator("#jobs").get_by_role("button", name="Stop").click()
        assert service.hung_up.wait(5)
        expect(page.locator("#job-0")).to_contain_text("stopped")
        expect(page.locator("#jobs").get_by_role("button", name="Stop")).to_have_count(0)


def test_nothing_is_asked_while_no_job_runs(browser: Browser, own: str) -> None:
    with visitor(browser) as page:
        opened(page, own)
        page.wait_for_timeout(2_000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(3_000)
        assert [address for address in asked if "heartbeat" not in address] == []
