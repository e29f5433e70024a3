"""The tool loop: whatever a model does with tools goes back to it as a sentence, and two users never see each other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from backends import openai
from core.chat import add, ask, converse, marked, pending, sendable, stopped
from core.errors import BadSetting, TimedOut, ToolError, TooManyRounds
from core.llm import Conversation, Message, Sampling, TextDelta, ToolCall, ToolResult
from core.tools import tool
from tests.services import Call, Provider, Refuse, Request, Say

BACKEND, MODEL = openai.backends()[0], "gpt-4.1"
HELLO: Conversation = (Message("user", "Hello"),)


@tool
def fare(city: str, seats: int = 1) -> str:
    """The fare to a city."""
    if city == "Atlantis":
        raise ToolError("No fare is known to Atlantis.")
    return f"{len(city) * 100 * seats} euros"


@tool
def broken(path: str) -> str:
    """A tool with a fault."""
    return str({}[path])


@tool
def slow(seconds: float) -> str:
    """A tool that takes its time."""
    time.sleep(seconds)
    return "at last"


async def turn(conversation: Conversation = HELLO, **options: Any) -> Conversation:
    async for event in converse(BACKEND, MODEL, conversation, tools=(fare, broken, slow), **options):
        conversation = add(conversation, event)
    return conversation


def results(conversation: Conversation) -> list[ToolResult]:
    return [message.tool_result for message in conversation if message.tool_result]


def call(name: str = "fare", arguments: Mapping[str, Any] | str = "", id: str = "call_1") -> Call:
    return Call(name, arguments or {"city": "Rome"}, id)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (call("teleport"), ["no tool named 'teleport'", "fare, broken, slow"]),
        (call(arguments='{"city": "Ro'), ["not understood", "JSON"]),
        (call(arguments='["Rome"]'), ["not understood", "JSON object"]),
        (call(arguments="{}"), ["city", "required"]),
        (call(arguments={"city": "Rome", "color": "red"}), ["color", "not permitted"]),
        (call(arguments={"city": 7}), ["city", "string"]),
        (call(arguments={"city": "Rome", "seats": "two"}), ["seats", "integer"]),
        (call(arguments={"city": "Atlantis"}), ["No fare is known to Atlantis."]),
        (call("broken", {"path": "/secret"}), ["broken failed"]),
    ],
)
async def test_a_call_that_goes_wrong_goes_back_as_a_sentence(provider: Provider, made: Call, words: list[str]) -> None:
    provider.say(Say(calls=(made,)), Say(("I see.",)))
    conversation = await turn()
    (result,) = results(conversation)
    assert result.is_error
    assert all(word in result.content for word in words)
    assert result.content.endswith(".")
    assert "secret" not in result.content
    assert provider.asked()[-1].body["messages"][-1] == {
        "role": "tool", "tool_call_id": "call_1", "content": result.content,
    }  # fmt: skip
    assert conversation[-1].text == "I see."


async def test_a_tool_that_takes_too_long_is_left(provider: Provider, limits: Callable[..., None]) -> None:
    limits(tool_timeout=0.2)
    provider.say(Say(calls=(call("slow", {"seconds": 0.8}), call(id="call_2"))), Say(("I see.",)))
    started = time.monotonic()
    by_name = {result.name: result for result in results(await turn())}
    assert time.monotonic() - started < 0.8
    assert by_name["slow"].is_error
    assert "longer than 0.2 seconds" in by_name["slow"].content
    assert by_name["fare"].content == "400 euros"


async def test_calls_of_one_turn_run_side_by_side(provider: Provider) -> None:
    calls = tuple(call("slow", {"seconds": 0.3}, f"call_{number}") for number in range(3))
    provider.say(Say(calls=calls), Say(("Done.",)))
    conversation = await turn()
    assert [result.content for result in results(conversation)] == ["at last"] * 3
    assert all(0.3 <= result.seconds < 0.6 for result in results(conversation))


async def test_after_eight_rounds_it_says_so(provider: Provider) -> None:
    provider.say(Say(calls=(call(),)))
    conversation = HELLO
    with pytest.raises(TooManyRounds, match="8 rounds"):
        async for event in converse(BACKEND, MODEL, conversation, tools=(fare,)):
            conversation = add(conversation, event)
    assert len(results(conversation)) == 8
    assert len(provider.asked()) == 8


async def test_ask_first_waits_for_a_decision_on_every_call(provider: Provider) -> None:
    provider.say(Say(calls=(call(), call(arguments={"city": "Oslo"}, id="call_2"))), Say(("Good.",)))
    waiting = await turn(ask_first=True)
    assert [made.id for made in pending(waiting)] == ["call_1", "call_2"]
    assert await turn(waiting, ask_first=True, decisions={"call_1": True}) == waiting
    assert len(provider.asked()) == 1
    decided = await turn(waiting, ask_first=True, decisions={"call_1": True, "call_2": False})
    by_id = {result.id: result for result in results(decided)}
    assert by_id["call_1"].content == "400 euros"
    assert by_id["call_2"].content == "The user rejected this call."
    assert by_id["call_2"].is_error
    assert decided[-1].text == "Good."


async def test_without_ask_first_nothing_waits(provider: Provider) -> None:
    provider.say(Say(calls=(call(),)), Say(("Good.",)))
    assert (await turn())[-1].text == "Good."


async def test_two_users_at_once_never_see_each_other(provider: Provider) -> None:
    """Each has a tool call and an answer of their own; what is sent for one never holds the other's name."""

    def answer(request: Request) -> Say:
        who, again = request.prompt, "tool_call_id" in str(request.body)
        pieces = tuple(f"{who} pays {word}. " for word in ("this", "that"))
        return Say(pieces, pace=0.02) if again else Say(calls=(call(arguments={"city": who}),), pace=0.02)

    provider.script = answer
    names = ["Ada", "Grace", "Alan"]
    talks = await asyncio.gather(*(turn((Message("user", name),), system=f"You serve {name}.") for name in names))
    for name, talk in zip(names, talks, strict=True):
        assert talk[-1].text == f"{name} pays this. {name} pays that. "
        assert [result.content for result in results(talk)] == [f"{len(name) * 100} euros"]
    for request in provider.asked():
        assert sum(name in str(request.body) for name in names) == 1


async def test_a_model_without_tools_is_told_the_past_in_words(provider: Provider) -> None:
    made = ToolCall("call_1", "fare", {"city": "Rome"})
    past = (
        *HELLO,
        Message("assistant", tool_calls=(made,)),
        Message("tool", tool_result=ToolResult("call_1", "fare", "400 euros")),
        Message("user", "Thanks"),
    )
    async for _ in converse(BACKEND, "gpt-6-luna", past, tools=(fare,)):
        pass
    body = provider.asked()[-1].body
    assert "tools" not in body
    assert "tool_calls" not in str(body)
    assert "400 euros" in body["messages"][1]["content"]


async def test_the_price_of_an_answer_is_told(provider: Provider) -> None:
    provider.say(Say(("Hi",), usage=(1_000_000, 500_000)))
    done = (await turn())[-1].done
    price = (await BACKEND.capabilities(MODEL)).price
    assert done is not None
    assert price is not None
    assert done.cost == pytest.approx(price.input + price.output / 2)


async def test_an_answer_without_end_is_left(provider: Provider, limits: Callable[..., None]) -> None:
    limits(answer_timeout=0.5)
    provider.say(Say(("on and on ",) * 200, pace=0.05))
    started = time.monotonic()
    with pytest.raises(TimedOut):
        await turn()
    assert time.monotonic() - started < 1.5
    assert provider.hung_up.wait(1)


async def test_leaving_while_a_tool_runs_asks_no_more(provider: Provider) -> None:
    provider.say(Say(calls=(call(), call("slow", {"seconds": 0.5}, "call_2"))))
    events = converse(BACKEND, MODEL, HELLO, tools=(fare, slow))
    async for event in events:
        if isinstance(event, ToolResult):
            break
    await events.aclose()
    assert any(task.cancelling() for task in asyncio.all_tasks())
    assert len(provider.asked()) == 1


async def test_giving_up_on_a_busy_provider(provider: Provider, limits: Callable[..., None]) -> None:
    limits(retries=0)
    provider.say(Refuse(503))
    with pytest.raises(Exception, match="OpenAI has a problem"):
        await turn()
    assert len(provider.asked()) == 1


async def test_only_the_knobs_of_the_model_are_kept(provider: Provider) -> None:
    await turn(sampling=Sampling(temperature=0.3, top_k=5))
    assert provider.asked()[-1].body["temperature"] == 0.3
    assert "top_k" not in provider.asked()[-1].body


# --- the conversation -------------------------------------------------------------------------------------------------


def test_every_call_is_sent_with_a_result_right_after_it() -> None:
    made = (ToolCall("a", "fare", {}), ToolCall("b", "fare", {}))
    conversation = (
        *HELLO,
        Message("assistant", tool_calls=made, note="Stopped."),
        Message("tool", tool_result=ToolResult("b", "fare", "4")),
        Message("user", "Go on"),
        Message("assistant", note="Stopped."),
        Message("user", "Please"),
    )
    sent = sendable(conversation, "  Be brief. ")
    assert [message.role for message in sent] == ["system", "user", "assistant", "tool", "tool", "user", "user"]
    assert [message.tool_result.id for message in sent if message.tool_result] == ["a", "b"]


def test_an_unfinished_answer_is_marked_once_and_never_waits_for_tools() -> None:
    begun = add(add(HELLO, TextDelta("Hel")), ToolCall("a", "fare", {}))
    assert pending(begun)
    left = stopped(begun)
    assert left[-1].note == "Stopped."
    assert left[-1].text == "Hel"
    assert not pending(left)
    assert stopped(left) == left
    assert marked(begun, "The answer was cut off.")[-1].note == "The answer was cut off."
    assert add(left, TextDelta("Next"))[-1] == Message("assistant", "Next")


@pytest.mark.parametrize(("text", "word"), [("  \n", "empty"), ("x" * 100_001, "100,001")])
def test_a_message_that_cannot_be_sent_is_refused(text: str, word: str) -> None:
    with pytest.raises(BadSetting, match=word):
        ask(HELLO, text)
