"""Kept conversations: what is put on the shelf comes back as it was."""

from __future__ import annotations

import pytest

from core import history
from core.chat import dump, load
from core.errors import BadSetting
from core.llm import Conversation, Done, Message, Replay, ToolCall, ToolResult

WHOLE: Conversation = (
    Message("user", "How much is a flight to Paris?"),
    Message(
        "assistant",
        thinking="Delhi, then.",
        tool_calls=(ToolCall("1", "get_ticket_price", {"origin": "Delhi", "destination": "Paris"}),),
        replay=Replay("claude", "m", ({"type": "thinking", "signature": "s"},)),
        done=Done("tool_use", 10, 5, seconds=0.5),
    ),
    Message("tool", tool_result=ToolResult("1", "get_ticket_price", "512 USD")),
    Message("assistant", "It costs 512 USD.", done=Done("end", 20, 7, cost=0.01, choice="local/starter")),
)


def test_a_conversation_survives_json() -> None:
    assert load(dump(WHOLE)) == WHOLE
    assert history.from_json(history.as_json("Mine", WHOLE)) == ("Mine", WHOLE)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", "{}", '{"messages": [{"role": "king"}]}', '{"messages": 3}', b"\xff"]
)
def test_anything_else_is_refused_in_a_sentence(text: str | bytes) -> None:
    with pytest.raises(BadSetting, match="not a conversation"):
        history.from_json(text)


def test_the_newest_comes_first_and_keeps_its_title() -> None:
    kept = history.keep([], "a", WHOLE)
    kept = history.keep(kept, "b", (Message("user", "Something else"),))
    kept = history.renamed(kept, "a", "  Flights\nof mine ")
    kept = history.keep(kept, "a", (*WHOLE, Message("user", "And to Rome?")))
    assert [row["title"] for row in kept] == ["Flights of mine", "Something else"]
    assert len(history.opened(kept, "a")) == len(WHOLE) + 1
    assert history.opened(kept, "nowhere") == ()


def test_a_conversation_of_which_nothing_is_left_is_not_kept() -> None:
    assert history.keep(history.keep([], "a", WHOLE), "a", ()) == []


@pytest.mark.parametrize("text", [None, "", "nonsense", "{}", "[3]", '[{"id": 1}]'])
def test_what_a_browser_keeps_is_read_or_left(text: str | None) -> None:
    kept = history.keep([], "a", WHOLE)
    assert history.parsed(history.written(kept)) == kept
    assert history.parsed(text) == []


def test_search_finds_words_of_title_and_messages() -> None:
    kept = history.keep(history.keep([], "a", WHOLE), "b", (Message("user", "Bananas"),))
    assert [row["id"] for row in history.matching(kept, "PARIS 512")] == ["a"]
    assert [row["id"] for row in history.matching(kept, "")] == ["b", "a"]
    assert history.matching(kept, "nowhere") == []


def test_a_deleted_conversation_is_gone() -> None:
    assert history.without(history.keep([], "a", WHOLE), "a") == []


def test_the_oldest_goes_when_the_browser_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LARGEST", 700)
    kept: history.Kept = []
    for name in "abc":
        kept = history.keep(kept, name, (Message("user", name * 200),))
    assert [row["id"] for row in kept] == ["c", "b"]


def test_the_document_tells_everything_that_was_said() -> None:
    document = history.as_markdown("Flights", (*WHOLE, Message("assistant", "It", note="Stopped.")))
    for said in ("# Flights", "Calls get_ticket_price", '"Delhi"', "512 USD", "It costs 512 USD.", "(Stopped.)"):
        assert said in document


def test_what_is_too_large_for_a_browser_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LARGEST", 300)
    assert history.keep([], "a", (Message("user", "a" * 400),)) == []
    with pytest.raises(BadSetting, match="too large"):
        history.from_json(" " * 301)


def test_halves_of_characters_do_not_come_in() -> None:
    _, conversation = history.from_json('{"messages": [{"role": "user", "text": "\\ud83d\\ude00 \\ud83d"}]}')
    assert conversation[0].text == "😀 �"
