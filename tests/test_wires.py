"""What goes over the wire to each provider: only the knobs a model takes, and a conversation whoever has made it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest

from backends import claude, ollama, openai
from core.chat import add, converse, dump, load
from core.errors import BadSetting, ContextTooLong, CutOff, ModelMissing, Unreachable
from core.llm import Backend, Conversation, Fetches, Message, Progress, Replay, Sampling, ToolCall, ToolResult, ToolSpec
from core.tools import tool
from tests.services import Call, Provider, Raw, Request, Say

HELLO: Conversation = (Message("user", "Hello"),)
BACKENDS: dict[str, Backend] = {
    "openai": openai.backends()[0],
    "claude": claude.backends()[0],
    "ollama": ollama.backends()[0],
}
MODELS = {"openai": "gpt-4.1", "claude": "claude-sonnet-5-5", "ollama": "llama3.2:3b"}


@tool
def fare(city: str) -> str:
    """The fare to a city."""
    return f"{len(city) * 100} euros"


async def ask(
    choice: str,
    conversation: Conversation = HELLO,
    tools: tuple[ToolSpec, ...] = (),
    sampling: Sampling | None = None,
    schema: Mapping[str, Any] | None = None,
) -> None:
    wire, _, model = choice.partition("/")
    async for _ in BACKENDS[wire].stream(model or MODELS[wire], conversation, tools, sampling or Sampling(), schema):
        pass


async def turn(wire: str, conversation: Conversation, tools: tuple[ToolSpec, ...] = (fare,)) -> Conversation:
    async for event in converse(BACKENDS[wire], MODELS[wire], conversation, tools=tools, system="Be brief."):
        conversation = add(conversation, event)
    return conversation


# --- knobs ------------------------------------------------------------------------------------------------------------

EVERYTHING = Sampling(
    temperature=0.5,
    top_k=40,
    min_p=0.1,
    repetition_penalty=1.1,
    frequency_penalty=0.2,
    presence_penalty=0.3,
    max_tokens=100,
    seed=7,
    effort="low",
    stop=("END",),
)
OPENAI_SAMPLING = {"temperature": 0.5, "frequency_penalty": 0.2, "presence_penalty": 0.3, "seed": 7, "stop": ["END"]}
SHOWN = {"type": "adaptive", "display": "summarized"}
KNOBS = {
    "openai/gpt-4.1": {**OPENAI_SAMPLING, "max_completion_tokens": 100},
    "openai/gpt-4.1-2025-04-14": {**OPENAI_SAMPLING, "max_completion_tokens": 100},
    "openai/ft:gpt-4.1-mini:us::abc": {**OPENAI_SAMPLING, "max_completion_tokens": 100},
    "openai/o3": {"max_completion_tokens": 100, "reasoning_effort": "low"},
    "openai/gpt-5.5": {"max_completion_tokens": 100, "reasoning_effort": "low"},
    # It takes both, but sampling only while it does not think.
    "openai/gpt-5.4": {"max_completion_tokens": 100, "reasoning_effort": "low"},
    "openai/a-model-of-tomorrow": {"max_completion_tokens": 100},
    "claude/claude-haiku-4-5": {
        "temperature": 0.5, "top_k": 40, "max_tokens": 100, "stop_sequences": ["END"],
    },
    "claude/claude-sonnet-4-6": {
        "temperature": 0.5, "top_k": 40, "max_tokens": 100, "stop_sequences": ["END"],
        "output_config": {"effort": "low"},
    },
    "claude/claude-sonnet-5-5": {
        "max_tokens": 100, "stop_sequences": ["END"], "output_config": {"effort": "low"}, "thinking": SHOWN,
    },
    "claude/a-model-of-tomorrow": {"max_tokens": 100, "stop_sequences": ["END"]},
    "ollama/llama3.2:3b": {
        "temperature": 0.5, "top_k": 40, "min_p": 0.1, "repeat_penalty": 1.1, "frequency_penalty": 0.2,
        "presence_penalty": 0.3, "num_predict": 100, "seed": 7, "stop": ["END"], "num_ctx": 4096, "think": True,
    },
}  # fmt: skip
NOT_KNOBS = {"model", "messages", "stream", "stream_options", "tools", "options", "system"}


def knobs(request: Request) -> dict[str, Any]:
    sent = {name: value for name, value in request.body.items() if name not in NOT_KNOBS}
    return sent | dict(request.body.get("options", {}))


@pytest.mark.parametrize("choice", KNOBS)
async def test_only_the_knobs_that_a_model_takes_are_sent(provider: Provider, choice: str) -> None:
    await ask(choice, sampling=EVERYTHING)
    assert knobs(provider.asked()[-1]) == KNOBS[choice]


@pytest.mark.parametrize("choice", KNOBS)
async def test_a_knob_is_either_taken_or_there_is_a_reason(provider: Provider, choice: str) -> None:
    wire, _, model = choice.partition("/")
    can = await BACKENDS[wire].capabilities(model)
    every = set(EVERYTHING.given()) | {"top_p"}
    assert every == can.sampling | set(can.reasons)
    assert not can.sampling & set(can.reasons)
    assert all(reason.endswith(".") for reason in can.reasons.values())
    sent = EVERYTHING.only(can.sampling)
    await ask(choice, sampling=sent)
    assert knobs(provider.asked()[-1]) == KNOBS[choice]


@pytest.mark.parametrize(
    ("choice", "sampling", "sent"),
    [
        ("openai/gpt-5.4", Sampling(temperature=0.5), {"temperature": 0.5, "reasoning_effort": "none"}),
        ("openai/gpt-5", Sampling(effort="none"), {"reasoning_effort": "minimal"}),
        ("openai/o3", Sampling(effort="none"), {"reasoning_effort": "low"}),
        ("openai/gpt-5.5", Sampling(effort="none"), {"reasoning_effort": "none"}),
        ("claude/claude-sonnet-5-5", Sampling(), {"max_tokens": 128000, "thinking": SHOWN}),
        (
            "claude/claude-sonnet-5-5",
            Sampling(effort="none"),
            {"max_tokens": 128000, "output_config": {"effort": "low"}},
        ),
        ("claude/claude-sonnet-4-6", Sampling(), {"max_tokens": 128000, "thinking": {"type": "adaptive"}}),
        ("claude/claude-haiku-4-5", Sampling(max_tokens=99999), {"max_tokens": 64000}),
        ("ollama/llama3.2:3b", Sampling(effort="none"), {"think": False, "num_ctx": 8192}),
    ],
)
async def test_effort_and_its_company(
    provider: Provider, choice: str, sampling: Sampling, sent: dict[str, Any]
) -> None:
    await ask(choice, sampling=sampling)
    assert knobs(provider.asked()[-1]) == sent


@pytest.mark.parametrize("sampling", [Sampling(temperature=1.5), Sampling(temperature=0.5, top_p=0.9)])
async def test_what_claude_takes_less_of_is_said_and_not_sent(provider: Provider, sampling: Sampling) -> None:
    with pytest.raises(BadSetting, match="Claude takes"):
        await ask("claude/claude-haiku-4-5", sampling=sampling)
    assert not provider.asked()


async def test_claudes_own_list_decides_on_thinking(provider: Provider) -> None:
    yes, no = {"supported": True}, {"supported": False}
    provider.claude_models = [
        {
            "id": "claude-haiku-5-5", "type": "model", "lifecycle": "deprecated", "retires_at": "2027-05-01T00:00:00Z",
            "max_tokens": 5000, "max_input_tokens": 70000,
            "capabilities": {
                "thinking": {"supported": True, "types": {"adaptive": yes, "disabled": yes, "enabled": no}},
                "effort": {"supported": True, "low": yes, "medium": yes, "high": yes, "max": no, "xhigh": no},
                "structured_outputs": yes,
            },
        },
        {"id": "claude-2", "type": "model", "lifecycle": "retired"},
    ]  # fmt: skip
    backend = BACKENDS["claude"]
    assert await backend.models() == ["claude-haiku-5-5"]
    can = await backend.capabilities("claude-haiku-5-5")
    assert (can.thinking, can.structured, can.max_output, can.context_window) == (True, True, 5000, 70000)
    assert "2027-05-01" in can.note
    await ask("claude/claude-haiku-5-5", sampling=Sampling(effort="none"))
    assert knobs(provider.asked()[-1]) == {"max_tokens": 5000, "thinking": {"type": "disabled"}}


# --- conversations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("maker", "other"), list(permutations(BACKENDS, 2)))
@pytest.mark.parametrize("offered", [True, False])
async def test_a_conversation_goes_on_with_another_provider(
    provider: Provider, maker: str, other: str, offered: bool
) -> None:
    """The service refuses what the real one would: ids, order, results that miss, tools that are not defined."""
    calls = (Call("fare", {"city": "Rome"}, "a:1"), Call("fare", {"city": "Oslo"}, "b/2"))
    provider.say(Say(("I look.",), thinking=("Hm.",), calls=calls), Say(("Both 400 euros.",)), Say(("Yes.",)))
    made = await turn(maker, (Message("user", "What do Rome and Oslo cost?"),))
    kept = load(dump(made))
    on = await turn(other, (*kept, Message("user", "Sure?")), (fare,) if offered else ())
    assert on[-1].text == "Yes."
    sent = str(provider.asked()[-1].body)
    assert sent.count("400 euros") == 3
    assert "Hm." not in sent or other == "ollama"


async def test_an_interrupted_call_can_be_sent_everywhere(provider: Provider) -> None:
    broken = ToolCall("x y", "no such tool!", {}, "its arguments are not valid JSON.")
    conversation = (*HELLO, Message("assistant", " ", (broken,), note="Stopped."), Message("user", "Go on"))
    for wire in BACKENDS:
        assert (await turn(wire, conversation, ()))[-1].text == "Hello there"


async def test_thinking_goes_back_verbatim_to_the_model_that_signed_it(provider: Provider) -> None:
    calls = (Call("fare", {"city": "Rome"}, "toolu_1"),)
    provider.say(Say(("I look.",), thinking=("Rome, ", "then."), calls=calls), Say(("400 euros.",)))
    made = await turn("claude", HELLO)
    again = provider.asked()[-1].body["messages"][1]["content"]
    assert again == [
        {"type": "thinking", "thinking": "Rome, then.", "signature": "c2lnbmVk"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "fare", "input": {"city": "Rome"}},
    ]
    await ask("claude/claude-opus-5", (*made, Message("user", "And?")), (fare,))
    other_model = provider.asked()[-1].body["messages"][1]["content"]
    assert [block["type"] for block in other_model] == ["text", "tool_use"]


@pytest.mark.parametrize("blocks", [(), (1, "x"), ({"type": "text", "text": " "}, {}), ({"echo": 1},)])
@pytest.mark.parametrize("wire", BACKENDS)
async def test_replay_from_a_file_may_hold_anything(provider: Provider, wire: str, blocks: tuple[Any, ...]) -> None:
    """An imported conversation must not crash the app, whatever it claims that a provider said."""
    call = ToolCall("call_1", "fare", {"city": "Rome"})
    said = Message("assistant", "Hm", (call,), replay=Replay(wire, MODELS[wire], blocks))
    result = Message("tool", tool_result=ToolResult("call_1", "fare", "400"))
    assert (await turn(wire, (*HELLO, said, result)))[-1].text == "Hello there"


async def test_claude_gets_one_message_for_each_turn_and_caches_what_stays(provider: Provider) -> None:
    conversation = (Message("system", "Be brief."), *HELLO, Message("user", "Are you there?"))
    await ask("claude", conversation, (fare,))
    body = provider.asked()[-1].body
    assert [len(message["content"]) for message in body["messages"]] == [2]
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["tools"][-1]["cache_control"] == {"type": "ephemeral"}


async def test_claude_may_not_call_the_tools_that_only_the_past_names(provider: Provider) -> None:
    call = ToolCall("call_1", "fare", {"city": "Rome"})
    past = (Message("assistant", tool_calls=(call,)), Message("tool", tool_result=ToolResult("call_1", "fare", "400")))
    await ask("claude", (*HELLO, *past, Message("user", "Thanks")))
    body = provider.asked()[-1].body
    assert [spec["name"] for spec in body["tools"]] == ["fare"]
    assert body["tool_choice"] == {"type": "none"}


async def test_a_failed_tool_is_marked_for_claude(provider: Provider) -> None:
    call = ToolCall("call_1", "fare", {})
    result = ToolResult("call_1", "fare", "No such city.", is_error=True)
    await ask(
        "claude", (*HELLO, Message("assistant", tool_calls=(call,)), Message("tool", tool_result=result)), (fare,)
    )
    assert provider.asked()[-1].body["messages"][-1]["content"][0]["is_error"] is True


@pytest.mark.parametrize("ids", [("", ""), ("call_0", "call_0"), ("old", "new")])
async def test_weak_ids_are_made_unique(provider: Provider, ids: tuple[str, str]) -> None:
    """Gemini and others send none, or the same in each turn; every result must find its own call."""
    old = ToolCall("old", "fare", {"city": "Rome"})
    before = (
        *HELLO,
        Message("assistant", tool_calls=(old,)),
        Message("tool", tool_result=ToolResult("old", "fare", "4")),
    )
    calls = tuple(Call("fare", {"city": city}, name) for city, name in zip(("Rome", "Oslo"), ids, strict=True))
    provider.say(Say(calls=calls))
    stream = BACKENDS["openai"].stream("gpt-4.1", before, (fare,))
    called = [event async for event in stream if isinstance(event, ToolCall)]
    assert [call.arguments for call in called] == [{"city": "Rome"}, {"city": "Oslo"}]
    assert len({"old", *(call.id for call in called)}) == 3


# --- structured answers -----------------------------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {"link": {"type": "string", "default": "x"}, "default": {"type": "integer", "minimum": 1}},
    "required": ["link"],
}


async def test_a_schema_is_sent_as_each_provider_takes_it(provider: Provider) -> None:
    for wire in BACKENDS:
        await ask(wire, schema=SCHEMA)
    by_wire = {request.wire: request.body for request in provider.asked()}
    strict = by_wire["openai"]["response_format"]["json_schema"]
    assert strict["strict"] is True
    assert strict["schema"]["required"] == ["link", "default"]
    assert strict["schema"]["additionalProperties"] is False
    assert strict["schema"]["properties"]["link"] == {"type": "string"}
    form = by_wire["claude"]["output_config"]["format"]
    assert form["type"] == "json_schema"
    assert form["schema"]["additionalProperties"] is False
    assert by_wire["ollama"]["format"] == SCHEMA


async def test_a_schema_with_open_keys_is_asked_for_without_the_promise(provider: Provider) -> None:
    open_keys = {"type": "object", "additionalProperties": {"type": "string"}}
    await ask("openai", schema=open_keys)
    asked = provider.asked()[-1].body["response_format"]["json_schema"]
    assert asked == {"name": "answer", "schema": open_keys, "strict": False}


# --- Ollama -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "window"), [(10, 4096), (3000, 8192), (6000, 16384), (13000, 32768), (16000, 32768)])
async def test_ollamas_window_follows_the_conversation(provider: Provider, words: int, window: int) -> None:
    provider.context_length, provider.abilities = 32768, ["completion"]
    provider.say(Say(("ok",), usage=(words, 7)))
    await ask("ollama", (Message("user", "word " * words),))
    assert provider.asked()[-1].body["options"]["num_ctx"] == window


async def test_a_loaded_model_that_is_large_enough_is_not_reloaded(provider: Provider) -> None:
    provider.loaded = [{"model": MODELS["ollama"], "context_length": 8192}, {"model": "other", "context_length": 65536}]
    await ask("ollama", sampling=Sampling(max_tokens=10))
    assert provider.asked()[-1].body["options"]["num_ctx"] == 8192


async def test_what_cannot_fit_is_refused_before_it_is_asked(provider: Provider) -> None:
    provider.context_length = 2048
    with pytest.raises(ContextTooLong, match="Ollama"):
        await ask("ollama", (Message("user", "a long story " * 2000),))
    assert not provider.asked()


@pytest.mark.parametrize("counted", [8192, 1500])
async def test_an_answer_to_a_prompt_that_was_cut_is_an_error(provider: Provider, counted: int) -> None:
    """Ollama answers what is left after a silent cut; only the tokens that it counted tell."""
    provider.say(Say(("ok",), usage=(counted, 7)))
    with pytest.raises(ContextTooLong):
        await ask("ollama", (Message("user", "Tell me all of it, please. " * 1000),))


async def test_long_runs_of_one_character_are_not_mistaken_for_a_cut(provider: Provider) -> None:
    provider.say(Say(("ok",), usage=(400, 7)))
    assert (await turn("ollama", (Message("user", "=" * 20000),), ()))[-1].text == "ok"


async def test_a_model_without_thinking_is_not_asked_to_think(provider: Provider) -> None:
    provider.abilities = ["completion"]
    can = await BACKENDS["ollama"].capabilities("llama3.2:3b")
    assert (can.tools, can.thinking, can.context_window) == (False, False, 8192)
    await ask("ollama", sampling=Sampling(effort="high"))
    assert "think" not in provider.asked()[-1].body


@pytest.mark.parametrize(("effort", "think"), [("none", "low"), ("high", "high")])
async def test_gpt_oss_takes_levels_of_thinking(provider: Provider, effort: str, think: str) -> None:
    provider.family = "gptoss"
    await ask("ollama", sampling=Sampling(effort=effort))
    assert provider.asked()[-1].body["think"] == think


async def pulled(model: str = "llama3.2") -> list[Progress]:
    backend = BACKENDS["ollama"]
    assert isinstance(backend, Fetches)
    return [step async for step in backend.fetch(model)]


async def test_a_pull_shows_how_far_it_is(provider: Provider) -> None:
    shares = [step.fraction or 0 for step in await pulled()]
    assert shares == sorted(shares)
    assert 0.5 in shares
    assert shares[-1] == 1
    assert provider.requests[-1].body["model"] == "llama3.2"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('{"error": "pull model manifest: file does not exist"}', ModelMissing),
        ('{"error": "dial tcp: lookup registry.ollama.ai: no such host"}', Unreachable),
        ('{"status": "pulling manifest"}', CutOff),
    ],
)
async def test_a_pull_that_fails(provider: Provider, line: str, kind: type[Exception]) -> None:
    provider.pull = Raw(line, "application/x-ndjson")
    with pytest.raises(kind, match="Ollama"):
        await pulled()
