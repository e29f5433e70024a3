"""A conversation as a model's chat template writes it. Knows templates, not models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backends._local import LABEL
from core.errors import RequestRefused
from core.llm import Conversation, Message, ToolCall, ToolSpec


def functions(tools: tuple[ToolSpec, ...]) -> list[dict[str, Any]]:
    """Tools in the form that chat templates take, which is OpenAI's."""
    return [
        {
            "type": "function",
            "function": {"name": t.name, "description": t.description, "parameters": dict(t.parameters)},
        }
        for t in tools
    ]


def written(tokenizer: Any, conversation: Conversation, tools: tuple[ToolSpec, ...], effort: str | None) -> str:
    """The whole prompt as text, up to where the answer begins. Raises RequestRefused where the template refuses.

    A template that refuses or drops a system message gets it as the beginning of the first user message.
    """
    from jinja2 import TemplateError

    for messages in (conversation, _folded(conversation)):
        try:
            text = _rendered(tokenizer, messages, tools, effort)
        except TemplateError:
            continue
        if all(m.text.strip() in text for m in messages if m.role == "system"):
            return text
    raise RequestRefused(
        LABEL,
        "Start a new conversation, or choose another model.",
        "The model's chat template refuses this conversation.",
    )


def _rendered(tokenizer: Any, conversation: Conversation, tools: tuple[ToolSpec, ...], effort: str | None) -> str:
    # Templates take what they know of these and ignore the rest.
    thinking = {"enable_thinking": effort != "none", "reasoning_effort": effort} if effort else {}
    text = tokenizer.apply_chat_template(
        list(_messages(conversation)),
        tools=functions(tools) or None,
        add_generation_prompt=True,
        tokenize=False,
        **thinking,
    )
    return str(text)


def begun(form: dict[str, Any], prompt: str) -> str:
    """What the reader of the answer must know of the prompt: all of it for a form that looks for its own start."""
    if form.get("start_anchor_pattern") != r"\A":
        return prompt
    return "<think>" if prompt.rstrip().endswith("<think>") else ""


def _folded(conversation: Conversation) -> Conversation:
    system = "\n\n".join(m.text for m in conversation if m.role == "system")
    rest = [m for m in conversation if m.role != "system"]
    first = next((index for index, m in enumerate(rest) if m.role == "user"), None)
    if system and first is not None:
        rest[first] = Message("user", f"{system}\n\n{rest[first].text}")
    return tuple(rest)


def _messages(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """The messages as templates take them. Call ids become nine digits, all that Mistral's templates take."""
    ids: dict[str, str] = {}
    for message in conversation:
        if (result := message.tool_result) is not None:
            known = ids.setdefault(result.id, f"{len(ids):09d}")
            yield {"role": "tool", "name": result.name, "tool_call_id": known, "content": result.content}
            continue
        row: dict[str, Any] = {"role": message.role, "content": message.text}
        if message.thinking:
            row["reasoning_content"] = message.thinking
        if message.tool_calls:
            row["tool_calls"] = [_call(call, ids.setdefault(call.id, f"{len(ids):09d}")) for call in message.tool_calls]
        yield row


def _call(call: ToolCall, id: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": call.name, "arguments": dict(call.arguments)}}
