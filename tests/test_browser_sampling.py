"""Sampling, Compare and Tokens in a real browser: sliders that move a chart, columns that stream together, votes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browsing import needs_browser, visitor
from tests.services import Call, Provider, Refuse, Reply, Request, Say
from tests.test_browser import opened

pytestmark = needs_browser

FLIGHT = Call("get_ticket_price", {"origin": "Delhi", "destination": "Paris"})
OPENAI, CLAUDE, OLLAMA = "openai/gpt-4.1", "claude/claude-haiku-4-5", "ollama/llama3.2:3b"


@pytest.fixture
def page(browser: Browser, url: str, service: Provider) -> Iterator[Page]:
    with visitor(browser) as page:
        page.set_viewport_size({"width": 1280, "height": 1000})
        service.script = lambda _: Say(("Hello", " there"))
        service.hung_up.clear()
        opened(page, url)
        yield page


def tab(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("tab", name=name).filter(visible=True).click()


def knob(page: Page, name: str) -> Locator:
    return page.get_by_label(f"number input for {name}").filter(visible=True)


def move(page: Page, name: str, value: str) -> None:
    knob(page, name).fill(value)
    knob(page, name).press("Tab")


def choose(box: Locator, *models: str) -> None:
    """Add models to a dropdown, one after the other."""
    for model in models:
        box.locator("input").fill(model)
        box.locator("input").press("Enter")
        expect(box).to_contain_text(model)
    box.page.keyboard.press("Escape")


# --- the next token ---------------------------------------------------------------------------------------------------


def look(page: Page) -> None:
    tab(page, "Sampling")
    page.locator("#next-look").click()
    expect(page.locator("#next-steps")).to_contain_text("Min-p", timeout=30_000)


def test_a_slider_moves_the_chart_and_says_what_it_removed(page: Page) -> None:
    look(page)
    bars = page.locator("#next-chart .trace.bars path")
    expect(bars).to_have_count(20, timeout=20_000)  # The page fetches what draws charts when the first one is needed.
    before = page.locator("#next-chart g.barlayer").inner_html()
    expect(page.locator("#next-steps tr").last).to_contain_text("4,096")
    move(page, "Top k", "3")
    expect(page.locator("#next-steps tr", has_text="Top-k")).to_contain_text("4,090 more")
    expect(page.locator("#next-steps tr").last).to_contain_text(re.compile(r"\b3\b"))
    expect(page.locator("#next-chart").get_by_text("removed by top-k").first).to_be_visible()
    assert page.locator("#next-chart g.barlayer").inner_html() != before
    page.get_by_label("Set all knobs back").or_(page.get_by_role("button", name="Set all knobs back")).click()
    expect(page.locator("#next-steps tr").last).to_contain_text("4,096")


def test_a_slider_dragged_fast_ends_where_it_was_let_go(page: Page) -> None:
    look(page)
    for value in ("90", "50", "20", "9", "4", "2"):
        knob(page, "Top k").fill(value)
        page.wait_for_timeout(15)
    knob(page, "Top k").press("Tab")
    # How many are left is not 2 where candidates have the same score: all of those stay.
    expect(page.locator("#next-steps tr", has_text="Top-k").get_by_role("cell").nth(1)).to_have_text("2")


def test_a_candidate_that_is_clicked_is_appended(page: Page) -> None:
    look(page)
    chip = page.locator(".chip").filter(visible=True).first
    text = chip.inner_text().rsplit(" ", 2)[0].split(" ")[0].replace("·", " ")
    chip.click()
    expect(page.locator("#next-said textarea, #next-said input")).to_have_value(text, timeout=20_000)
    page.locator("#next-draw").click()
    expect(page.locator("#next-said textarea, #next-said input")).not_to_have_value(text)
    page.locator("#next-clear").click()
    expect(page.locator("#next-said textarea, #next-said input")).to_have_value("")


# Whether the bars of before and after are as long as each other, or not.
_SAME = """wanted => {
    const bars = [...document.querySelectorAll("#next-chart .trace.bars")]
    const [before, after] = bars.map(one =>
        [...one.querySelectorAll("path")].map(bar => Math.round(bar.getBBox().width)).join())
    return Boolean(before) && (before === after) === wanted
}"""


def test_each_step_can_be_seen_by_itself(page: Page) -> None:
    look(page)
    move(page, "Temperature", "0.2")
    page.locator("#next-stage").get_by_text("Top-p").click()
    # Top-p is off, so before and after are the same bars; temperature has changed them.
    page.wait_for_function(_SAME, arg=True)
    page.locator("#next-stage").get_by_text("Temperature").click()
    page.wait_for_function(_SAME, arg=False)


def test_knobs_that_a_model_does_not_take_say_why(page: Page) -> None:
    tab(page, "Sampling")
    expect(knob(page, "Frequency penalty")).to_be_disabled()
    expect(page.get_by_text("take a repetition penalty instead").first).to_be_visible()
    box = page.locator("#sampling-model input")
    box.fill("openai/gpt-5")
    box.press("Enter")
    expect(knob(page, "Temperature")).to_be_disabled()
    expect(page.get_by_text("thinks before it answers, and chooses this itself").first).to_be_visible()


def test_a_model_that_tells_no_candidates_says_so(page: Page) -> None:
    tab(page, "Sampling")
    box = page.locator("#sampling-model input")
    box.fill(CLAUDE)
    box.press("Enter")
    page.locator("#next-look").click()
    expect(page.get_by_test_id("toast-body")).to_contain_text("Claude does not tell what may come next")


# --- presets, the program, settings side by side ----------------------------------------------------------------------


def test_presets_set_the_knobs_and_ones_own_survive_a_reload(page: Page, url: str) -> None:
    tab(page, "Sampling")
    page.locator("#presets").get_by_text("Precise").click()
    expect(knob(page, "Temperature")).to_have_value("0.2")
    move(page, "Temperature", "0.35")
    page.get_by_text("Keep these knobs as a preset").click()
    page.locator("#preset-name input, #preset-name textarea").fill("Mine")
    page.locator("#preset-save").click()
    expect(page.locator("#presets")).to_contain_text("Mine")
    page.wait_for_timeout(500)
    opened(page, url)
    tab(page, "Sampling")
    page.locator("#presets").get_by_text("Mine").click()
    expect(knob(page, "Temperature")).to_have_value("0.35")
    expect(knob(page, "Top k")).to_have_value("20")


def test_the_request_is_shown_as_a_program(page: Page) -> None:
    tab(page, "Sampling")
    page.locator("#presets").get_by_text("Creative").click()
    expect(knob(page, "Min p")).to_have_value("0.02")
    tab(page, "As Python")
    expect(page.locator("#python-code")).to_contain_text("min_p=0.02", timeout=10_000)
    box = page.locator("#sampling-model input")
    box.fill(OPENAI)
    box.press("Enter")
    expect(page.locator("#python-code")).to_contain_text("presence_penalty=0.3")
    expect(page.locator("#python-code")).not_to_contain_text("min_p")


def test_settings_stream_side_by_side_with_one_seed_and_differences_marked(page: Page, service: Provider) -> None:
    def answer(request: Request) -> Reply:
        return Say(("The ", "cat " if request.body["temperature"] < 0.5 else "dog ", "sat."), pace=0.3)

    service.script = answer
    before = len(service.asked())
    tab(page, "Sampling")
    box = page.locator("#sampling-model input")
    box.fill(OPENAI)
    box.press("Enter")
    expect(knob(page, "Frequency penalty")).to_be_enabled()
    tab(page, "Side by side")
    page.locator("#side-run").click()
    for number, word in enumerate(("cat", "dog", "dog")):
        expect(page.locator(f"#side-{number}")).to_contain_text(f"The {word} sat.", timeout=15_000)
    asked = service.asked()[before:]
    assert sorted(request.body["temperature"] for request in asked) == [0.2, 0.7, 1.0]
    assert {request.body["seed"] for request in asked} == {1}
    assert max(request.at for request in asked) - min(request.at for request in asked) < 1.5
    marked = page.locator("#side-1 [style*='background-color']").filter(has_text="dog")
    expect(marked).to_be_visible()
    expect(page.locator("#side-0 [style*='background-color']").filter(has_text="cat")).to_have_count(0)


# --- models side by side ----------------------------------------------------------------------------------------------


def compare(page: Page, *models: str) -> None:
    tab(page, "Compare")
    box = page.locator("#compare-models")
    box.get_by_role("button", name=re.compile("remove|clear", re.IGNORECASE)).last.click()
    choose(box, *models)


def flown(request: Request) -> Reply:
    """A model that calls the tool first and then quotes its price; Claude adds one of its own."""
    answered = any(
        m["role"] == "tool" or (isinstance(m.get("content"), list) and m["content"][0]["type"] == "tool_result")
        for m in request.body["messages"]
    )
    if not answered:
        return Say(calls=(FLIGHT,))
    return Say(("It costs 499 dollars", ", or 612 with a meal." if request.wire == "claude" else "."))


def test_several_models_answer_at_once_and_their_numbers_are_checked(page: Page, service: Provider) -> None:
    service.script = flown
    compare(page, OPENAI, CLAUDE, OLLAMA)
    page.locator("#compare-run").click()
    for number, verdict in enumerate(("every number is a tool's", "not from a tool: 612", "every number is a tool's")):
        expect(page.locator(f"#compare-{number}")).to_contain_text(verdict, timeout=20_000)
        expect(page.locator(f"#compare-{number}")).to_contain_text("first after")
    expect(page.locator("#compare-vote")).to_be_visible()


def test_errors_and_silence_of_one_hold_nobody_up(page: Page, service: Provider) -> None:
    def answer(request: Request) -> Reply:
        if request.wire == "openai":
            return Refuse(401, {"error": {"message": "sk-canary-77"}})
        return Say(("started",), then="silence") if request.wire == "claude" else Say(("Done here.",))

    service.script = answer
    compare(page, OPENAI, CLAUDE, OLLAMA)
    page.locator("#compare-run").click()
    expect(page.locator("#compare-0")).to_contain_text("OpenAI refused the key", timeout=20_000)
    expect(page.locator("#compare-2")).to_contain_text("Done here.")
    expect(page.locator("#compare-1")).to_contain_text("started")
    expect(page.locator("#compare-vote")).to_be_hidden()
    assert not service.hung_up.is_set()
    pressed = time.monotonic()
    page.locator("#compare-stop-1").click()
    assert service.hung_up.wait(5)
    assert service.left_at - pressed < 1.5
    expect(page.locator("#compare-1")).to_contain_text("Stopped.")
    expect(page.locator("body")).not_to_contain_text("canary")


def test_stop_all_ends_every_request(page: Page, service: Provider) -> None:
    service.script = lambda _: Say(("started",), then="silence")
    compare(page, OPENAI, CLAUDE)
    page.locator("#compare-run").click()
    for number in (0, 1):
        expect(page.locator(f"#compare-{number}")).to_contain_text("started", timeout=20_000)
    page.locator("#compare-stop-all").click()
    for number in (0, 1):
        expect(page.locator(f"#compare-{number}")).to_contain_text("Stopped.")


def test_a_blind_vote_names_the_models_afterwards_and_is_kept(page: Page, service: Provider, url: str) -> None:
    service.script = lambda request: Say((f"I am {request.wire[::-1]}.",))
    compare(page, OPENAI, CLAUDE)
    page.locator("#compare-blind input").check()
    page.locator("#compare-run").click()
    expect(page.locator("#compare-vote")).to_be_visible(timeout=20_000)
    for number in (0, 1):
        expect(page.locator(f"#compare-{number}")).to_contain_text(f"Model {'AB'[number]}")
        expect(page.locator(f"#compare-{number}")).not_to_contain_text("gpt")
        expect(page.locator(f"#compare-{number}")).not_to_contain_text("$")
    page.get_by_role("button", name="A is best").click()
    best = OPENAI if "ianepo" in page.locator("#compare-0").inner_text() else CLAUDE
    expect(page.locator("#compare-0")).to_contain_text(best)
    expect(page.locator("#compare-ratings tr", has_text=best)).to_contain_text("1016")
    page.wait_for_timeout(500)
    opened(page, url)
    tab(page, "Compare")
    expect(page.locator("#compare-ratings tr", has_text=best)).to_contain_text("1016")
    with page.expect_download() as saved:
        page.locator("#compare-export").click()
    assert saved.value.suggested_filename == "ratings.csv"
    assert f"{best},1016.0,1" in saved.value.path().read_text("utf-8")


def test_the_bench_grows_stops_keeps_and_exports(page: Page, service: Provider, tmp_path: Path, url: str) -> None:
    def answer(request: Request) -> Reply:
        return Say(("ok",), then="silence") if request.prompt == "three" else Say(("ok",), pace=0.1)

    service.script = answer
    tab(page, "Compare", "Bench")
    box = page.locator("#bench-models")
    box.get_by_role("button", name=re.compile("remove|clear", re.IGNORECASE)).last.click()
    choose(box, OPENAI, OLLAMA)
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"prompt": "one"}\n{"prompt": "two"}\n{"prompt": "three"}\n', "utf-8")
    page.locator("input[type=file][accept*=jsonl]").set_input_files(prompts)
    expect(page.locator("#bench-prompts textarea")).to_have_value(re.compile("three"))
    page.locator("#bench-run").click()
    expect(page.locator("#bench-bar")).to_contain_text("4 of 6 answers", timeout=20_000)
    page.locator("#bench-stop").click()
    expect(page.locator("#bench-bar")).to_contain_text("stopped, what is done is kept")
    assert service.hung_up.wait(5)
    expect(page.locator("#bench-table tr", has_text=OPENAI)).to_contain_text("2")
    with page.expect_download() as saved:
        page.locator("#bench-export").click()
    assert len(saved.value.path().read_text("utf-8").splitlines()) == 5
    # It was a job, so it is still there when the page is opened again.
    opened(page, url)
    tab(page, "Compare", "Bench")
    expect(page.locator("#bench-bar")).to_contain_text("stopped, what is done is kept", timeout=20_000)
    expect(page.locator("#bench-table tr", has_text=OPENAI)).to_contain_text("2")


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_text_is_cut_as_one_types(page: Page) -> None:
    tab(page, "Tokens")
    text = page.locator("#tokens-text textarea")
    text.fill("Hello 1000 <|end|>")
    expect(page.locator("#tokens-left-facts")).to_contain_text("(1 special)", timeout=30_000)
    expect(page.locator("#tokens-left-pieces")).to_contain_text("<|end|>")
    expect(page.locator("#tokens-costs")).to_contain_text("claude-haiku-4-5")
    page.get_by_role("button", name="Emoji").click()
    expect(page.locator("#tokens-left-facts")).to_contain_text("19 characters")
    expect(page.locator("#tokens-left-pieces")).to_contain_text("<0x")


def test_a_chat_template_is_written_out(page: Page) -> None:
    tab(page, "Tokens", "Chat template")
    expect(page.locator("#template-pieces")).to_contain_text("<|system|>", timeout=30_000)
    expect(page.locator("#template-pieces")).not_to_contain_text("<|tools|>")
    page.locator("#template-tools input").first.check()
    expect(page.locator("#template-pieces")).to_contain_text("<|tools|>")


@pytest.mark.parametrize("name", ["Sampling", "Compare", "Tokens"])
def test_a_narrow_page_does_not_scroll_sideways(page: Page, url: str, name: str) -> None:
    tab(page, name)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
