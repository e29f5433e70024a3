"""Running the tool calls of one answer. Whatever goes wrong goes back to the model as a sentence, never further."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace

from core.errors import AppError, ToolError
from core.llm import ToolCall, ToolResult, ToolSpec
from core.markdown import sound
from core.settings import settings

log = logging.getLogger(__name__)

_DEEPEST, _LARGEST = 32, 2**53  # Nesting of arguments, and whole numbers that every reader of JSON keeps exact.


def carried(call: ToolCall) -> ToolCall:
    """The call, or one with a problem when its arguments are such that JSON cannot carry them to everyone."""
    if _carries(call.arguments, _DEEPEST):
        return replace(call, name=sound(call.name))
    return replace(call, name=sound(call.name), arguments={}, problem="its arguments cannot be written as JSON.")


def _carries(value: object, depth: int) -> bool:
    match value:
        case str():
            return sound(value) == value
        case bool() | None:
            return True
        case int() | float():
            return abs(value) <= _LARGEST
        case Mapping():
            return depth > 0 and all(_carries(k, depth) and _carries(v, depth - 1) for k, v in value.items())
        case list() | tuple():
            return depth > 0 and all(_carries(inner, depth - 1) for inner in value)
    return False


async def run_all(
    calls: tuple[ToolCall, ...], tools: tuple[ToolSpec, ...], decisions: Mapping[str, bool]
) -> AsyncGenerator[ToolResult]:
    """Every call, side by side, each result as it comes. `decisions` says of a call id whether it may run."""
    tasks = [asyncio.create_task(_run(call, tools, decisions.get(call.id, True))) for call in calls]
    try:
        for finished in asyncio.as_completed(tasks):
            yield await finished
    finally:
        for task in tasks:
            task.cancel()


async def _run(call: ToolCall, tools: tuple[ToolSpec, ...], approved: bool) -> ToolResult:
    started = time.monotonic()
    try:
        content, failed = await _call(call, tools, approved), False
    except ToolError as error:
        content, failed = str(error), True
    return ToolResult(call.id, call.name, content, failed, time.monotonic() - started)


async def _call(call: ToolCall, tools: tuple[ToolSpec, ...], approved: bool) -> str:
    if not approved:
        raise ToolError("The user rejected this call.")
    if call.problem:
        raise ToolError(f"The tool call was not understood: {call.problem}")
    spec = next((tool for tool in tools if tool.name == call.name), None)
    if spec is None:
        names = ", ".join(tool.name for tool in tools) or "none"
        raise ToolError(f"There is no tool named {call.name!r}. The tools are: {names}.")
    limit = settings().tool_timeout
    clock = asyncio.timeout(limit)
    try:
        async with clock:
            return await asyncio.to_thread(spec.run, call.arguments)
    except AppError as error:
        raise ToolError(str(error)) from error
    except Exception as error:
        if clock.expired():
            raise ToolError(f"The tool {call.name} took longer than {limit:g} seconds.") from error
        # A tool is anybody's code: whatever it raises must reach the model as a sentence, not end the conversation.
        log.exception("tool %s failed", call.name)
        raise ToolError(f"The tool {call.name} failed.") from error
