"""Every way a provider fails ends in one AppError that names it, says what to do, and repeats none of its text."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from backends import claude, ollama, openai
from core.chat import add, converse
from core.errors import (
    AppError,
    BadReply,
    ContextTooLong,
    CutOff,
    KeyRefused,
    ModelMissing,
    Overloaded,
    PaymentNeeded,
    ProviderError,
    RateLimited,
    RequestRefused,
    SetupNeeded,
    TimedOut,
    Unreachable,
)
from core.llm import Backend, BackendEvent, Conversation, Done, Message, TextDelta, ToolCall, Waiting
from core.remote import from_transport, retry_after
from tests.services import Call, Provider, Raw, Refuse, Reply, Say

HELLO: Conversation = (Message("user", "Hello"),)
CANARY = "sk-canary-4711"
BACKENDS: dict[str, tuple[Backend, str]] = {
    "openai": (openai.backends()[0], "gpt-4.1"),
    "claude": (claude.backends()[0], "claude-haiku-4-5"),
    "ollama": (ollama.backends()[0], "llama3.2:3b"),
}
# How each service words "the conversation is too long", and "the account is empty".
TOO_LONG = {
    "openai": {"message": CANARY, "code": "context_length_exceeded", "type": "invalid_request_error"},
    "claude": {"message": f"prompt is too long: {CANARY} tokens > 200000 maximum", "type": "invalid_request_error"},
    "ollama": {"message": f"the input length exceeds the context length {CANARY}"},
}


@pytest.fixture(params=sorted(BACKENDS))
def wire(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def failure(wire: str) -> tuple[list[BackendEvent], AppError]:
    """What came before one answer failed, and how it failed."""
    backend, model = BACKENDS[wire]
    events: list[BackendEvent] = []
    try:
        async for event in backend.stream(model, HELLO):
            events.append(event)
    except AppError as error:
        return events, error
    raise AssertionError(f"nothing failed; it said {events}")


def check(error: AppError, kind: type[AppError], wire: str) -> None:
    assert type(error) is kind
    assert BACKENDS[wire][0].label in str(error)
    assert "canary" not in str(error)
    assert str(error).endswith(".")


def said(message: str = "", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": f"{message} {CANARY}", **fields}}


@dataclass(frozen=True)
class Row:
    """One row of the table: what the service does, and the error it must become."""

    reply: Reply
    kind: type[AppError]
    before: bool = False


ROWS = {
    "401": Row(Refuse(401, said()), KeyRefused),
    "401 of a FastAPI server": Row(Refuse(401, {"detail": CANARY}), KeyRefused),
    "402": Row(Refuse(402, said()), PaymentNeeded),
    "403": Row(Refuse(403, said()), KeyRefused),
    "404": Row(Refuse(404, said()), ModelMissing),
    "408": Row(Refuse(408, said()), TimedOut),
    "400": Row(Refuse(400, said()), RequestRefused),
    "413": Row(Refuse(413, said()), RequestRefused),
    "422": Row(Refuse(422, {"detail": [{"msg": CANARY}]}), RequestRefused),
    "429": Row(Refuse(429, said()), RateLimited),
    "429 without quota": Row(Refuse(429, said(code="insufficient_quota")), PaymentNeeded),
    "500": Row(Refuse(500, said()), Overloaded),
    "502 in HTML": Row(Refuse(502, f"<html>{CANARY}</html>"), Overloaded),
    "503": Row(Refuse(503, said()), Overloaded),
    "529": Row(Refuse(529, said()), Overloaded),
    "garbage": Row(Raw(f"<html>{CANARY}</html>"), BadReply),
    "nothing": Row(Raw(""), BadReply),
    "cut in the middle": Row(Say(("Hel",), then="cut"), CutOff, before=True),
    "ends without a finish": Row(Say(("Hel",), then="eof"), CutOff, before=True),
    "broken JSON": Row(Say(("Hel",), then="broken"), BadReply, before=True),
    "error in the stream": Row(
        Say(("Hel",), then="error", error=said(type="overloaded_error")["error"]), Overloaded, True
    ),
    "error as bare text": Row(Say(("Hel",), then="error", error=CANARY), Overloaded, True),
}


@pytest.mark.parametrize("situation", ROWS)
async def test_each_row_of_the_table(wire: str, provider: Provider, situation: str) -> None:
    row = ROWS[situation]
    provider.say(row.reply)
    events, error = await failure(wire)
    check(error, row.kind, wire)
    assert events == ([TextDelta("Hel")] if row.before else [])


async def test_a_conversation_that_is_too_long(wire: str, provider: Provider) -> None:
    provider.say(Refuse(400, {"error": TOO_LONG[wire]}))
    _, error = await failure(wire)
    check(error, ContextTooLong, wire)


@pytest.mark.parametrize(
    ("wire", "error", "kind"),
    [
        ("openai", {"code": 429, "message": CANARY}, RateLimited),
        ("openai", {"code": "context_length_exceeded", "message": CANARY}, ContextTooLong),
        ("openai", {"code": "insufficient_quota", "message": CANARY}, PaymentNeeded),
        ("openai", {"type": "invalid_request_error", "message": CANARY}, RequestRefused),
        ("claude", {"type": "rate_limit_error", "message": CANARY}, RateLimited),
        ("claude", {"type": "authentication_error", "message": CANARY}, KeyRefused),
        ("claude", {"type": "billing_error", "message": CANARY}, PaymentNeeded),
        ("claude", {"type": "not_found_error", "message": CANARY}, ModelMissing),
        ("claude", {"type": "invalid_request_error", "message": f"prompt is too long {CANARY}"}, ContextTooLong),
        ("ollama", f"model {CANARY} not found", ModelMissing),
    ],
)
async def test_an_error_inside_the_stream_is_told_by_its_type(
    provider: Provider, wire: str, error: Any, kind: type[AppError]
) -> None:
    provider.say(Say(("Hel",), then="error", error=error))
    events, raised = await failure(wire)
    check(raised, kind, wire)
    assert events == [TextDelta("Hel")]


@pytest.mark.parametrize("line", ["[1, 2]", '"text"', '{"some": "thing"}', '{"choices": [{"delta": 3}]}', "null"])
async def test_json_of_another_shape(wire: str, provider: Provider, line: str) -> None:
    provider.say(Raw(f"{line}\n" if wire == "ollama" else f"event: message_start\ndata: {line}\n\n"))
    _, error = await failure(wire)
    check(error, BadReply, wire)


async def test_a_server_that_is_down(wire: str, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    for variable in provider.environment():
        if not variable.endswith("KEY"):
            monkeypatch.setenv(variable, address)
    _, error = await failure(wire)
    check(error, Unreachable, wire)
    with pytest.raises(Unreachable):
        await BACKENDS[wire][0].models()


async def test_claudes_key_does_not_follow_a_redirect(provider: Provider) -> None:
    with Provider() as other:
        provider.say(Refuse(307, "", {"location": f"{other.url}/v1/messages"}))
        _, error = await failure("claude")
        assert not other.requests
    check(error, BadReply, "claude")


async def test_silence_before_the_first_token(wire: str, provider: Provider, limits: Callable[..., None]) -> None:
    await BACKENDS[wire][0].models()  # Imports the SDK, which would take all of the time below.
    limits(first_token_timeout=1)
    provider.say(Say(("late",), delay=30))
    started = time.monotonic()
    events, error = await failure(wire)
    check(error, TimedOut, wire)
    assert not events
    assert time.monotonic() - started < 3
    assert provider.hung_up.wait(1)


async def test_silence_in_the_middle(wire: str, provider: Provider, limits: Callable[..., None]) -> None:
    limits(read_timeout=0.3)
    provider.say(Say(("Hel",), then="silence"))
    events, error = await failure(wire)
    check(error, TimedOut, wire)
    assert events == [TextDelta("Hel")]
    assert provider.hung_up.wait(1)


@pytest.mark.parametrize("reply", [Refuse(500, said()), Raw("<html>", "text/html"), Raw("[1]", "application/json")])
async def test_a_list_that_cannot_be_had(wire: str, provider: Provider, reply: Reply) -> None:
    provider.listing = reply
    with pytest.raises(ProviderError) as raised:
        await BACKENDS[wire][0].models()
    check(raised.value, Overloaded if isinstance(reply, Refuse) else BadReply, wire)


@pytest.mark.parametrize(("wire", "variable"), [("openai", "OPENAI_API_KEY"), ("claude", "ANTHROPIC_API_KEY")])
@pytest.mark.parametrize("key", ["", "  ", "sk-canary\n4711", "sk-canary…4711", '"sk-canary 4711"'])
async def test_a_key_that_is_missing_or_no_key(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, wire: str, variable: str, key: str
) -> None:
    monkeypatch.setenv(variable, key)
    _, error = await failure(wire)
    check(error, SetupNeeded, wire)
    assert variable in str(error)
    with pytest.raises(SetupNeeded):
        await BACKENDS[wire][0].models()
    assert not provider.requests


async def test_an_ollama_without_models_says_what_to_do(provider: Provider) -> None:
    provider.models = ["nomic-embed-text"]
    with pytest.raises(SetupNeeded, match="ollama pull"):
        await BACKENDS["ollama"][0].models()


async def test_a_model_that_ollama_could_fetch(provider: Provider) -> None:
    provider.say(Refuse(404, {"error": f"model {CANARY} not found"}))
    _, error = await failure("ollama")
    assert isinstance(error, ModelMissing)
    assert error.fetchable


@pytest.mark.parametrize(("wire", "stop"), [("openai", "length"), ("claude", "max_tokens")])
async def test_a_tool_call_cut_off_by_the_length_is_not_run(provider: Provider, wire: str, stop: str) -> None:
    provider.say(Say(("I will",), calls=(Call("get", '{"city": "Par'),), stop=stop))
    backend, model = BACKENDS[wire]
    events = [event async for event in backend.stream(model, HELLO)]
    assert events[:-1] == [TextDelta("I will")]
    assert isinstance(events[-1], Done)
    assert events[-1].stop == "length"


@pytest.mark.parametrize("wire", ["openai", "claude"])
@pytest.mark.parametrize("arguments", ['{"city": "Par', "[1]", "Paris"])
async def test_a_tool_call_with_invalid_json_is_told(provider: Provider, wire: str, arguments: str) -> None:
    provider.say(Say(calls=(Call("get", arguments),)))
    backend, model = BACKENDS[wire]
    called = [event async for event in backend.stream(model, HELLO) if isinstance(event, ToolCall)]
    assert [call.name for call in called] == ["get"]
    assert "JSON" in called[0].problem


@pytest.mark.parametrize("http", [httpx, httpx2])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ConnectError", Unreachable),
        ("ConnectTimeout", Unreachable),
        ("ProxyError", Unreachable),
        ("UnsupportedProtocol", Unreachable),
        ("ReadTimeout", TimedOut),
        ("PoolTimeout", TimedOut),
        ("ReadError", CutOff),
        ("RemoteProtocolError", CutOff),
        ("DecodingError", BadReply),
        ("TooManyRedirects", BadReply),
    ],
)
def test_each_way_that_a_connection_fails(http: ModuleType, name: str, kind: type[AppError]) -> None:
    assert type(from_transport("Groq", getattr(http, name)(CANARY), http)) is kind


# --- busy providers ---------------------------------------------------------------------------------------------------


async def talk(wire: str) -> tuple[list[Waiting], Conversation]:
    backend, model = BACKENDS[wire]
    conversation, waits = HELLO, []
    async for event in converse(backend, model, conversation):
        conversation = add(conversation, event)
        if isinstance(event, Waiting):
            waits.append(event)
    return waits, conversation


async def test_a_busy_provider_is_waited_for_in_sight(wire: str, provider: Provider) -> None:
    provider.say(Refuse(429, said(), {"retry-after": "2"}), Say(("Here",)))
    started = time.monotonic()
    waits, conversation = await talk(wire)
    # ollama's SDK drops the headers of an error, so there the first wait is our own second.
    assert [wait.seconds for wait in waits] == ([1] if wire == "ollama" else [2, 1])
    assert all(BACKENDS[wire][0].label in wait.reason for wait in waits)
    assert time.monotonic() - started >= len(waits)
    assert conversation[-1].text == "Here"
    assert len(provider.asked()) == 2


@pytest.mark.parametrize("wire", ["openai", "claude"])
async def test_a_wait_that_is_too_long_is_not_waited(provider: Provider, wire: str) -> None:
    provider.say(Refuse(429, said(), {"retry-after": "3600"}))
    with pytest.raises(RateLimited, match="3600 seconds") as raised:
        await talk(wire)
    assert raised.value.retry_after == 3600
    assert len(provider.asked()) == 1


async def test_an_answer_that_has_begun_is_not_asked_again(wire: str, provider: Provider) -> None:
    provider.say(Say(("Hel",), then="error", error=said(type="overloaded_error")["error"]))
    with pytest.raises(Overloaded):
        await talk(wire)
    assert len(provider.asked()) == 1


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=30), usegmt=True)
    assert retry_after("2.5") == 2.5
    assert 28 <= (retry_after(soon) or 0) <= 30
    assert retry_after(past) == 0
    assert [retry_after(text) for text in (None, "", "soon", "nan", "inf", "-3")] == [None, None, None, None, None, 0]
