"""The brochure in the launched app: its endpoints, and the tab in a real browser, on the sample site."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Download, Page, expect

from tests.browsing import needs_browser, visitor
from tests.services import Provider, Reply, Request, Say

MODELS = ["openai/gpt-4.1", "claude/claude-haiku-4-5", "ollama/llama3.2:3b"]


def obedient(request: Request) -> Reply:
    """A model that chooses two links of the site and one of its own, and then writes what no page says."""
    said = json.dumps(request.body, ensure_ascii=False)
    if "Choose the links" in said:
        site = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert site
        chosen = [
            ("about page", "/about.html"),
            ("products page", "/products.html"),
            ("contact page", "/invented.html"),
        ]
        return Say((json.dumps({"links": [{"type": kind, "url": site[0] + path} for kind, path in chosen]}),))
    if "You translate" in said:
        return Say(("# Marlow Kettle Works\n\n", "Kessel seit 2009. ", "https://evil.example/de [[1]]"), pace=0.2)
    pieces = (
        "# Marlow Kettle Works\n\n## Kettles\n\nThe Standard kettle costs 79 ", "pounds and boils 555 cups. ",
        "Read [our kettles](/products.html) or [buy now](https://evil", ".example/buy) or https://evil.example/bare . ",
        "![p](https://evil.example/p.png) <img src=https://evil.example/q.png> ",
        "[[3]]\n\n## About\n\nSince 2009. [[2]]\n",
    )  # fmt: skip
    return Say(pieces, pace=0.3)


ENVIRONMENT = {"SWITCHBOARD_MODEL": "openai/gpt-4.1"}
SCRIPT = obedient


# --- endpoints --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", MODELS)
def test_links_are_chosen_and_invented_ones_named(client: Client, choice: str) -> None:
    answer = list(client.submit("sample", choice, api_name="/links"))[-1]
    assert [link["text"] for link in answer["links"]] == ["About us", "Our products"]
    assert [link["kind"] for link in answer["links"]] == ["about page", "products page"]
    assert answer["invented"][0].endswith("/invented.html")
    assert answer["offered"] == 6


@pytest.mark.parametrize("choice", MODELS)
def test_a_brochure_streams_and_no_invented_link_ever_comes(client: Client, choice: str) -> None:
    steps = list(client.submit("Marlow Kettle Works", "sample", choice, "humorous", "English", api_name="/brochure"))
    assert len({step["markdown"] for step in steps}) > 3
    assert all("evil.example" not in step["markdown"] for step in steps)
    last = steps[-1]
    assert [(page["text"], page["state"]) for page in last["pages"]] == [
        ("Marlow Kettle Works", "read"), ("About us", "read"), ("Our products", "read"),
    ]  # fmt: skip
    assert last["sources"][0]["heading"] == "Kettles"
    assert last["sources"][0]["pages"][0].endswith("/products.html")
    assert "https://evil.example/buy" in last["removed"]
    assert last["doubtful"] == ["555"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("X", "http://169.254.169.254/"), "This address is not allowed"),
        (("X", "http://127.0.0.1:11434/"), "This address is not allowed"),
        (("", "sample"), "company"),
        (("X", "sample", "nobody/none"), "no provider"),
        (("X", "sample", "openai/gpt-4.1", "rude"), "no tone"),
        (("X", "sample", "openai/gpt-4.1", "bold", "x" * 80), "language"),
    ],
)
def test_what_cannot_be_used_is_told_and_no_model_is_asked(
    client: Client, service: Provider, arguments: tuple[str, ...], said: str
) -> None:
    before = len(service.asked())
    with pytest.raises(AppError, match=said):
        client.predict(*arguments, api_name="/brochure")
    assert len(service.asked()) == before


def test_a_client_that_leaves_ends_the_request(url: str, service: Provider) -> None:
    service.hung_up.clear()
    job = Client(url, verbose=False).submit("Marlow Kettle Works", "sample", api_name="/brochure")
    for step in job:
        if step["markdown"]:
            break
    job.cancel()
    assert service.hung_up.wait(3)


# --- the tab ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def blank(browser: Browser) -> Iterator[Page]:
    with visitor(browser) as page:
        yield page


@pytest.fixture
def page(blank: Page, url: str) -> Page:
    """The tab, freshly opened."""
    return opened(blank, url)


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    page.get_by_role("tab", name="Brochure").click()
    expect(page.locator("#brochure-model-facts")).to_contain_text("context", timeout=30_000)
    return page


def start(page: Page) -> None:
    page.locator("#sample").click()
    expect(page.locator("#sample-note")).to_contain_text("This one address is open")
    page.locator("#make").click()


def done(page: Page) -> None:
    expect(page.locator("#brochure-step")).to_contain_text("Done", timeout=30_000)
    expect(page.locator("#make")).to_be_enabled()


def hrefs(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('#brochure-text a')].map((link) => link.href)")
    return found


@pytest.mark.browser
@needs_browser[0]
@needs_browser[1]
def test_a_brochure_is_made_in_sight_and_holds_read_pages_only(page: Page) -> None:
    start(page)
    text = page.locator("#brochure-text")
    expect(text).to_contain_text("The Standard kettle costs", timeout=30_000)
    seen = [*hrefs(page)]
    while "Done" not in page.locator("#brochure-step").inner_text():
        seen += hrefs(page)
        time.sleep(0.1)
    done(page)
    assert {re.sub(r".*:\d+", "", link) for link in [*seen, *hrefs(page)]} == {"/products.html", "/about.html"}
    assert page.locator("#brochure-text img").count() == 0
    expect(page.locator("#brochure-pages")).to_contain_text("invented by the model, left out")
    expect(page.locator("#brochure-checks")).to_contain_text("Numbers marked ⚠️ stand on none of the pages: 555")
    expect(page.locator("#brochure-checks")).to_contain_text("evil.example/buy")
    expect(text).to_contain_text("555 ⚠️ cups")


@pytest.mark.browser
@needs_browser[0]
@needs_browser[1]
def test_a_person_changes_the_choice_of_pages(page: Page, service: Provider) -> None:
    page.locator("#pages-first input").check()
    start(page)
    expect(page.locator("#brochure-step")).to_have_text("2 of the links chosen", timeout=30_000)
    expect(page.locator("#make")).to_be_enabled()
    boxes = page.locator("#links input")
    assert [box.is_checked() for box in boxes.all()] == [True, True, False, False, False, False]
    page.get_by_label("About us (/about.html)").uncheck()
    page.get_by_label("Careers (/careers.html)").check()
    page.locator("#again").click()
    done(page)
    listed = page.locator("#brochure-pages")
    expect(listed).to_contain_text("Careers")
    expect(listed).not_to_contain_text("About us")
    assert "repair teacher" in service.asked()[-1].prompt
    assert "Ines Marlow" not in service.asked()[-1].prompt


@pytest.mark.browser
@needs_browser[0]
@needs_browser[1]
def test_stop_keeps_what_has_come(page: Page, service: Provider) -> None:
    service.hung_up.clear()
    start(page)
    expect(page.locator("#brochure-text")).to_contain_text("The Standard kettle costs", timeout=30_000)
    page.locator("#stop-brochure").click()
    assert service.hung_up.wait(5)
    expect(page.locator("#brochure-step")).to_have_text("Stopped.")
    expect(page.locator("#brochure-checks")).to_contain_text("The brochure is incomplete. Stopped.")
    expect(page.locator("#brochure-text")).to_contain_text("The Standard kettle costs")
    expect(page.locator("#make")).to_be_enabled()


def saved(page: Page, ending: str, folder: Path) -> bytes:
    with page.expect_download(timeout=20_000) as waiting:
        page.locator(f"#save-{ending}").click()
    download: Download = waiting.value
    assert download.suggested_filename == f"marlow-kettle-works.{ending}"
    download.save_as(folder / ending)
    return (folder / ending).read_bytes()


@pytest.mark.browser
@needs_browser[0]
@needs_browser[1]
def test_files_a_copy_and_a_second_language(page: Page, service: Provider, tmp_path: Path) -> None:
    start(page)
    done(page)
    assert saved(page, "md", tmp_path).decode().startswith("# Marlow Kettle Works\n\n## Kettles")
    assert saved(page, "html", tmp_path).startswith(b"<!doctype html>")
    assert saved(page, "pdf", tmp_path).startswith(b"%PDF-")
    page.locator("#brochure-text button").first.click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("# Marlow Kettle Works")
    page.locator("#translate").click()
    expect(page.locator("#brochure-text")).to_contain_text("Kessel seit 2009.", timeout=30_000)
    done(page)
    assert "evil.example" not in " ".join(hrefs(page))
    assert "You translate a brochure into German" in json.dumps(service.asked()[-1].body)
    page.locator("#versions").get_by_text("English").click()
    expect(page.locator("#brochure-text")).to_contain_text("The Standard kettle costs 79")


@pytest.mark.browser
@needs_browser[0]
@needs_browser[1]
def test_a_refused_address_keeps_the_field_and_the_brochure(page: Page) -> None:
    start(page)
    done(page)
    page.locator("#site textarea, #site input").fill("http://192.168.1.1/")
    page.locator("#make").click()
    expect(page.locator("#brochure-step")).to_contain_text("This address is not allowed")
    expect(page.locator("#site textarea, #site input")).to_have_value("http://192.168.1.1/")
    expect(page.locator("#brochure-text")).to_contain_text("The Standard kettle costs 79")
    expect(page.locator("#make")).to_be_enabled()


@pytest.mark.browser
@needs_browser[0]
@needs_browser[1]
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_does_not_scroll_sideways(blank: Page, url: str, theme: str) -> None:
    blank.set_viewport_size({"width": 390, "height": 844})
    page = opened(blank, f"{url}?__theme={theme}")
    start(page)
    done(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
