"""The compatible servers: each is a row of data, and a user adds rows without touching code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.openai import OpenAI, backends
from core.errors import SetupNeeded, Unreachable
from core.llm import KNOBS, Conversation, Done, Message, Sampling, TextDelta, ToolCall, ToolResult
from tests.services import Call, Provider, Raw, Say

HELLO: Conversation = (Message("user", "Hello"),)
SHIPPED = {row.name: row for row in backends() if isinstance(row, OpenAI)}
EVERYTHING = Sampling(
    temperature=0.5,
    top_p=0.9,
    top_k=40,
    min_p=0.1,
    repetition_penalty=1.1,
    frequency_penalty=0.2,
    presence_penalty=0.3,
    max_tokens=100,
    seed=7,
    stop=("END",),
)
MINE = {"name": "mine", "label": "My server", "base_url": "http://127.0.0.1:1/v1", "key_variable": "MY_API_KEY"}


@pytest.fixture
def added(limits: Callable[..., None]) -> Callable[[Any], list[OpenAI]]:
    """The rows that a value of SWITCHBOARD_PROVIDERS adds."""

    def rows(value: Any) -> list[OpenAI]:
        limits(providers=value if isinstance(value, str) else json.dumps(value))
        return [row for row in backends() if isinstance(row, OpenAI)][len(SHIPPED) :]

    return rows


def at(provider: Provider, name: str, **changes: Any) -> OpenAI:
    """A shipped row whose server is the loopback one."""
    return replace(SHIPPED[name], base_url=f"{provider.url}/v1", base_variable="", listing="/models", **changes)


async def test_all_servers_of_the_list_are_there() -> None:
    names = ["openai", "github", "openrouter", "groq", "gemini", "deepseek", "vllm", "lmstudio", "llamacpp"]
    assert list(SHIPPED) == names
    assert all(set(row.knobs) <= KNOBS for row in SHIPPED.values())


@pytest.mark.parametrize("name", ["openai", "github", "openrouter", "groq", "gemini", "deepseek"])
async def test_a_server_without_its_key_says_which_to_set(name: str) -> None:
    row = SHIPPED[name]
    with pytest.raises(SetupNeeded, match=f"Set {row.key_variable} to use {row.label}"):
        await row.models()


@pytest.mark.parametrize("name", ["vllm", "lmstudio", "llamacpp"])
async def test_a_local_server_that_is_not_running_says_how_to_start_it(name: str) -> None:
    row = replace(SHIPPED[name], base_url="http://127.0.0.1:1/v1")
    with pytest.raises(Unreachable, match=f"Start {row.label}"):
        await row.models()


@pytest.mark.parametrize("name", SHIPPED)
async def test_each_server_answers_and_gets_its_own_names_of_knobs(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    row = at(provider, name)
    monkeypatch.setenv(row.key_variable or "UNUSED", "test-key-of-the-row")
    provider.models = ["some/model"]
    events = [event async for event in row.stream("some/model", HELLO, (), EVERYTHING)]
    assert [event for event in events if isinstance(event, TextDelta)] == [TextDelta("Hello"), TextDelta(" there")]
    request = provider.asked()[-1]
    sent = {key for key in request.body if key not in ("model", "messages", "stream", "stream_options")}
    taken = (await row.capabilities("some/model")).sampling - {"effort"}
    assert sent == {row.knobs[knob] for knob in taken}
    assert request.headers["authorization"] == f"Bearer {'test-key-of-the-row' if row.key_variable else 'none'}"
    assert await row.models() == ["some/model"]


async def test_what_is_openais_is_sent_to_openai_only(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK would send all of this to every address."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-canary")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Team: team-canary\nauthorization: Bearer canary")
    monkeypatch.setenv("GROQ_API_KEY", "test-key-groq")
    async for _ in at(provider, "groq").stream("m", HELLO):
        pass
    headers = provider.asked()[-1].headers
    assert headers["authorization"] == "Bearer test-key-groq"
    assert "canary" not in str(headers)
    async for _ in SHIPPED["openai"].stream("gpt-4.1", HELLO):
        pass
    assert "org-canary" in str(provider.asked()[-1].headers)


async def test_openai_hides_what_cannot_chat_and_sorts_the_newest_first(provider: Provider) -> None:
    kept = ["gpt-4o", "gpt-4.1", "gpt-5.5", "o3", "ft:gpt-4.1:us::abc", "gpt-6-luna"]
    hidden = [
        "text-embedding-3-large", "tts-1-hd", "whisper-1", "dall-e-3", "omni-moderation-latest", "gpt-realtime-2.1",
        "gpt-4o-audio-preview", "gpt-image-2", "sora-2", "o1-pro", "gpt-5-codex", "gpt-3.5-turbo-instruct",
        "gpt-5.6-sol", "davinci-002", "gpt-4o-transcribe",
    ]  # fmt: skip
    provider.models = [*kept, *hidden]
    assert await SHIPPED["openai"].models() == kept[::-1]


async def test_a_model_whose_tools_need_another_api_gets_none(provider: Provider) -> None:
    can = await SHIPPED["openai"].capabilities("gpt-6-luna")
    assert not can.tools
    assert "Responses API" in can.note
    assert (await at(provider, "openrouter").capabilities("openai/gpt-6-luna")).tools


async def test_github_lists_a_plain_array_and_knows_openais_models_by_their_maker(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "test-token")
    row = at(provider, "github")
    provider.listing = Raw('[{"id": "openai/gpt-5"}, {"id": "meta/llama"}]', "application/json")
    assert await row.models() == ["openai/gpt-5", "meta/llama"]
    assert (await row.capabilities("openai/gpt-5")).sampling == {"max_tokens"}
    assert "temperature" in (await row.capabilities("meta/llama")).sampling


async def test_gemini_gets_back_what_it_put_beside_a_call(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gemini 3 refuses a tool round without its thought signature, and numbers all parallel calls 0."""
    monkeypatch.setenv("GEMINI_API_KEY", "test-key")
    row, signed = at(provider, "gemini"), {"google": {"thought_signature": "c2lnbmVk"}}
    parts = [
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}, "extra_content": signed},
        {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}},
    ]
    chunk = {"choices": [{"index": 0, "delta": {"tool_calls": parts}, "finish_reason": "stop"}]}
    provider.say(Raw(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"), Say(("ok",)))
    events = [event async for event in row.stream("gemini-3-pro", HELLO)]
    calls = tuple(event for event in events if isinstance(event, ToolCall))
    assert [call.name for call in calls] == ["f", "g"]
    assert isinstance(events[-1], Done)
    said = Message("assistant", tool_calls=calls, replay=events[-1].replay)
    results = tuple(Message("tool", tool_result=ToolResult(call.id, call.name, "4")) for call in calls)
    for model, first in (("gemini-3-pro", signed), ("gemini-2.5-flash", None)):
        async for _ in row.stream(model, (*HELLO, said, *results)):
            pass
        sent = provider.asked()[-1].body["messages"][1]["tool_calls"]
        assert [call.get("extra_content") for call in sent] == [first, None]


async def test_deepseek_gets_back_its_thinking_with_a_call(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "test-key")
    call = ToolCall("call_1", "f", {})
    said = Message("assistant", tool_calls=(call,), thinking="Let me look.")
    conversation = (*HELLO, said, Message("tool", tool_result=ToolResult("call_1", "f", "4")))
    async for _ in at(provider, "deepseek").stream("deepseek-chat", conversation):
        pass
    assert provider.asked()[-1].body["messages"][1]["reasoning_content"] == "Let me look."


async def test_a_server_that_says_stop_with_whole_calls_is_understood(provider: Provider) -> None:
    provider.say(Say(calls=(Call("f", {"a": 1}),), stop="stop"))
    events = [event async for event in at(provider, "vllm").stream("m", HELLO)]
    assert events[0] == ToolCall("call_1", "f", {"a": 1})
    assert isinstance(events[1], Done)
    assert events[1].stop == "tool_use"


# --- rows of the user -------------------------------------------------------------------------------------------------


async def test_a_user_adds_a_server_by_a_setting_or_a_file(
    added: Callable[[Any], list[OpenAI]], provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_API_KEY", "test-key-mine")
    row = MINE | {"base_url": f"{provider.url}/v1", "usage": False, "knobs": {"top_k": "k"}}
    (tmp_path / "rows.json").write_text(json.dumps([row]), "utf-8")
    for value in ([row], str(tmp_path / "rows.json")):
        (server,) = added(value)
        assert (server.name, server.label) == ("mine", "My server")
        async for _ in server.stream("m", HELLO, (), EVERYTHING):
            pass
        body = provider.asked()[-1].body
        assert body["k"] == 40
        assert "stream_options" not in body
        assert "temperature" not in body


async def test_three_words_are_enough_for_a_server_without_a_key(
    added: Callable[[Any], list[OpenAI]], provider: Provider
) -> None:
    (server,) = added([{"name": "lab", "label": "Our lab", "base_url": f"{provider.url}/v1"}])
    assert [type(event) async for event in server.stream("m", HELLO)] == [TextDelta, TextDelta, Done]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("[", "JSON"),
        ("{}", "array"),
        ("/no/such/file.json", "file"),
        ("nonsense", "file"),
        ([{"name": "x"}], "label"),
        ([MINE | {"base_url": "localhost:8000"}], "base_url"),
        ([MINE | {"name": "My Server"}], "name"),
        ([MINE | {"api_key": "sk-canary"}], "api_key"),
        ([MINE | {"knobs": {"temprature": "t"}}], "temprature"),
        ([MINE | {"hidden": "("}], "hidden"),
    ],
)
async def test_a_broken_value_is_one_clear_sentence(
    added: Callable[[Any], list[OpenAI]], value: Any, word: str
) -> None:
    (row,) = added(value)
    with pytest.raises(SetupNeeded) as raised:
        await row.models()
    assert "SWITCHBOARD_PROVIDERS" in str(raised.value)
    assert word in str(raised.value)
    assert "canary" not in str(raised.value)
    assert (await row.capabilities("m")).price is None
