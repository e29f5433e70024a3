"""How models write thinking and tool calls: response templates as data, and the events read out of a stream by them."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from core.llm import TextDelta, Thinking, ToolCall

_THINKING = {"open": "<think>", "close": "</think>", "content": "text"}
_CONTENT = {"content": "text"}

PLAIN: dict[str, Any] = {
    "start_anchor_pattern": r"\A",
    "fields": {"reasoning_content": _THINKING, "content": _CONTENT},
}

# The form's name -> what stands in a chat template that uses it, and transformers' response template for it. The first
# that fits is used; a tokenizer that brings its own response template uses that. Every prefix is what the chat template
# has already written of the answer.
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "xml": (  # Qwen 3.5 and Qwen3-Coder
        r"<function=",
        {
            "start_anchor_pattern": r"\A",
            "fields": {
                "reasoning_content": _THINKING,
                "tool_calls": {
                    "open_pattern": r"\s*<tool_call>\s*<function=(?P<name>[^>\n]+)>",
                    "close_pattern": r"</function>\s*</tool_call>",
                    "repeats": True,
                    "content": "xml-inline",
                    "content_args": {"tag_pattern": r"<parameter=(?P<key>[^>\n]+)>\n?(?P<value>.*?)\n?</parameter>"},
                    "transform": {"name": "{name}", "arguments": "{content}"},
                },
                "content": _CONTENT,
            },
        },
    ),
    "hermes": (  # Hermes, Qwen 2.5 and 3, SmolLM3
        r"<tool_call>",
        {
            "start_anchor_pattern": r"\A",
            "fields": {
                "reasoning_content": _THINKING,
                "tool_calls": {
                    "open_pattern": r"\s*<tool_call>",
                    "close": "</tool_call>",
                    "repeats": True,
                    "content": "json",
                },
                "content": _CONTENT,
            },
        },
    ),
    "mistral": (
        r"\[TOOL_CALLS\]",
        {
            "start_anchor_pattern": r"\A",
            "fields": {
                "reasoning_content": {"open": "[THINK]", "close": "[/THINK]", "content": "text"},
                "tool_calls": {"open_pattern": r"\s*\[TOOL_CALLS\]\s*(?=\[)", "content": "json"},
                "tool_calls_since_v11": {
                    "open_pattern": r"\s*\[TOOL_CALLS\](?P<name>[\w.-]+)(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?(?=\s*\{)",
                    "close_pattern": r"(?=\[TOOL_CALLS\])",
                    "repeats": True,
                    "content": "json",
                    "transform": {"name": "{name}", "arguments": "{content}"},
                },
                "content": _CONTENT,
            },
        },
    ),
    "llama3": (
        r"<\|python_tag\|>|\"parameters\": ",
        {
            "start_anchor_pattern": r"\A",
            "fields": {
                "tool_calls": {
                    "open_pattern": r"\A\s*(?:<\|python_tag\|>)?\s*(?=\{\s*\"(?:type|name)\")",
                    "content": "json",
                },
                "content": _CONTENT,
            },
        },
    ),
    "plain": (r"", PLAIN),
}


def form(tokenizer: Any, chat_template: str) -> dict[str, Any]:
    """The response template for a model's answers. A call whose JSON cannot be read comes out as text."""
    own = getattr(tokenizer, "response_template", None)
    chosen = deepcopy(own or next(made for sign, made in FORMS.values() if re.search(sign, chat_template)))
    for field in chosen["fields"].values():
        if field.get("content") == "json":
            field["content_args"] = field.get("content_args", {}) | {"allow_non_json": True}
    return dict(chosen)


def spoken(form: dict[str, Any]) -> str:
    """The form as plain text, in which a marker can be looked for."""
    return json.dumps(form, ensure_ascii=False).replace("\\", "")


class Reader:
    """Turns pieces of raw text into events. One per answer."""

    def __init__(self, tokenizer: Any, form: dict[str, Any], begun: str, tools: list[dict[str, Any]]) -> None:
        self._parser = tokenizer.get_response_parser(form, prefix=begun, tools=tools)
        self._begun: set[str] = set()
        self._broken = False

    def feed(self, text: str) -> Iterator[TextDelta | Thinking | ToolCall]:
        """The events that `text` completes."""
        yield from self._read(lambda: self._parser.feed(text))

    def end(self) -> Iterator[TextDelta | Thinking | ToolCall]:
        """The events that the end completes: a call that was cut off is one that cannot be read."""
        yield from self._read(lambda: self._parser.finalize()[1])

    def _read(self, more: Callable[[], list[dict[str, Any]]]) -> Iterator[TextDelta | Thinking | ToolCall]:
        if self._broken:
            return
        try:
            events = more()
        except (ValueError, KeyError):
            # A tokenizer's own template may be stricter than ours, and its parser cannot go on after a bad call.
            self._broken = True
            events = [{"type": "region_close", "field": "tool_calls", "value": None}]
        yield from self._events(events)

    def _events(self, events: list[dict[str, Any]]) -> Iterator[TextDelta | Thinking | ToolCall]:
        for event in events:
            field, kind = event["field"], event["type"]
            if field.startswith("tool_calls"):
                if kind == "region_close":
                    value = event["value"]
                    yield from (_call(one) for one in (value if isinstance(value, list) else [value]))
            elif kind == "region_chunk":
                yield from self._said(field, event["text"])

    def _said(self, field: str, text: str) -> Iterator[TextDelta | Thinking]:
        """Text without the empty lines that forms put in front of thoughts and of the answer."""
        text = text if field in self._begun else text.lstrip()
        if text:
            self._begun.add(field)
            yield TextDelta(text) if field == "content" else Thinking(text)


def _call(value: Any) -> ToolCall:
    """One tool call, in any of the shapes that forms give it."""
    key = secrets.token_hex(5)[:9]  # Mistral's templates take nothing but nine letters and digits.
    call = value.get("function", value) if isinstance(value, dict) else value
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return ToolCall(key, "unknown", problem="it is not complete, valid JSON with a name and arguments.")
    arguments = call.get("arguments", call.get("parameters", {}))
    if isinstance(arguments, str):
        arguments = _object(arguments)
    if not isinstance(arguments, dict):
        return ToolCall(key, call["name"], problem="its arguments are not a complete, valid JSON object.")
    return ToolCall(key, call["name"], arguments)


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
