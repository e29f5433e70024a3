"""The wire format of Ollama's chat: our messages out, its lines in. Does no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from core.errors import BadReply, CutOff
from core.llm import BackendEvent, Done, Message, Sampling, Stop, TextDelta, Thinking, ToolCall, ToolSpec

if TYPE_CHECKING:
    from ollama import ChatResponse

# Our knobs by Ollama's names (its Modelfile documentation, "Valid Parameters and Values").
OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repetition_penalty": "repeat_penalty",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "max_tokens": "num_predict",
    "seed": "seed",
    "stop": "stop",
}


def message(said: Message) -> dict[str, Any]:
    """A message. A call goes out with the thinking before it, as the templates of thinking models want."""
    if said.tool_result is not None:
        return {"role": "tool", "tool_name": said.tool_result.name, "content": said.tool_result.content}
    wire: dict[str, Any] = {"role": said.role, "content": said.text}
    if said.tool_calls:
        wire["tool_calls"] = [{"function": {"name": c.name, "arguments": dict(c.arguments)}} for c in said.tool_calls]
        wire["thinking"] = said.thinking or None
    return wire


def tool(spec: ToolSpec) -> dict[str, Any]:
    """A tool as the model is told of it."""
    about = {"name": spec.name, "description": spec.description, "parameters": dict(spec.parameters)}
    return {"type": "function", "function": about}


def options(sampling: Sampling) -> dict[str, Any]:
    """The knobs by Ollama's names."""
    return {OPTIONS[knob]: value for knob, value in sampling.given().items() if knob in OPTIONS}


@dataclass(slots=True)
class Answer:
    """What has come so far of one answer of the provider `label`."""

    label: str
    heard: bool = False
    done: bool = False
    called: bool = False

    def take(self, chunk: ChatResponse) -> Iterator[BackendEvent]:
        """The events of the next line. Ollama sends a tool call whole and without an id."""
        self.heard = True
        if chunk.message.thinking:
            yield Thinking(chunk.message.thinking)
        if chunk.message.content:
            yield TextDelta(chunk.message.content)
        for call in chunk.message.tool_calls or ():
            self.called = True
            yield ToolCall(f"call_{uuid4().hex}", call.function.name, dict(call.function.arguments))
        if chunk.done:
            self.done = True
            stop: Stop = "tool_use" if self.called else "length" if chunk.done_reason == "length" else "end"
            yield Done(stop, chunk.prompt_eval_count, chunk.eval_count)

    def check(self) -> None:
        """Raise CutOff when the end did not come, BadReply when nothing did."""
        if not self.done:
            raise CutOff(self.label) if self.heard else BadReply(self.label)
