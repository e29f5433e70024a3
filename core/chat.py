"""A conversation: folding events into it, making it fit to send, and the tool loop. Knows no vendor."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from core.budget import Bill, admit, metered
from core.calls import carried, run_all
from core.errors import (
    BadSetting,
    CutOff,
    Overloaded,
    RateLimited,
    TimedOut,
    TooManyRounds,
)
from core.llm import (
    Backend,
    BackendEvent,
    Capabilities,
    Conversation,
    Done,
    Event,
    Message,
    Progress,
    Sampling,
    TextDelta,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
    Waiting,
)
from core.markdown import sound
from core.remote import retry_wait
from core.settings import settings

# --- the conversation -------------------------------------------------------------------------------------------------


def add(conversation: Conversation, event: Event) -> Conversation:
    """The conversation after one event."""
    match event:
        case Waiting() | Progress():
            return conversation
        case ToolResult():
            return (*conversation, Message("tool", tool_result=event))
    *earlier, last = _answering(conversation)
    match event:
        case TextDelta(text):
            last = replace(last, text=last.text + text)
        case Thinking(text):
            last = replace(last, thinking=last.thinking + text)
        case ToolCall():
            last = replace(last, tool_calls=(*last.tool_calls, event))
        case Done():
            last = replace(last, text=sound(last.text), thinking=sound(last.thinking), done=event, replay=event.replay)
    return (*earlier, last)


def _answering(conversation: Conversation) -> Conversation:
    """The conversation with an unfinished assistant message at its end."""
    if conversation and conversation[-1].role == "assistant" and not _closed(conversation[-1]):
        return conversation
    return (*conversation, Message("assistant"))


def _closed(message: Message) -> bool:
    return message.done is not None or bool(message.note)


def marked(conversation: Conversation, note: str) -> Conversation:
    """The conversation, its unfinished answer closed with the reason why it is incomplete."""
    *earlier, last = _answering(conversation)
    return (*earlier, replace(last, note=note))


def stopped(conversation: Conversation) -> Conversation:
    """The conversation, marked when its last turn was left before the model was done."""
    if not conversation:
        return conversation
    last = conversation[-1]
    finished = last.role == "assistant" and _closed(last) and not pending(conversation)
    return conversation if finished else marked(conversation, "Stopped.")


def reopened(conversation: Conversation) -> Conversation:
    """The conversation as it is opened again: an answer that never came is marked, a tool call may still be allowed."""
    return conversation if pending(conversation) else stopped(conversation)


def ask(conversation: Conversation, text: str) -> Conversation:
    """The conversation with the user's next message. Raises BadSetting when it is empty or too long."""
    text, longest = sound(text).strip(), settings().longest_message
    if not text:
        raise BadSetting("The message is empty.")
    if len(text) > longest:
        raise BadSetting(f"The message is too long: {len(text):,} characters, and at most {longest:,} are taken.")
    return (*conversation, Message("user", text))


def pending(conversation: Conversation) -> tuple[ToolCall, ...]:
    """The tool calls of the last answer that nothing has answered yet."""
    answered = set()
    for message in reversed(conversation):
        if message.tool_result is not None:
            answered.add(message.tool_result.id)
        elif message.role == "assistant":
            return () if message.note else tuple(call for call in message.tool_calls if call.id not in answered)
        else:
            break
    return ()


def sendable(conversation: Conversation, system: str = "") -> Conversation:
    """The conversation as any provider accepts it.

    The system prompt comes first, answers that hold nothing are left out, and every tool call has a result right
    after it: a provider refuses a call without one.
    """
    results = {m.tool_result.id: m for m in conversation if m.tool_result is not None}
    sent: list[Message] = [Message("system", system.strip())] if system.strip() else []
    for message in conversation:
        if message.role == "user":
            sent.append(message)
        elif message.role == "assistant" and (message.text.strip() or message.tool_calls):
            sent.append(message)
            sent.extend(results.get(call.id) or _interrupted(call) for call in message.tool_calls)
    return tuple(sent)


def _interrupted(call: ToolCall) -> Message:
    return Message("tool", tool_result=ToolResult(call.id, call.name, "The call was interrupted.", is_error=True))


def without_tools(conversation: Conversation) -> Conversation:
    """The conversation for a model that knows no tools: calls and results become text of the answer."""
    results = {m.tool_result.id: m.tool_result.content for m in conversation if m.tool_result is not None}
    return tuple(_told(message, results) for message in conversation if message.tool_result is None)


def _told(message: Message, results: Mapping[str, str]) -> Message:
    told = [
        f"[{call.name}({dict(call.arguments)}): {results.get(call.id, 'no answer')}]" for call in message.tool_calls
    ]
    return replace(message, text="\n".join([message.text, *told]).strip(), tool_calls=()) if told else message


def rounds(conversation: Conversation) -> int:
    """How many answers with tool calls came since the user's last message."""
    count = 0
    for message in reversed(conversation):
        if message.role == "user":
            break
        count += bool(message.tool_calls)
    return count


_ADAPTER = TypeAdapter(Conversation)


def dump(conversation: Conversation) -> list[dict[str, Any]]:
    """The conversation as JSON values, as it is kept in the browser and exported."""
    plain: list[dict[str, Any]] = _ADAPTER.dump_python(conversation, mode="json", exclude_defaults=True)
    return plain


def load(data: Any) -> Conversation:
    """The reverse of `dump`. Raises BadSetting for anything else, a call in a user's mouth among it."""
    try:
        conversation = _ADAPTER.validate_python(data)
    except (ValueError, RecursionError) as error:
        raise BadSetting(NO_CONVERSATION) from error
    if not all(map(_in_role, conversation)):
        raise BadSetting(NO_CONVERSATION)
    return conversation


NO_CONVERSATION = "This is not a conversation that Switchboard has exported."


def _in_role(message: Message) -> bool:
    calls, result = bool(message.tool_calls), message.tool_result is not None
    return result == (message.role == "tool") and (not calls or message.role == "assistant")


# --- the tool loop ----------------------------------------------------------------------------------------------------


async def converse(
    backend: Backend,
    model: str,
    conversation: Conversation,
    *,
    system: str = "",
    tools: Iterable[ToolSpec] = (),
    sampling: Sampling | None = None,
    ask_first: bool = False,
    decisions: Mapping[str, bool] | None = None,
    schema: Mapping[str, Any] | None = None,
) -> AsyncGenerator[Event]:
    """The rest of this turn, to be folded with `add`: answers, tool results, and waits, until the model is done.

    With `schema` (a JSON schema) the answer is one JSON value that fits it, where the model can be held to one. With
    `ask_first` it ends when the model calls a tool; call it again with `decisions` (call id -> approved).
    Raises AppError; what came before stays valid.
    """
    deadline = time.monotonic() + settings().answer_timeout
    admit()
    capabilities = await backend.capabilities(model)
    offered = tuple(tools) if capabilities.tools else ()
    knobs = _capped((sampling or Sampling()).only(capabilities.sampling), capabilities)
    decisions = decisions or {}
    while True:
        if calls := pending(conversation):
            if ask_first and any(call.id not in decisions for call in calls):
                return
            async with aclosing(run_all(calls, offered, decisions)) as results:
                async for result in results:
                    conversation = add(conversation, result)
                    yield result
        if rounds(conversation) >= settings().tool_rounds:
            raise TooManyRounds(f"Stopped after {settings().tool_rounds} rounds of tool calls.")
        sent = sendable(conversation if capabilities.tools else without_tools(conversation), system)
        held = schema if capabilities.structured else None
        bill = Bill.of(backend, capabilities, sent, offered, knobs)
        async with aclosing(metered(_answer(backend, model, sent, offered, knobs, held), bill)) as events:
            async for event in events:
                if isinstance(event, Done):
                    event = _priced(event, capabilities, f"{backend.name}/{model}")
                elif isinstance(event, ToolCall):
                    event = _distinct(event, conversation)
                conversation = add(conversation, event)
                yield event
                if time.monotonic() > deadline:
                    raise TimedOut(backend.label)
        if not pending(conversation):
            return


def _capped(knobs: Sampling, capabilities: Capabilities) -> Sampling:
    """The knobs, with an answer no longer than this app allows, where the model can be told."""
    longest = settings().longest_answer
    if not longest or "max_tokens" not in capabilities.sampling:
        return knobs
    return replace(knobs, max_tokens=min(knobs.max_tokens or longest, longest))


def _distinct(call: ToolCall, conversation: Conversation) -> ToolCall:
    """The call, with an id that no other call has: a decision about one must not count for another."""
    known = {other.id for message in conversation for other in message.tool_calls}
    return replace(carried(call), id=uuid.uuid4().hex if not call.id or call.id in known else sound(call.id))


def _priced(done: Done, capabilities: Capabilities, choice: str) -> Done:
    cost = None
    if capabilities.price and done.input_tokens is not None and done.output_tokens is not None:
        cost = capabilities.price.of(done.input_tokens, done.output_tokens)
    return replace(done, cost=cost, choice=choice)


async def _answer(
    backend: Backend, model: str, conversation: Conversation, tools: tuple[ToolSpec, ...], sampling: Sampling,
    schema: Mapping[str, Any] | None,
) -> AsyncGenerator[BackendEvent | Waiting]:  # fmt: skip
    """One answer of the model, timed, asked for again while the provider is busy and nothing has come yet."""
    for attempt in range(settings().retries + 1):
        started, first = time.monotonic(), None
        try:
            async with aclosing(backend.stream(model, conversation, tools, sampling, schema)) as events:
                async for event in events:
                    if first is None and not isinstance(event, Progress):
                        first = time.monotonic()
                    if isinstance(event, Done):
                        yield _timed(event, started, first or started)
                        return
                    yield event
            raise CutOff(backend.label)
        except (RateLimited, Overloaded) as busy:
            wait = retry_wait(busy, attempt)
            if first is not None or wait is None:
                raise
        for left in range(wait, 0, -1):
            yield Waiting(left, f"{backend.label} is busy")
            await asyncio.sleep(1)


def _timed(done: Done, started: float, first: float) -> Done:
    return replace(done, seconds_to_first_token=first - started, seconds=time.monotonic() - started)
