"""A conversation while it is being made, in the shape that chat templates take."""

import json
from random import Random
from typing import Any

from starter.data import values as w
from starter.data.forms import expand, form, sections, utter

Tool = dict[str, Any]
Call = tuple[str, dict[str, Any]]
NAME = "I am the small built-in model of Switchboard"
CONNECT = "connect OpenAI, Claude, Ollama or a larger local model"
OUT_OF_SCOPE = f"{NAME}, and that is beyond me. For this, {CONNECT}."


class Talk:
    """Messages and tools so far; the methods add one turn each."""

    def __init__(self, rng: Random, tools: list[Tool] | None = None) -> None:
        self.rng = rng
        self.tools = tools or []
        self.messages: list[dict[str, Any]] = []

    def system(self, text: str) -> None:
        self.messages.append({"role": "system", "content": text})

    def user(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})

    def ask(
        self, file: str, section: str, values: dict[str, str] | None = None, chatter: bool = True
    ) -> dict[str, str]:
        """The user says a form of that section; what was read from it is returned."""
        pattern = coloured(self.rng, self.rng.choice(sections(file)[section]))
        text, read = utter(self.rng, pattern, values or {}, chatter)
        self.user(text)
        return read

    def say(self, text: str) -> None:
        self.messages.append({"role": "assistant", "content": text})

    def call(self, *calls: Call) -> None:
        made = [{"type": "function", "function": {"name": n, "arguments": a}} for n, a in calls]
        self.messages.append({"role": "assistant", "content": "", "tool_calls": made})

    def result(self, text: str) -> None:
        self.messages.append({"role": "tool", "content": text})

    def done(self) -> dict[str, Any]:
        return {"messages": self.messages, "tools": self.tools}


COLOURS = ("noun", "adj", "relation", "when", "day", "month", "brand")


def coloured(rng: Random, pattern: str) -> str:
    """The form with its everyday words chosen: nouns, days, relatives. The slots that carry meaning stay."""
    makers: dict[str, w.Maker] = {name: w.MAKERS[name] for name in COLOURS}
    makers["n"] = lambda r: str(r.randint(20, 2000))
    pattern = expand(rng, pattern)
    for name, make in makers.items():
        while "{" + name + "}" in pattern:
            pattern = pattern.replace("{" + name + "}", make(rng), 1)
    return pattern


def tool(name: str, description: str, properties: dict[str, Any], optional: tuple[str, ...] = ()) -> Tool:
    """An OpenAI-style function description."""
    parameters = {
        "type": "object",
        "properties": properties,
        "required": [p for p in properties if p not in optional],
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def failed(rng: Random, text: str) -> tuple[str, str]:
    """An error as a tool hands it back, with the word in front of it or without, and how it is told."""
    return (f"Error: {text}", f"The tool reported an error: {text}") if rng.random() < 0.5 else (text, text)


def listed(items: list[str]) -> str:
    """a, b and c"""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def compact(rng: Random, value: Any) -> str:
    """JSON as tools write it: mostly on one line."""
    roll = rng.random()
    if roll < 0.85:
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, indent=2) if roll < 0.93 else json.dumps(value, separators=(",", ":"))


def system_prompt(rng: Random) -> str:
    """How the assistant is told to be, with slots still in it."""
    return expand(rng, form(rng, "chat", "system"))
