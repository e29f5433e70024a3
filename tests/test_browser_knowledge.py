"""The knowledge tab in a real browser: first opening, citations that open, own documents, the map and the meter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import needs_browser, visitor
from tests.services import Provider, Reply, Request, Say

pytestmark = needs_browser

RENT = "What does it cost to rent the Otter OT-24 for a month?"
LONG = 300_000  # milliseconds: the documents may have to be read first, on a busy machine
SOON = 60_000


def answering(request: Request) -> Reply:
    if "reference answer" in json.dumps(request.body):
        return Say(('{"why": "as it is", "accuracy": 5, "completeness": 4, "relevance": 3}',))
    hostile = "<img src=https://evil.example/q.png> ![p](https://evil.example/p.png) "
    return Say(("The rent of an OT-24 is £310 ", "a month. [1] ", "Call +44 191 555 0000. [1] ", hostile), pace=0.1)


ENVIRONMENT = {"SWITCHBOARD_MODEL": "openai/gpt-4.1"}
SCRIPT = answering


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The tab, freshly opened."""
    with visitor(browser) as page:
        page.goto(url)
        page.get_by_role("tab", name="Knowledge").click()
        expect(page.locator("#knowledge-model-facts")).to_contain_text("context", timeout=SOON)
        yield page


def ask(page: Page, text: str) -> None:
    box = page.locator("#knowledge-question textarea")
    box.fill(text)
    box.press("Enter")


def part(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def answered(page: Page, text: str, wait: int = SOON) -> None:
    expect(page.locator("#knowledge-bot [data-testid=bot]").last).to_contain_text(text, timeout=wait)
    expect(page.locator("#knowledge-question button.submit-button")).to_be_visible(timeout=SOON)


def test_the_first_visitor_sees_the_documents_being_read_and_is_answered_then(page: Page) -> None:
    expect(page.locator("#jobs")).to_contain_text("Reading the sample documents", timeout=SOON)
    ask(page, RENT)
    expect(page.locator("#knowledge-status")).to_contain_text("for the first time", timeout=SOON)
    answered(page, "£310", LONG)
    bot = page.locator("#knowledge-bot")
    red = bot.locator("mark").all_inner_texts()
    assert "+44 191 555 0000" in red
    assert any("evil.example" in text for text in red)
    assert "£310" not in red
    assert not any("evil.example" in link for link in bot.locator("a").evaluate_all("all => all.map((a) => a.href)"))
    assert bot.locator("img").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_a_citation_opens_its_document_at_the_passage(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 850})
    ask(page, RENT)
    answered(page, "Sources", LONG)
    page.locator("#knowledge-bot a", has_text="[1]").first.click()
    expect(page.locator("#knowledge-document-title")).to_contain_text("products/otter.md", timeout=SOON)
    expect(page.locator("#knowledge-document-text .highlighted", has_text="310").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.url.count("#") == 0
    page.locator("#knowledge-document-close").click()
    expect(page.locator("#knowledge-document-title")).to_be_hidden()


def test_why_an_answer_is_as_it_is_and_a_follow_up(page: Page) -> None:
    ask(page, "What does it cots to rnet the Otter OT-24 for a month?")
    answered(page, "Sources", LONG)
    ask(page, "And the OT-24R?")
    expect(page.locator("#knowledge-bot [data-testid=bot]")).to_have_count(2, timeout=SOON)
    answered(page, "Sources")
    page.locator("#knowledge-why button").first.click()
    reasons = page.locator("#knowledge-reasons")
    expect(reasons).to_contain_text("Searched for", timeout=SOON)
    for told in ("by vectors", "by words", "after fusion", "after reranking", "Milliseconds", "products/otter.md"):
        expect(reasons).to_contain_text(told)
    reasons.locator("a", has_text="[2]").first.click()
    expect(page.locator("#knowledge-document-title")).to_contain_text("[2]", timeout=SOON)
    page.get_by_role("button", name="The exact prompt").click()
    expect(page.locator("#knowledge-prompt")).to_contain_text("PASSAGE 1")
    page.locator("#knowledge-new").click()
    expect(page.locator("#knowledge-bot [data-testid=bot]")).to_have_count(0)
    expect(reasons).to_contain_text("Ask a question first")


def test_an_answer_can_be_stopped_and_the_next_one_comes(page: Page, service: Provider) -> None:
    service.hung_up.clear()
    service.script = lambda request: Say(("The rent of ", "an OT-24 "), then="silence")
    try:
        ask(page, RENT)
        expect(page.locator("#knowledge-bot [data-testid=bot]")).to_contain_text("an OT-24", timeout=LONG)
        page.locator("#knowledge-question button.stop-button").click()
        answered(page, "Stopped.")
        assert service.hung_up.wait(10)
    finally:
        service.script = answering
    ask(page, RENT)
    answered(page, "£310")


def test_own_documents_are_added_asked_and_removed(page: Page, tmp_path: Path) -> None:
    (tmp_path / "zebra.md").write_text("# Zebra plan\n\n## Cost\n\nThe zebra plan costs 4,711 euros a year.\n")
    (tmp_path / "empty.txt").write_text("")
    page.locator("#knowledge-base").get_by_text("My documents").click()
    part(page, "Documents")
    expect(page.locator("#documents-facts")).to_contain_text("You have added no documents yet", timeout=SOON)
    page.locator("#documents-files input[type=file]").set_input_files([tmp_path / "zebra.md", tmp_path / "empty.txt"])
    expect(page.locator("#documents-table")).to_contain_text("zebra.md", timeout=LONG)
    expect(page.locator("#documents-job")).to_contain_text("empty.txt was not added: it is empty.")
    page.locator("#documents-url textarea, #documents-url input").first.fill("sample")
    page.locator("#documents-crawl").click()
    expect(page.locator("#documents-choice")).to_be_visible(timeout=LONG)
    page.locator("#documents-links label", has_text="contact").locator("input").uncheck()
    page.locator("#documents-ticked").click()
    expect(page.locator("#documents-table")).to_contain_text("about.html", timeout=LONG)
    expect(page.locator("#documents-table")).not_to_contain_text("contact.html")
    part(page, "Ask")
    page.locator("#knowledge-alone input").check()
    ask(page, "What does the zebra plan cost?")
    answered(page, "4,711")
    part(page, "Documents")
    page.locator("#documents-drop input").click()
    page.get_by_role("option", name="zebra.md").click()
    page.locator("#documents-remove").click()
    expect(page.locator("#documents-table")).not_to_contain_text("zebra.md", timeout=LONG)


def test_the_map_draws_passages_the_question_and_its_hits(page: Page) -> None:
    page.locator("#knowledge-alone input").check()
    ask(page, RENT)
    answered(page, "Sources", LONG)
    part(page, "Map")
    plot = page.locator("#map-plot")
    expect(plot.locator(".scatterlayer .trace")).to_have_count(7, timeout=LONG)
    kinds = {"company", "contracts", "people", "policies", "products", "found", "question"}
    assert set(plot.locator(".legendtext").all_text_contents()) == kinds
    before = plot.locator(".scatterlayer").inner_html()
    page.locator("#map-method").get_by_text("PCA").click()
    page.wait_for_function("old => document.querySelector('#map-plot .scatterlayer')?.innerHTML !== old", arg=before)
    page.locator("#map-dimensions").get_by_text("3-D").click()
    expect(plot.locator("canvas").first).to_be_visible(timeout=SOON)


def test_the_meter_measures_sweeps_and_shows_what_failed(page: Page, tmp_path: Path) -> None:
    rows = [
        {"question": "Where is Marrowfen's head office?", "keywords": ["Gantry House"], "category": "fact"},
        {"question": RENT, "keywords": ["£310", "never written"], "reference_answer": "£310", "category": "fact"},
    ]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    page.locator("#knowledge-alone input").check()
    ask(page, RENT)
    answered(page, "Sources", LONG)
    part(page, "Quality")
    page.locator("#quality-judged").wait_for()
    page.locator("input[type=file]").last.set_input_files(tmp_path / "mine.jsonl")
    expect(page.locator("#quality-which")).to_contain_text("2 questions", timeout=SOON)
    page.locator("#quality-measure").click()
    expect(page.locator("#quality-table")).to_contain_text("best possible order", timeout=LONG)
    expect(page.locator("#quality-table tr", has_text="fact")).to_contain_text(re.compile(r"0\.750 \("))
    page.locator("#quality-failed input").click()
    page.get_by_role("option", name=RENT).click()
    expect(page.locator("#quality-miss")).to_contain_text("Not found in any passage: never written", timeout=SOON)
    page.locator("#quality-judged button").first.click()
    page.locator("#judge-run").click()
    expect(page.locator("#quality-table")).to_contain_text("mean of 1", timeout=LONG)
    page.locator("#quality-sweep button").first.click()
    for size in ("400", "800"):
        page.locator("#sweep-sizes").get_by_text(size, exact=True).click()
    page.locator("#sweep-run").click()
    expect(page.locator("#quality-line")).to_contain_text("3 settings measured", timeout=LONG)
    expect(page.locator("#quality-plot .scatterlayer .trace")).to_have_count(3, timeout=SOON)
