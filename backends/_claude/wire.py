"""The wire format of Anthropic's Messages API: our messages out, their events in. Does no network.

Only the raw family of stream events is read (`messages.create`); `messages.stream` repeats it in a second one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from core.llm import Conversation, Message, Replay, Stop, TextDelta, Thinking, ToolCall, ToolSpec
from core.remote import wire_id, wire_name

if TYPE_CHECKING:
    from anthropic.types import RawContentBlockDelta, RawMessageStreamEvent, Usage

MAKER = "claude"
Block = dict[str, Any]
# The kinds of block that an answer to our requests can hold.
ANSWERED = ("text", "thinking", "redacted_thinking", "tool_use")
# What is marked is cached with everything before it, tools first, then system, then messages.
CACHED: Block = {"cache_control": {"type": "ephemeral"}}

# --- out --------------------------------------------------------------------------------------------------------------


def messages(conversation: Conversation, model: str) -> list[dict[str, Any]]:
    """The turns of user and assistant in turns, as the API wants them; results of tools are the user's."""
    turns: list[dict[str, Any]] = []
    for message in conversation:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = [] if message.role == "system" else _blocks(message, model)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Message, model: str) -> list[Block]:
    if message.tool_result is not None:
        result = message.tool_result
        block = {"type": "tool_result", "tool_use_id": wire_id(result.id), "is_error": result.is_error}
        return [block | ({"content": result.content} if result.content else {})]
    replay = message.replay
    if replay is not None and (replay.maker, replay.model) == (MAKER, model) and _belongs(replay, message):
        return [_again(block) for block in replay.blocks if not _is_empty(block)]
    text = [{"type": "text", "text": message.text}] if message.text.strip() else []
    return [*text, *(_use(call) for call in message.tool_calls)]


def _use(call: ToolCall) -> Block:
    return {"type": "tool_use", "id": wire_id(call.id), "name": wire_name(call.name), "input": dict(call.arguments)}


def _belongs(replay: Replay, message: Message) -> bool:
    """Whether the blocks are this message's. A conversation may come from a file, so they may be anything."""
    if not all(isinstance(block, Mapping) and block.get("type") in ANSWERED for block in replay.blocks):
        return False
    calls = [block.get("id") for block in replay.blocks if block["type"] == "tool_use"]
    return calls == [call.id for call in message.tool_calls]


def _again(block: Mapping[str, Any]) -> Block:
    return {**block, "id": wire_id(str(block.get("id")))} if block.get("type") == "tool_use" else dict(block)


def _is_empty(block: Mapping[str, Any]) -> bool:
    """The API refuses a text block of white space, also one that it has sent itself."""
    return block.get("type") == "text" and not str(block.get("text", "")).strip()


def system(conversation: Conversation) -> list[Block]:
    """The system prompt, cached."""
    text = "\n\n".join(message.text for message in conversation if message.role == "system")
    return [{"type": "text", "text": text, **CACHED}] if text.strip() else []


def tools(offered: tuple[ToolSpec, ...], conversation: Conversation) -> dict[str, Any]:
    """The tools as the model is told of them, cached.

    A conversation with tool calls is refused without tools; when none is offered now, those it names are defined
    and none may be called.
    """
    if offered:
        told = [{"name": t.name, "description": t.description, "input_schema": dict(t.parameters)} for t in offered]
        return {"tools": [*told[:-1], told[-1] | CACHED]}
    named = sorted({wire_name(call.name) for message in conversation for call in message.tool_calls})
    past = [{"name": name, "input_schema": {"type": "object"}} for name in named]
    return {"tools": past, "tool_choice": {"type": "none"}} if past else {}


# --- in ---------------------------------------------------------------------------------------------------------------

STOPS: Mapping[str, Stop] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "tool_use": "tool_use",
}


@dataclass(slots=True)
class Answer:
    """What has come so far of one answer. `blocks` are the content, `typed` the arguments of tool calls as text."""

    heard: bool = False
    finish: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    blocks: dict[int, Block] = field(default_factory=dict)
    typed: dict[int, str] = field(default_factory=dict)

    def take(self, event: RawMessageStreamEvent) -> Iterator[TextDelta | Thinking]:
        """Fold in the next event; what of it can be shown at once."""
        match event.type:
            case "message_start":
                self.heard = True
                self.input_tokens = _input(event.message.usage)
            case "content_block_start":
                self.blocks[event.index] = block = event.content_block.to_dict()
                if block.get("text"):
                    yield TextDelta(str(block["text"]))
            case "content_block_delta":
                yield from self._grow(event.index, event.delta)
            case "message_delta":
                self.finish = event.delta.stop_reason
                self.output_tokens = event.usage.output_tokens

    def _grow(self, index: int, delta: RawContentBlockDelta) -> Iterator[TextDelta | Thinking]:
        block = self.blocks[index]
        match delta.type:
            case "text_delta":
                block["text"] += delta.text
                yield TextDelta(delta.text)
            case "thinking_delta":
                block["thinking"] += delta.thinking
                yield Thinking(delta.thinking)
            case "signature_delta":
                block["signature"] = delta.signature
            case "input_json_delta":
                self.typed[index] = self.typed.get(index, "") + delta.partial_json

    def end(self, model: str) -> tuple[list[ToolCall], Stop, Replay | None]:
        """The whole tool calls, why the answer ended, and what must be sent back with their results.

        Calls are whole only when the model stopped for them: cut off by `max_tokens`, their arguments are not.
        """
        stop = STOPS.get(self.finish or "", "end")
        if stop != "tool_use":
            return [], stop, None
        calls = [self._call(index) for index, block in self.blocks.items() if block.get("type") == "tool_use"]
        return calls, stop, Replay(MAKER, model, tuple(self.blocks.values()))

    def _call(self, index: int) -> ToolCall:
        block = self.blocks[index]
        call = ToolCall(str(block["id"]), str(block["name"]))
        try:
            arguments = json.loads(self.typed.get(index) or "{}")
        except ValueError:
            return replace(call, problem="its arguments are not valid JSON.")
        if not isinstance(arguments, dict):
            return replace(call, problem="its arguments are not a JSON object.")
        block["input"] = arguments
        return replace(call, arguments=arguments)


def _input(usage: Usage) -> int:
    """Every token that was read: `input_tokens` leaves out those that the cache took or gave."""
    cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    return usage.input_tokens + cached
