"""What the three real services refuse in a conversation: a loopback provider answers 400 where they would.

Sources: OpenAI's and Anthropic's API references, the types of their SDKs, and ollama's `_types.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
OPENAI_ID = re.compile(r".{1,40}")
CLAUDE_ID = re.compile(r"[a-zA-Z0-9_-]+")


def broken_rules(wire: str, body: Mapping[str, Any]) -> list[str]:
    """Every rule that a request for an answer breaks."""
    return {"openai": _openai, "claude": _claude, "ollama": _ollama}[wire](body)


def _openai(body: Mapping[str, Any]) -> list[str]:
    wrong, waiting, seen = [], [], set()
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                wrong.append("a result without a call")
            waiting = [call for call in waiting if call != message["tool_call_id"]]
            continue
        if waiting:
            wrong.append("a call without a result right after it")
        calls = message.get("tool_calls", [])
        if not calls and not isinstance(message["content"], str):
            wrong.append("a message without content")
        waiting = [call["id"] for call in calls]
        for call in calls:
            if call["id"] in seen or not OPENAI_ID.fullmatch(call["id"]):
                wrong.append(f"the id {call['id']!r}")
            if not NAME.fullmatch(call["function"]["name"]):
                wrong.append(f"the name {call['function']['name']!r}")
            if not isinstance(json.loads(call["function"]["arguments"]), dict):
                wrong.append("arguments that are not an object")
        seen |= set(waiting)
    return wrong + ["a call without a result"] * bool(waiting)


def _claude(body: Mapping[str, Any]) -> list[str]:
    wrong = [] if body.get("max_tokens", 0) > 0 else ["no max_tokens"]
    turns = body["messages"]
    blocks = [block for turn in turns for block in turn["content"]]
    ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if len(set(ids)) != len(ids) or not all(map(CLAUDE_ID.fullmatch, ids)):
        wrong.append(f"the ids {ids}")
    if any(a["role"] == b["role"] for a, b in pairwise(turns)):
        wrong.append("two turns of one role")
    if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
        wrong.append("an empty text")
    if any(block["type"] == "thinking" and not block.get("signature") for block in blocks):
        wrong.append("thinking without a signature")
    if ids and not body.get("tools"):
        wrong.append("tool calls and no tools")
    if any(not NAME.fullmatch(block["name"]) for block in blocks if block["type"] == "tool_use"):
        wrong.append("a tool's name")
    return wrong + _results_follow(turns)


def _results_follow(turns: list[Mapping[str, Any]]) -> list[str]:
    """Every turn with calls is followed by one that begins with exactly their results."""
    wrong = []
    waiting: list[str] = []
    for turn in turns:
        results = [block["tool_use_id"] for block in turn["content"] if block["type"] == "tool_result"]
        first = [block["type"] for block in turn["content"]][: len(results)]
        if sorted(results) != sorted(waiting) or set(first) - {"tool_result"}:
            wrong.append(f"results {results} for calls {waiting}")
        waiting = [block["id"] for block in turn["content"] if block["type"] == "tool_use"]
    return wrong + ["a call without a result"] * bool(waiting)


def _ollama(body: Mapping[str, Any]) -> list[str]:
    wrong = []
    for message in body["messages"]:
        if message["role"] not in ("system", "user", "assistant", "tool"):
            wrong.append(f"the role {message['role']!r}")
        if message["role"] == "tool" and not message.get("tool_name"):
            wrong.append("a result without the tool's name")
        calls = message.get("tool_calls", [])
        if not all(isinstance(call["function"]["arguments"], dict) for call in calls):
            wrong.append("arguments that are not an object")
    return wrong
