"""How a conversation looks: the Chatbot's messages and the figures under them, computed from the conversation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from core.chat import pending
from core.llm import Conversation, Done, Message, ToolCall, ToolResult
from core.markdown import harmless, plain

Bubble = dict[str, Any]


def bubbles(conversation: Conversation) -> list[Bubble]:
    """The conversation as the Chatbot shows it."""
    return [bubble for _, bubble in _numbered(conversation)]


def message_at(conversation: Conversation, index: int) -> int:
    """Which message of the conversation the Chatbot's bubble number `index` belongs to."""
    places = [place for place, _ in _numbered(conversation)]
    return places[min(index, len(places) - 1)]


def _numbered(conversation: Conversation) -> Iterator[tuple[int, Bubble]]:
    results = {m.tool_result.id: m.tool_result for m in conversation if m.tool_result is not None}
    waiting = {call.id for call in pending(conversation)}
    for place, message in enumerate(conversation):
        if message.role == "user":
            yield place, {"role": "user", "content": harmless(message.text)}
        elif message.role == "assistant":
            for bubble in _answer(message, results, waiting):
                yield place, {"role": "assistant", **bubble}


def _answer(message: Message, results: dict[str, ToolResult], waiting: set[str]) -> Iterator[Bubble]:
    if message.thinking:
        thought_out = bool(message.text or message.tool_calls or message.done or message.note)
        yield _folded("💭 Thinking", harmless(message.thinking), thought_out)
    if message.text.strip():
        yield {"content": harmless(message.text)}
    for call in message.tool_calls:
        yield _tool(call, results.get(call.id), call.id in waiting)
    if note := message.note or _why_ended(message):
        yield {"content": f"⚠️ {harmless(note)}"}
    if message.done is not None and not message.tool_calls:
        yield _folded(f"📊 {plain(figures(message.done))}", _details(message.done), True)


def _why_ended(message: Message) -> str:
    """What the reader should know about how an answer ended."""
    done = message.done
    if done is not None and done.stop == "tool_use" and not message.tool_calls:
        return "The answer is incomplete: it ended in the middle of a tool call."
    if done is not None and done.stop == "length":
        return "The answer is incomplete: it reached the longest length that is set (max tokens)."
    if done is not None and done.stop == "refusal":
        return "The model declined to answer. Word the question differently, or choose another model."
    return ""


def _folded(title: str, content: str, finished: bool, seconds: float | None = None) -> Bubble:
    """A bubble of which only the title shows until it is opened. Gradio renders titles as Markdown too."""
    metadata: dict[str, Any] = {"title": title, "status": "done" if finished else "pending"}
    if seconds is not None:
        metadata["duration"] = seconds
    return {"content": content, "metadata": metadata}


def _tool(call: ToolCall, result: ToolResult | None, waiting: bool) -> Bubble:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    shown = ", ".join(str(value) for value in call.arguments.values())
    title = f"🛠️ {plain(call.name[:80])}({plain(shown[:80])}{'…' if len(shown) > 80 else ''})"
    if result is None:
        state = "Not answered yet." if waiting else "The call was interrupted."
        return _folded(title, f"{code(arguments)}\n\n{state}", finished=not waiting)
    answer = f"⚠️ {harmless(result.content)}" if result.is_error else code(result.content)
    return _folded(title, f"{code(arguments)}\n\n{answer}", True, result.seconds)


def code(text: str) -> str:
    """`text` in a code block that nothing inside it can end."""
    return harmless(f"~~~~~~~~\n{text.replace('~~~~~~~~', '')}\n~~~~~~~~")


# --- figures ----------------------------------------------------------------------------------------------------------


def money(cost: float | None) -> str:
    """A cost in US dollars, as people read it."""
    if cost is None:
        return "price unknown"
    if 0 < cost < 0.0001:
        return "under $0.0001"
    return "free" if cost == 0 else f"${cost:.4f}" if cost < 1 else f"${cost:.2f}"


def figures(done: Done) -> str:
    """One line about an answer: who gave it, how much it was, how fast it came, what it cost."""
    parts = [done.choice] if done.choice else []
    if done.output_tokens is not None:
        parts.append(f"{done.output_tokens} tokens")
    if done.seconds_to_first_token is not None:
        parts.append(f"first after {done.seconds_to_first_token:.2f} s")
    if (rate := done.tokens_per_second) is not None:
        parts.append(f"{rate:.0f} tokens/s")
    return " · ".join([*parts, money(done.cost)])


_ENDS = {
    "end": "the model was done",
    "length": "the longest length was reached",
    "tool_use": "the model called a tool",
    "stop_sequence": "a stop sequence came",
    "refusal": "the model declined to answer",
}


def _details(done: Done) -> str:
    known = {
        "Tokens read": done.input_tokens,
        "Tokens written": done.output_tokens,
        "Seconds to the first token": done.seconds_to_first_token and round(done.seconds_to_first_token, 3),
        "Seconds in all": done.seconds and round(done.seconds, 3),
        "Cost": money(done.cost),
        "Ended because": _ENDS[done.stop],
    }
    return "\n".join(f"- {name}: {value if value is not None else 'not told'}" for name, value in known.items())


def totals(conversation: Conversation) -> str:
    """One line about the whole chat: answers, tokens and cost so far."""
    done = [message.done for message in conversation if message.done is not None]
    if not done:
        return ""
    read, written = _sum(d.input_tokens for d in done), _sum(d.output_tokens for d in done)
    priced = [d.cost for d in done if d.cost is not None]
    cost = money(sum(priced) if priced else None) + (" for what has a price" if 0 < len(priced) < len(done) else "")
    return f"This chat: {read:,} tokens read · {written:,} written · {cost}"


def _sum(counts: Iterable[int | None]) -> int:
    return sum(count or 0 for count in counts)
