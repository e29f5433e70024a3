"""Kept conversations: a list of JSON values that lives in the visitor's own browser, newest first."""

from __future__ import annotations

import json
import uuid
from typing import Any

from core.chat import NO_CONVERSATION, dump, load
from core.errors import BadSetting
from core.llm import Conversation
from core.markdown import sound

Kept = list[dict[str, Any]]

# The list travels from the browser with every message, and browsers give a page 5 MB of local storage in all.
LARGEST = 1_000_000
LONGEST_TITLE = 48


def new_id() -> str:
    """A name for a conversation that nobody can guess."""
    return uuid.uuid4().hex


def keep(kept: Kept, id: str, conversation: Conversation) -> Kept:
    """The list with this conversation first, or without it when nothing is left of it.

    The oldest are let go where the browser's room would not do; one that has no room at all is not in the list.
    """
    if not conversation:
        return without(kept, id)
    before = next((row for row in kept if row["id"] == id), None)
    title = before["title"] if before else title_of(conversation)
    rows = [{"id": id, "title": title, "messages": dump(conversation)}, *(row for row in kept if row["id"] != id)]
    while rows and len(json.dumps(rows)) > LARGEST:
        rows.pop()
    return rows


def unfinished(id: str, conversation: Conversation, begun: int) -> str:
    """An answer on its way, as JSON: what the conversation has grown by since its first `begun` messages."""
    grown = {"id": id, "begun": begun, "messages": dump(conversation[begun:])}
    return json.dumps(grown, ensure_ascii=False)


def title_of(conversation: Conversation) -> str:
    """The first thing the user said, shortened."""
    said = next((" ".join(message.text.split()) for message in conversation if message.role == "user"), "New chat")
    return said if len(said) <= LONGEST_TITLE else said[: LONGEST_TITLE - 1].rstrip() + "…"


def opened(kept: Kept, id: str) -> Conversation:
    """The conversation of that id, empty when it is not kept. Raises BadSetting when it cannot be read."""
    return next((load(row["messages"]) for row in kept if row["id"] == id), ())


def renamed(kept: Kept, id: str, title: str) -> Kept:
    """The list with another title for one conversation; an empty title changes nothing."""
    title = " ".join(title.split())[:200]
    return [row | {"title": title} if row["id"] == id and title else row for row in kept]


def without(kept: Kept, id: str) -> Kept:
    """The list without one conversation."""
    return [row for row in kept if row["id"] != id]


def matching(kept: Kept, words: str) -> Kept:
    """The conversations that hold every one of `words`, in their title or in any message."""
    wanted = words.casefold().split()
    return [row for row in kept if all(word in _text(row) for word in wanted)]


def _text(row: dict[str, Any]) -> str:
    return "\n".join([row["title"], *(message.get("text", "") for message in row["messages"])]).casefold()


def parsed(text: str | None) -> Kept:
    """The list from the browser's own text; empty when that is none of ours."""
    try:
        rows = json.loads(text or "[]")
    except ValueError:
        return []
    sound = isinstance(rows, list) and all(
        isinstance(row, dict) and {"id", "title", "messages"} <= set(row) for row in rows
    )
    return rows if sound else []


def written(kept: Kept) -> str:
    """The reverse of `parsed`."""
    return json.dumps(kept, ensure_ascii=False)


def title(kept: Kept, id: str, conversation: Conversation) -> str:
    """What a conversation is called: as it was renamed, else by its first words."""
    return next((row["title"] for row in kept if row["id"] == id), title_of(conversation))


def as_json(title: str, conversation: Conversation) -> str:
    """The conversation as it is exported and imported."""
    whole = {"switchboard": 1, "title": title, "messages": dump(conversation)}
    return json.dumps(whole, ensure_ascii=False, indent=2)


def from_json(text: str | bytes) -> tuple[str, Conversation]:
    """The reverse of `as_json`. Raises BadSetting for anything else, and for more than a browser could keep."""
    if len(text) > LARGEST:
        raise BadSetting(f"The file is too large: at most {LARGEST // 1_000_000} MB are taken.")
    try:
        data = json.loads(text, parse_int=_small, parse_constant=_small)
        data = json.loads(sound(json.dumps(data, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        raise BadSetting(NO_CONVERSATION) from error
    conversation = load(data.get("messages") if isinstance(data, dict) else None)
    named = data.get("title") if isinstance(data, dict) else None
    return named if isinstance(named, str) and named.strip() else title_of(conversation), conversation


def _small(number: str) -> int:
    """A whole number that every reader of JSON keeps exact; Infinity and NaN are none."""
    if abs(value := int(number)) > 2**53:
        raise ValueError(number)
    return value


def as_markdown(title: str, conversation: Conversation) -> str:
    """The conversation as a document to read."""
    parts = [f"# {title}"]
    for message in conversation:
        if message.tool_result is not None:
            parts.append(f"*{message.tool_result.name} answered:* {message.tool_result.content}")
        elif message.text.strip():
            parts.append(f"**{'You' if message.role == 'user' else 'Model'}:** {message.text.strip()}")
        for call in message.tool_calls:
            parts.append(f"*Calls {call.name}* `{json.dumps(dict(call.arguments), ensure_ascii=False)}`")
        if message.note:
            parts.append(f"*({message.note})*")
    return "\n\n".join(parts) + "\n"
