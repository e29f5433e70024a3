"""The chat in a real browser: what only the page itself can show."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import answer, choose, finished, needs_browser, opened, send, visitor
from tests.services import Call, Provider, Raw, Refuse, Say

pytestmark = needs_browser

ENVIRONMENT = {"SWITCHBOARD_MODEL": "openai/gpt-4.1"}

FLIGHT = Call("get_ticket_price", {"origin": "Delhi", "destination": "Paris"})


@pytest.fixture
def page(browser: Browser, url: str, service: Provider) -> Iterator[Page]:
    """The chat, freshly opened by a new visitor."""
    with visitor(browser) as page:
        service.say(Say(("Hello", " there")))
        service.hung_up.clear()
        opened(page, url)
        yield page


def shelf(page: Page) -> None:
    page.locator(".sidebar .toggle-button").click()
    expect(page.locator("#new-chat")).to_be_in_viewport()


def test_a_tool_is_called_and_its_price_quoted(page: Page, service: Provider) -> None:
    service.say(
        Say(("Let me look.",), thinking=("Hm",), calls=(FLIGHT,)), Say(("It costs ", "499", " dollars."), pace=0.2)
    )
    send(page, "How much is a flight from Delhi to Paris?")
    answer(page, "It costs 499 dollars.")
    finished(page)
    bubble = page.locator("#bot").get_by_text("get_ticket_price(Delhi, Paris)")
    bubble.click()
    expect(page.locator("#bot").get_by_text('"price": 499')).to_be_visible()
    expect(
        page.locator("#bot").get_by_text(re.compile(r"openai/gpt-4.1 · 7 tokens · first after .* s"))
    ).to_be_visible()
    expect(page.locator("#status")).to_contain_text("22 tokens read · 14 written")


def test_the_answer_is_drawn_while_it_comes(page: Page, service: Provider) -> None:
    service.say(Say(("first ", "second ", "third"), pace=1.0))
    send(page, "Go")
    answer(page, "first")
    expect(page.locator("#bot").get_by_text("third")).to_have_count(0)
    answer(page, "first second third")


def test_stop_ends_the_request_and_keeps_the_text(page: Page, service: Provider) -> None:
    service.say(Say(("started",), then="silence"))
    send(page, "Talk for ever")
    answer(page, "started")
    pressed = time.monotonic()
    page.locator("#message button.stop-button").click()
    assert service.hung_up.wait(5)
    # The page and two shared cores take their part of this; the backend's own share is held to 100 ms elsewhere.
    assert service.left_at - pressed < 1.5
    answer(page, "Stopped.")
    finished(page)
    service.say(Say(("again",)))
    page.get_by_role("button", name="Retry").last.click()
    answer(page, "again")
    expect(page.locator("#bot").get_by_text("started")).to_have_count(0)


def test_closing_the_page_ends_the_request(browser: Browser, url: str, service: Provider) -> None:
    context = browser.new_context()
    page = context.new_page()
    service.say(Say(("started",), then="silence"))
    service.hung_up.clear()
    opened(page, url)
    send(page, "Talk for ever")
    answer(page, "started")
    context.close()
    assert service.hung_up.wait(10)


def test_a_new_message_ends_the_answer_before(page: Page, service: Provider) -> None:
    service.say(Say(("old answer",), then="silence"), Say(("new answer",)))
    send(page, "One")
    answer(page, "old answer")
    send(page, "Two")
    assert service.hung_up.wait(5)
    answer(page, "new answer")
    finished(page)
    assert [m["content"] for m in service.asked()[-1].body["messages"]] == ["One", "old answer", "Two"]


def test_the_conversation_survives_a_reload(page: Page, service: Provider, url: str) -> None:
    service.say(Say(calls=(FLIGHT,)), Say(("It costs 499 dollars.",)))
    send(page, "Delhi to Paris?")
    answer(page, "It costs 499 dollars.")
    finished(page)
    page.wait_for_timeout(500)
    opened(page, url)
    answer(page, "It costs 499 dollars.")
    service.say(Say(("Still here.",)))
    send(page, "And now?")
    answer(page, "Still here.")
    sent = service.asked()[-1].body["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "tool", "assistant", "user"]


def test_what_has_come_of_an_answer_survives_a_reload(page: Page, service: Provider, url: str) -> None:
    service.say(Say(("The first part. ", *["and more "] * 200), pace=0.1))
    send(page, "Tell me everything")
    answer(page, "The first part.")
    page.wait_for_function("localStorage['switchboard-conversations'].includes('The first part.')")
    opened(page, url)
    answer(page, "The first part.")
    answer(page, "Stopped.")
    service.say(Say(("Still here.",)))
    send(page, "Go on")
    answer(page, "Still here.")
    assert [m["role"] for m in service.asked()[-1].body["messages"]] == ["user", "assistant", "user"]


def test_another_provider_takes_the_conversation_over(page: Page, service: Provider) -> None:
    service.say(Say(calls=(FLIGHT,)), Say(("It costs 499 dollars.",)))
    send(page, "Delhi to Paris?")
    answer(page, "It costs 499 dollars.")
    finished(page)
    choose(page, "claude/claude-haiku-4-5")
    service.say(Say(("I am another.",)))
    send(page, "Who are you?")
    answer(page, "I am another.")
    asked = service.asked()[-1]
    assert asked.wire == "claude"
    assert "499" in json.dumps(asked.body["messages"])


def test_several_conversations_are_found_renamed_and_deleted(page: Page) -> None:
    send(page, "About bananas")
    answer(page, "Hello there")
    finished(page)
    shelf(page)
    page.locator("#new-chat").click()
    expect(page.locator("#bot [data-testid=bot]")).to_have_count(0)
    send(page, "About rockets")
    answer(page, "Hello there")
    finished(page)
    rows = page.locator("#chats label")
    expect(rows).to_have_text(["About rockets", "About bananas"])
    page.locator("#search-chats input, #search-chats textarea").fill("banana")
    expect(rows).to_have_text(["About bananas"])
    rows.first.click()
    expect(page.locator("#bot").get_by_text("About bananas")).to_be_visible()
    page.get_by_text("This conversation").click()
    name = page.locator("#rename-chat input, #rename-chat textarea")
    name.fill("Fruit and banana")
    name.press("Enter")
    expect(rows).to_have_text(["Fruit and banana"])
    page.locator("#delete-chat").click()
    expect(rows).to_have_count(0)
    page.locator("#search-chats input, #search-chats textarea").fill("")
    expect(rows).to_have_text(["About rockets"])


def test_a_conversation_is_exported_and_brought_back(page: Page, tmp_path: Path) -> None:
    send(page, "Keep this")
    answer(page, "Hello there")
    finished(page)
    shelf(page)
    page.get_by_text("This conversation").click()
    with page.expect_download() as markdown:
        page.locator("#export-markdown").click()
    assert "**You:** Keep this" in markdown.value.path().read_text("utf-8")
    with page.expect_download() as exported:
        page.locator("#export-json").click()
    assert exported.value.suggested_filename == "keep-this.json"
    file = tmp_path / "conversation.json"
    exported.value.save_as(file)
    page.locator("#delete-chat").click()
    expect(page.locator("#chats label")).to_have_count(0)
    page.locator("input[type=file][accept*=json]").set_input_files(file)
    expect(page.locator("#chats label")).to_have_text(["Keep this"])
    answer(page, "Hello there")


@pytest.mark.parametrize("first", ["the new chat", "the message"])
def test_a_message_and_a_new_chat_at_the_same_moment(page: Page, service: Provider, first: str) -> None:
    send(page, "Old question")
    answer(page, "Hello there")
    finished(page)
    shelf(page)
    page.locator("#message textarea").fill("New question")
    service.say(Say(("To the new one.",)))
    page.evaluate(
        """first => {
            const enter = () => document.querySelector("#message textarea").dispatchEvent(
                new KeyboardEvent("keypress", {key: "Enter", code: "Enter", bubbles: true, cancelable: true}));
            const begin = () => document.querySelector("#new-chat").click();
            if (first === "the new chat") { begin(); enter(); } else { enter(); setTimeout(begin); }
        }""",
        first,
    )
    rows = page.locator("#chats label")
    if first == "the message":
        page.wait_for_timeout(1000)  # An answer that nobody waits for any more would have come by then.
        expect(page.locator("#bot [data-testid=user]")).to_have_count(0)
        expect(rows).to_have_text(["Old question"])
    else:
        answer(page, "To the new one.")
        finished(page)
        expect(page.locator("#bot").get_by_text("Old question")).to_have_count(0)
        expect(rows).to_have_text(["New question", "Old question"])
        assert [m["content"] for m in service.asked()[-1].body["messages"]] == ["New question"]


def test_a_sent_message_can_be_edited_and_taken_back(page: Page, service: Provider) -> None:
    send(page, "Hello wrld")
    answer(page, "Hello there")
    finished(page)
    service.say(Say(("Better.",)))
    page.get_by_role("button", name="Edit").first.click()
    box = page.locator("#bot textarea")
    box.fill("Hello world")
    page.get_by_role("button", name="Submit").click()
    answer(page, "Better.")
    finished(page)
    assert [m["content"] for m in service.asked()[-1].body["messages"]] == ["Hello world"]
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("#message textarea")).to_have_value("Hello world")
    expect(page.locator("#bot [data-testid=bot]")).to_have_count(0)


def test_a_call_waits_for_approval(page: Page, service: Provider) -> None:
    page.get_by_label("Ask me before each call").check()
    service.say(Say(calls=(FLIGHT,)), Say(("It costs 499 dollars.",)))
    send(page, "Delhi to Paris?")
    expect(page.locator("#approval")).to_contain_text("get_ticket_price")
    asked = len(service.asked())
    page.wait_for_timeout(500)
    assert len(service.asked()) == asked
    page.locator("#approve").click()
    answer(page, "It costs 499 dollars.")
    expect(page.locator("#approval")).to_be_hidden()


def test_a_rejected_call_is_not_run(page: Page, service: Provider) -> None:
    page.get_by_label("Ask me before each call").check()
    service.say(Say(calls=(FLIGHT,)), Say(("Then not.",)))
    send(page, "Delhi to Paris?")
    page.locator("#reject").click()
    answer(page, "Then not.")
    assert "rejected" in json.dumps(service.asked()[-1].body["messages"])
    assert '"price"' not in json.dumps(service.asked()[-1].body["messages"])


def test_a_failure_is_told_and_the_next_message_works(page: Page, service: Provider) -> None:
    service.say(Refuse(401, {"error": {"message": "sk-canary-77"}}))
    send(page, "Hello")
    answer(page, "OpenAI refused the key.")
    finished(page)
    expect(page.locator("body")).not_to_contain_text("canary")
    service.say(Say(("Now it works.",)))
    send(page, "Again")
    answer(page, "Now it works.")


def test_what_came_before_a_cut_stays_and_is_marked(page: Page, service: Provider) -> None:
    service.say(Say(("half an", " answer"), then="cut"))
    send(page, "Hello")
    answer(page, "half an answer")
    answer(page, "The answer was cut off")
    finished(page)


def test_a_busy_provider_is_waited_for_in_sight(page: Page, service: Provider) -> None:
    service.say(Refuse(429, headers={"retry-after": "2"}), Say(("Now.",)))
    send(page, "Hello")
    expect(page.locator("#status")).to_contain_text("OpenAI is busy: trying again in", timeout=10_000)
    answer(page, "Now.")


def test_what_a_model_says_loads_nothing_and_runs_nothing(page: Page, service: Provider) -> None:
    service.say(
        Say(("![a](https://evil.example/a.png) <img src='https://evil.example/b.png' onerror='window.ran=1'> "
             "<div style='position:fixed'>over</div> `<b>`",))
    )  # fmt: skip
    send(page, "<img src='https://evil.example/c.png' onerror='window.ran=1'>")
    answer(page, "over")
    finished(page)
    assert page.evaluate("window.ran") is None
    assert page.locator("#bot [data-testid=bot] img, #bot [data-testid=user] img").count() == 0
    expect(page.locator("#bot code").get_by_text("<b>", exact=True)).to_be_visible()


def test_only_moved_knobs_are_sent_and_others_say_why_not(page: Page, service: Provider) -> None:
    page.get_by_role("button", name=re.compile("^Sampling")).click()
    slider = page.get_by_label("number input for Temperature")
    slider.fill("0.35")
    slider.press("Tab")
    longest = page.get_by_label("Max tokens")
    expect(longest).to_have_value("")
    longest.fill("55")
    page.wait_for_timeout(500)
    send(page, "Hello")
    answer(page, "Hello there")
    finished(page)
    sent = service.asked()[-1].body
    assert (sent["temperature"], sent["max_completion_tokens"]) == (0.35, 55)
    assert not {"top_p", "seed"} & set(sent)
    choose(page, "openai/gpt-5")
    expect(slider).to_be_disabled()
    service.say(Say(("Without it.",)))
    send(page, "And now?")
    answer(page, "Without it.")
    assert service.asked()[-1].body["model"] == "gpt-5"
    assert "temperature" not in service.asked()[-1].body


def test_an_example_is_one_click(page: Page) -> None:
    page.get_by_text("What can you do?").click()
    answer(page, "Hello there")
    finished(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_does_not_scroll_sideways(page: Page, url: str, theme: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, f"{url}?__theme={theme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#message textarea")).to_be_visible()


def test_a_provider_that_is_not_set_up_says_what_to_do(page: Page) -> None:
    page.locator("#model input").click()
    expect(page.get_by_role("option", name=re.compile("Groq ✕ Set GROQ_API_KEY"))).to_be_visible()


def test_a_model_is_pulled_in_sight(page: Page, service: Provider) -> None:
    steps = [{"status": "pulling", "completed": done, "total": 400} for done in (0, 100, 400)]
    service.pull = Raw(
        "".join(f"{json.dumps(step)}\n" for step in [*steps, {"status": "success"}]), "application/x-ndjson"
    )
    page.get_by_role("button", name=re.compile("^Get another model")).click()
    page.get_by_label("Provider").click()
    page.get_by_role("option", name="Ollama").click()
    page.get_by_label("Model", exact=True).last.fill("qwen3:0.6b")
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_text("qwen3:0.6b is here.")).to_be_visible()
    asked = next(request for request in service.requests if request.path == "/api/pull")
    assert asked.body["model"] == "qwen3:0.6b"


def test_two_windows_keep_each_others_conversations(page: Page, url: str) -> None:
    other = page.context.new_page()
    opened(other, url)
    for window, text in ((page, "From the first"), (other, "From the second")):
        send(window, text)
        answer(window, "Hello there")
        finished(window)
        window.wait_for_timeout(500)
    opened(page, url)
    shelf(page)
    expect(page.locator("#chats label")).to_have_text(["From the second", "From the first"])


def test_a_call_still_waits_after_a_reload(page: Page, service: Provider, url: str) -> None:
    page.get_by_label("Ask me before each call").check()
    service.say(Say(calls=(FLIGHT,)), Say(("It costs 499 dollars.",)))
    send(page, "Delhi to Paris?")
    expect(page.locator("#approval")).to_contain_text("get_ticket_price")
    page.wait_for_timeout(500)
    opened(page, url)
    expect(page.locator("#approval")).to_contain_text("Delhi")
    expect(page.get_by_label("Ask me before each call")).to_be_checked()
    page.locator("#approve").click()
    answer(page, "It costs 499 dollars.")


def test_what_cannot_be_sent_is_told_and_the_chat_stays(page: Page) -> None:
    send(page, "First")
    answer(page, "Hello there")
    finished(page)
    send(page, "x" * 100_001)
    expect(page.get_by_test_id("toast-body")).to_contain_text("too long")
    answer(page, "Hello there")
    expect(page.locator("#message textarea")).to_have_value("x" * 100_001)


def test_a_pasted_stop_sequence_counts(page: Page, service: Provider) -> None:
    page.get_by_role("button", name=re.compile("^Sampling")).click()
    box = page.get_by_label("Stop sequences")
    expect(box).to_be_enabled()
    box.evaluate("box => { box.value = 'END'; box.dispatchEvent(new InputEvent('input', {bubbles: true})) }")
    page.wait_for_timeout(500)
    send(page, "Hello")
    answer(page, "Hello there")
    assert service.asked()[-1].body["stop"] == ["END"]


def test_an_approval_counts_for_one_call_only(page: Page, service: Provider) -> None:
    page.get_by_label("Ask me before each call").check()
    service.say(Say(calls=(Call("calculate", {"expression": "1+1"}),)), Say(("Two.",)))
    send(page, "One and one?")
    page.locator("#approve").click()
    answer(page, "Two.")
    finished(page)
    shelf(page)
    page.locator("#new-chat").click()
    expect(page.locator("#bot [data-testid=bot]")).to_have_count(0)
    service.say(Say(calls=(Call("calculate", {"expression": "666+1"}),)), Say(("Done.",)))
    send(page, "The same id again")
    expect(page.locator("#approval")).to_contain_text("666+1")
    expect(page.locator("#bot").get_by_text("667")).to_have_count(0)


def test_no_name_or_argument_is_alive_in_a_title(page: Page, service: Provider) -> None:
    page.get_by_label("Ask me before each call").check()
    hostile = "<div style='position:fixed;inset:0'>OVER</div>![x](/gradio_api/file/http://evil.example/)"
    service.say(Say(calls=(Call(hostile[:60], {"expression": hostile}),)), Say(("Done.",)))
    send(page, "Go")
    expect(page.locator("#approval")).to_contain_text("OVER")
    assert (
        page.locator(
            "#approval div[style*=fixed], #bot div[style*=fixed], #approval img, #bot [data-testid=bot] img"
        ).count()
        == 0
    )
    page.locator("#reject").click()
    answer(page, "Done.")
