"""A model's part of a turn as a handler of the page draws it: step by step, errors told, never silent for long."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from backends import find
from core.chat import add, converse, marked, stopped
from core.llm import Conversation, Event, Progress, Sampling, Waiting
from core.tools import tools
from tabs.parts import Turn, told, wanted
from tabs.texts.errors import spoken


async def answered(
    turn: Turn,
    choice: str,
    conversation: Conversation,
    given: Mapping[str, Any],
    allowed: Iterable[str] = (),
    **options: Any,
) -> AsyncGenerator[tuple[Conversation, str] | None]:
    """The conversation so far and a line about what is waited for, some ten times a second; None without news.

    Also a tick without news must yield in the handler: Gradio notices only there that the visitor has left. Whatever
    goes wrong, what has come stays in the conversation and the reason stands under it. `allowed` are names of tools,
    `options` those of core.chat.converse.
    """
    status = ""
    try:
        backend, model = find(choice)
        found = tools()
        specs = [found[name] for name in allowed if name in found]
        events = converse(backend, model, conversation, tools=specs, sampling=Sampling.of(given), **options)
        async with aclosing(wanted(events, turn)) as batches:
            async for batch in batches:
                for event in batch:
                    conversation, status = add(conversation, event), _status(event)
                yield (conversation, status) if batch else None
    except Exception as error:
        conversation = marked(conversation, told(error))
    if turn.over == "left":
        return
    conversation = stopped(conversation) if turn.over == "stopped" else conversation
    turn.over = turn.over or "done"
    yield conversation, ""


def _status(event: Event) -> str:
    match event:
        case Waiting(seconds, reason):
            return "⏳ " + spoken(f"{reason}: trying again in {seconds} s")
        case Progress(text, None):
            return f"⏳ {spoken(text)}"
        case Progress(text, fraction):
            return f"⏳ {spoken(text)} ({fraction:.0%})"
    return ""
