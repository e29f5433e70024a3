"""What every backend promises, whoever answers: one body of assertions over tests/stages.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from core.chat import add, converse
from core.llm import BackendEvent, Conversation, Done, Message, Progress, TextDelta, Thinking, ToolCall
from core.tools import tool
from tests.services import Call, Request, Say
from tests.stages import STAGES, Stage

HELLO: Conversation = (Message("user", "Hello"),)


@tool
def double(number: int) -> str:
    """Twice the number."""
    return str(2 * number)


@pytest.fixture(params=sorted(STAGES))
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with STAGES[request.param](monkeypatch) as ready:
        yield ready


async def answer(stage: Stage, conversation: Conversation = HELLO) -> list[BackendEvent]:
    events = [event async for event in stage.backend.stream(stage.model, conversation, (double,))]
    return [event for event in events if not isinstance(event, Progress)]


def calls(*numbers: int) -> tuple[Call, ...]:
    return tuple(Call("double", {"number": number}, f"call_{number}") for number in numbers)


async def test_text_comes_in_order_and_ends_with_one_done(stage: Stage) -> None:
    stage.say(Say(("One, ", "two", ", three ✓."), usage=(21, 9)))
    *text, done = await answer(stage)
    assert [type(event) for event in text] == [TextDelta] * len(text)
    assert "".join(event.text for event in text if isinstance(event, TextDelta)) == "One, two, three ✓."
    assert isinstance(done, Done)
    assert (done.stop, done.input_tokens, done.output_tokens) == ("end", 21, 9)


async def test_thinking_is_told_apart_from_the_answer(stage: Stage) -> None:
    stage.say(Say(("Four.",), thinking=("Two and ", "two.")))
    events = await answer(stage)
    assert "".join(e.text for e in events if isinstance(e, Thinking)) == "Two and two."
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Four."


async def test_parallel_calls_come_whole_and_each_with_its_own_id(stage: Stage) -> None:
    stage.say(Say(("Let me see.",), calls=calls(1, 2, 3)))
    *_, done = events = await answer(stage)
    called = [event for event in events if isinstance(event, ToolCall)]
    assert [(call.name, dict(call.arguments), call.problem) for call in called] == [
        ("double", {"number": number}, "") for number in (1, 2, 3)
    ]
    assert len({call.id for call in called}) == 3
    assert isinstance(done, Done)
    assert done.stop == "tool_use"


async def test_an_answer_that_was_too_long_says_so(stage: Stage) -> None:
    stage.say(Say(("Once upon",), stop="max_tokens" if stage.backend.name == "claude" else "length"))
    *_, done = await answer(stage)
    assert isinstance(done, Done)
    assert done.stop == "length"


async def test_three_rounds_of_tools_lead_to_an_answer(stage: Stage) -> None:
    stage.say(Say(calls=calls(1)), Say(("Now",), calls=calls(2, 3)), Say(calls=calls(4)), Say(("Done: 8.",)))
    conversation = HELLO
    async for event in converse(stage.backend, stage.model, conversation, tools=(double,)):
        conversation = add(conversation, event)
    results = [message.tool_result.content for message in conversation if message.tool_result]
    assert sorted(results) == ["2", "4", "6", "8"]
    assert conversation[-1].text == "Done: 8."
    done = conversation[-1].done
    assert done is not None
    assert done.choice == f"{stage.backend.name}/{stage.model}"
    assert done.seconds is not None
    assert done.seconds_to_first_token is not None
    assert 0 < done.seconds_to_first_token <= done.seconds


async def test_stop_ends_the_work_within_100_ms(stage: Stage) -> None:
    stage.say(Say(("Working on",), then="silence"))
    events = stage.backend.stream(stage.model, HELLO)
    assert await anext(events) == TextDelta("Working on")
    stopped = time.monotonic()
    await events.aclose()
    assert stage.left() - stopped < 0.1


async def test_stop_while_nothing_comes_ends_the_work_too(stage: Stage) -> None:
    await stage.backend.models()  # Imports the SDK, so that the request is under way when we leave.
    stage.say(Say(("late",), delay=5))
    first = asyncio.ensure_future(anext(stage.backend.stream(stage.model, HELLO)))
    await asyncio.sleep(0.5)
    stopped = time.monotonic()
    first.cancel()
    await asyncio.wait({first})
    assert stage.left() - stopped < 0.1


async def test_many_at_once_each_get_their_own_answer(stage: Stage) -> None:
    def echo(request: Request) -> Say:
        return Say(tuple(f"{request.prompt} {number}. " for number in range(5)), pace=0.01)

    async def ask(who: str) -> str:
        events = await answer(stage, (Message("user", who),))
        return "".join(event.text for event in events if isinstance(event, TextDelta))

    stage.script(echo)
    people = ["Ada", "Grace", "Alan", "Edsger"]
    answers = await asyncio.gather(*map(ask, people))
    assert answers == ["".join(f"{who} {number}. " for number in range(5)) for who in people]


def test_it_works_in_one_event_loop_after_another(stage: Stage) -> None:
    stage.say(Say(("Hello",)))
    for _ in range(2):
        assert asyncio.run(answer(stage))[0] == TextDelta("Hello")
