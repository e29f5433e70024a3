"""The wire format of chat completions: our messages out, their chunks in. Does no network and knows no server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from core.llm import Conversation, Message, Stop, TextDelta, Thinking, ToolCall, ToolSpec
from core.remote import wire_id, wire_name

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall

# --- out --------------------------------------------------------------------------------------------------------------


def messages(conversation: Conversation, model: str, maker: str, echo: str) -> list[dict[str, Any]]:
    """The conversation for `model` of the server `maker`, with the field `echo` where the server wants it back."""
    return [_message(message, model, maker, echo) for message in conversation]


def _message(message: Message, model: str, maker: str, echo: str) -> dict[str, Any]:
    if message.tool_result is not None:
        result = message.tool_result
        return {"role": "tool", "tool_call_id": wire_id(result.id), "content": result.content}
    if not message.tool_calls:
        return {"role": message.role, "content": message.text}
    calls = [_call(call) for call in message.tool_calls]
    replay = message.replay
    if replay is not None and (replay.maker, replay.model) == (maker, model):
        calls = [call | _beside(block, echo) for call, block in zip_longest(calls, replay.blocks[: len(calls)])]
    wire = {"role": "assistant", "content": message.text or None, "tool_calls": calls}
    # DeepSeek refuses a tool round whose earlier thinking is missing.
    return wire | {echo: message.thinking} if echo == "reasoning_content" else wire


def _beside(block: Any, echo: str) -> dict[str, Any]:
    """What the server had put beside a call. A conversation may come from a file, so it may hold anything."""
    return {echo: block[echo]} if isinstance(block, Mapping) and echo in block else {}


def _call(call: ToolCall) -> dict[str, Any]:
    said = {"name": wire_name(call.name), "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)}
    return {"id": wire_id(call.id), "type": "function", "function": said}


def tool(spec: ToolSpec) -> dict[str, Any]:
    """A tool as the model is told of it."""
    about = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
    return {"type": "function", "function": about}


def json_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`response_format` for one JSON value that fits `schema`: as a promise where its form allows, else as a wish."""
    try:
        kept: dict[str, Any] = {"schema": _closed(schema), "strict": True}
    except ValueError:
        kept = {"schema": schema, "strict": False}
    return {"type": "json_schema", "json_schema": {"name": "answer", **kept}}


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` in the form that "strict" asks for: every property required, no others, no defaults.

    Raises ValueError for an object with open keys. Source: OpenAI's guide to structured outputs.
    """
    closed = {name: value for name, value in schema.items() if name != "default"}
    for name in ("properties", "$defs"):
        if name in closed:
            closed[name] = {key: _closed(value) for key, value in closed[name].items()}
    for name in ("anyOf", "prefixItems"):
        if name in closed:
            closed[name] = [_closed(value) for value in closed[name]]
    if isinstance(closed.get("items"), Mapping):
        closed["items"] = _closed(closed["items"])
    if closed.get("type") == "object":
        if not closed.get("properties") or isinstance(closed.get("additionalProperties"), Mapping):
            raise ValueError("an object with open keys")
        closed |= {"additionalProperties": False, "required": list(closed["properties"])}
    return closed


# --- in ---------------------------------------------------------------------------------------------------------------

STOPS: Mapping[str, Stop] = {"length": "length", "content_filter": "refusal"}


@dataclass(slots=True)
class Call:
    """A tool call as it grows. `extra` is what the server puts beside the standard's fields."""

    id: str
    wire_id: str
    name: str = ""
    arguments: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def whole(self) -> ToolCall:
        """The call with its arguments parsed, or with the reason why they cannot be."""
        try:
            arguments = json.loads(self.arguments or "{}")
        except ValueError:
            return ToolCall(self.id, self.name, problem="its arguments are not valid JSON.")
        if not isinstance(arguments, dict):
            return ToolCall(self.id, self.name, problem="its arguments are not a JSON object.")
        return ToolCall(self.id, self.name, arguments)


@dataclass(slots=True)
class Answer:
    """What has come so far of one answer. `used` are the ids of the conversation's tool calls."""

    used: set[str]
    heard: bool = False
    finish: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    calls: list[Call] = field(default_factory=list)
    by_index: dict[int | None, Call] = field(default_factory=dict)

    def take(self, chunk: ChatCompletionChunk) -> Iterator[TextDelta | Thinking]:
        """Fold in the next chunk; what of it can be shown at once."""
        self.heard = self.heard or bool(chunk.choices)
        if chunk.usage:
            self.input_tokens, self.output_tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
        for choice in chunk.choices or ():
            self.finish = choice.finish_reason or self.finish
            if choice.delta:
                yield from self._take(choice.delta)

    def end(self) -> tuple[list[Call], Stop]:
        """The whole tool calls, and why the answer ended. Calls are whole only when it was not cut off.

        Some compatible servers say "stop" where OpenAI says "tool_calls"; then too the calls are whole.
        """
        stop = STOPS.get(self.finish or "", "end")
        return (self.calls, "tool_use") if self.calls and stop == "end" else ([], stop)

    def _take(self, delta: ChoiceDelta) -> Iterator[TextDelta | Thinking]:
        beside = delta.model_extra or {}
        if thought := beside.get("reasoning_content") or beside.get("reasoning"):
            yield Thinking(thought)
        if text := delta.content or delta.refusal:
            yield TextDelta(text)
        for part in delta.tool_calls or ():
            self._grow(part)

    def _grow(self, part: ChoiceDeltaToolCall) -> None:
        call = self.by_index.get(part.index)
        # Gemini numbers parallel calls all 0; a new id is a new call.
        if call is None or (part.id and part.id != call.wire_id):
            call = self.by_index[part.index] = Call(self._own_id(part.id), part.id or "")
            self.calls.append(call)
        if part.function:
            call.name += part.function.name or ""
            call.arguments += part.function.arguments or ""
        call.extra |= part.model_extra or {}

    def _own_id(self, id: str | None) -> str:
        """The server's id; a new one where it gives none, or one that this conversation already has."""
        own = id if id and id not in self.used else f"call_{uuid4().hex}"
        self.used.add(own)
        return own
