"""The chat as an API: `/models` and `/chat`. These names are stable; a change to one is a breaking change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from gradio.events import api

from backends import backends, choices, find
from core.chat import add, ask, converse
from core.errors import BadSetting
from core.llm import Conversation, Message, Sampling, ToolSpec
from core.markdown import sound
from core.settings import settings
from core.streams import ticks
from core.tools import tools
from tabs.parts import TICK, refusal


def endpoints() -> None:
    """Make both endpoints known to Gradio."""
    api(models, api_name="models")
    limit = settings().answers_at_once
    api(chat, api_name="chat", concurrency_limit=limit, concurrency_id="answers")


def models() -> list[dict[str, Any]]:
    """Every model of every provider: choice, provider, model, available, reason, capabilities."""
    return asyncio.run(_models())


async def _models() -> list[dict[str, Any]]:
    return await asyncio.gather(*(_row(row.provider, row.model, row.choice, row.reason) for row in await choices()))


async def _row(provider: str, model: str, choice: str, reason: str) -> dict[str, Any]:
    row = {"choice": choice, "provider": provider, "model": model, "available": not reason, "reason": reason}
    can = None if reason else asdict(await backends()[provider].capabilities(model))
    return row | {"capabilities": can and can | {"sampling": sorted(can["sampling"])}}


async def chat(
    message: str,
    choice: str = "",
    system: str = "",
    tools: list[str] | None = None,
    sampling: dict[str, Any] | None = None,
    history: list[dict[str, Any]] | None = None,
) -> AsyncGenerator[dict[str, Any]]:
    """One turn of a chat, streamed: the answer so far with its tool calls, usage, times and cost; the last is whole."""
    try:
        asked = ask(_history(history or []), message)
        backend, model = find(choice or settings().model)
        conversation, start = asked, len(asked)
        events = converse(
            backend, model, asked, system=system, tools=_specs(tools or []), sampling=Sampling.of(sampling or {})
        )
        async with aclosing(ticks(events, TICK)) as ticked:
            async for batch in ticked:
                for event in batch:
                    conversation = add(conversation, event)
                if batch:
                    yield reply(conversation[start:])
    except Exception as error:
        raise refusal(error) from error


def _history(rows: list[dict[str, Any]]) -> Conversation:
    """What a client says was said. Only texts of user and assistant are taken: the rest could be forged."""
    taken = [row for row in rows if isinstance(row, dict) and row.get("role") in ("user", "assistant")]
    if any(not isinstance(row.get("content"), str) for row in taken):
        raise BadSetting("Each message of the history needs a role and a content that is text.")
    return tuple(Message(row["role"], row["content"]) for row in taken)


def _specs(names: list[str]) -> list[ToolSpec]:
    found = tools()
    if unknown := [name for name in names if name not in found]:
        raise BadSetting(f"There is no tool named {unknown[0]!r}. The tools are: {', '.join(sorted(found))}.")
    return [found[name] for name in names]


def reply(turn: Conversation) -> dict[str, Any]:
    """The turn so far, as `/chat` streams it; the last one is whole."""
    results = {m.tool_result.id: m.tool_result for m in turn if m.tool_result is not None}
    answers = [m for m in turn if m.role == "assistant"]
    done = [m.done for m in answers if m.done is not None]
    calls = [
        {"name": call.name, "arguments": dict(call.arguments), "result": result.content, "is_error": result.is_error}
        for answer in answers
        for call in answer.tool_calls
        if (result := results.get(call.id)) is not None
    ]
    costs = [d.cost for d in done if d.cost is not None]
    return {
        "text": sound(answers[-1].text) if answers else "",
        "thinking": sound("".join(answer.thinking for answer in answers)),
        "tool_calls": calls,
        "usage": {
            "input_tokens": sum(d.input_tokens or 0 for d in done),
            "output_tokens": sum(d.output_tokens or 0 for d in done),
        },
        "seconds_to_first_token": done[0].seconds_to_first_token if done else None,
        "tokens_per_second": done[-1].tokens_per_second if done else None,
        "cost": sum(costs) if costs else None,
    }
