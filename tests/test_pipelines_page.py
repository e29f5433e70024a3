"""The Pipelines tab in the launched app: its endpoints, and in a real browser marked names and a picture that grows."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

from core.pipelines.picture import read_back
from tabs import pipelines_api
from tests.browsing import needs_browser, visitor

_LONG = 180_000  # ms: a model is read and imported meanwhile, on a machine that others use too


def test_a_list_in_gives_a_list_out(client: Client) -> None:
    one = client.predict("I love it, it is wonderful", api_name="/sentiment")
    assert one["label"] == "POSITIVE"
    assert sum(one["scores"].values()) == pytest.approx(1, abs=1e-3)
    many = client.predict(["I love it, it is wonderful", "", "Terrible, I hate it"], api_name="/sentiment")
    assert [row["label"] for row in many] == ["POSITIVE", None, "NEGATIVE"]
    text = "  Angela Merkel flew to Paris."
    found = client.predict(text, api_name="/entities")
    assert [(text[e["start"] : e["end"]], e["label"]) for e in found] == [("Angela Merkel", "PER"), ("Paris", "LOC")]
    assert [len(row) for row in client.predict([text, "It rained."], api_name="/entities")] == [2, 0]


def test_a_picture_comes_with_its_settings(client: Client) -> None:
    made = client.predict("a red circle", steps=2, seed=9, api_name="/image")
    asked, name = read_back(base64.b64decode(made["image"].partition(",")[2]))
    assert (asked.prompt, asked.steps, asked.seed, name) == ("a red circle", 2, 9, "built-in")
    assert made["settings"]["seed"] == 9


@pytest.mark.parametrize(
    ("endpoint", "arguments", "said"),
    [
        ("/sentiment", {"text": " "}, "no text"),
        ("/sentiment", {"text": "x" * 1_000_000}, "1,000,000 characters"),
        ("/sentiment", {"text": "hi", "labels": ["a", "b"]}, "own labels only"),
        ("/entities", {"text": "hi", "model": "owner/none"}, "not on this machine"),
        (
            "/translate",
            {"text": "It has rained since this morning.", "target": "fr"},
            "opus-mt-en-fr is not on this machine",
        ),
        ("/image", {"prompt": "x", "width": 99}, "multiple of 8"),
    ],
)
def test_what_cannot_be_done_is_told(client: Client, endpoint: str, arguments: dict[str, Any], said: str) -> None:
    started = time.monotonic()
    with pytest.raises(AppError, match=said):
        client.predict(**arguments, api_name=endpoint)
    assert time.monotonic() - started < 30


def test_works_count_as_messages_do(limits: Callable[..., None], tmp_path: Path) -> None:
    limits(messages_a_minute=2, data=tmp_path)
    for asked in (lambda: pipelines_api.sentiment("I love it"), lambda: pipelines_api.entities("Paris")):
        asked()
    with pytest.raises(gr.Error, match="At most 2 messages a minute"):
        pipelines_api.sentiment("I love it")


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with visitor(browser) as page:
        page.goto(url)
        page.get_by_role("tab", name="Pipelines").click()
        yield page


class TestBrowser:
    pytestmark = needs_browser

    def test_names_are_marked_in_the_text(self, page: Page) -> None:
        page.get_by_role("tab", name="Entities").click()
        page.locator("#entities-text textarea").fill("Angela Merkel flew to Paris with Olena Kovalenko.")
        page.locator("#entities-run").click()
        expect(page.locator("#entities-status")).to_contain_text("3 names", timeout=_LONG)
        expect(page.locator("#entities-marked")).to_contain_text("PER")
        expect(page.locator("#entities-table")).to_contain_text("Olena Kovalenko")

    def test_a_picture_grows_and_stop_ends_it(self, page: Page) -> None:
        page.get_by_role("tab", name="Pictures").click()
        page.get_by_label("number input for Steps").fill("100")
        page.get_by_label("number input for Steps").press("Tab")
        page.locator("#pictures-run").click()
        picture = page.locator("#pictures-live img")
        expect(picture).to_be_visible(timeout=_LONG)
        before = picture.get_attribute("src")
        expect(picture).not_to_have_attribute("src", before or "", timeout=_LONG)
        page.locator("#pictures-stop").click()
        expect(page.locator("#pictures-status")).to_contain_text("Stopped", timeout=20_000)

    def test_a_model_in_memory_is_listed_and_can_be_let_go(self, page: Page, client: Client) -> None:
        client.predict("Angela Merkel flew to Paris.", api_name="/entities")
        page.get_by_role("button", name="Models in memory").click()
        row = page.locator("#pipelines-memory tr", has_text="entities")
        expect(row).to_contain_text(re.compile(r"built-in\s*\d+ MB"), timeout=20_000)
        page.locator("#kept-model input").click()
        page.get_by_role("option", name="entities: built-in").click()
        page.locator("#kept-unload").click()
        expect(row).to_have_count(0, timeout=20_000)

    def test_a_dropped_picture_sets_everything_as_it_was(self, page: Page, client: Client, tmp_path: Path) -> None:
        made = client.predict("two green stars", steps=3, seed=77, api_name="/image")
        file = tmp_path / "made.png"
        file.write_bytes(base64.b64decode(made["image"].partition(",")[2]))
        page.get_by_role("tab", name="Pictures").click()
        page.locator("#pictures-drop input[type=file]").set_input_files(file)
        expect(page.locator("#pictures-prompt textarea")).to_have_value("two green stars", timeout=20_000)
        expect(page.locator("#pictures-seed input")).to_have_value("77")
