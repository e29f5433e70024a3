"""Tools of many trades from `forms/archetypes.txt`: names, parameters, and the ways to ask for each."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from starter.data import values as w
from starter.data.forms import expand
from starter.data.values import Made

FILE = Path(__file__).parent.parent / "forms" / "archetypes.txt"


@dataclass(frozen=True)
class Parameter:
    """An argument of a tool: what kind of value it takes, and the words to choose from where it is an enum."""

    name: str
    kind: str
    choices: tuple[str, ...]
    optional: bool


@dataclass(frozen=True)
class Archetype:
    """A tool before it is offered: its possible names, its parameters, and forms that ask for it."""

    names: tuple[str, ...]
    description: str
    parameters: tuple[Parameter, ...]
    asks: tuple[str, ...]


@cache
def archetypes() -> tuple[Archetype, ...]:
    """All of the file. A line "names : description : parameters" is followed by its forms, each after "> "."""
    found: list[tuple[str, list[str]]] = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("> "):
            found[-1][1].append(line[2:])
        elif line.strip():
            found.append((line, []))
    return tuple(archetype(head, asks) for head, asks in found)


def archetype(head: str, asks: list[str]) -> Archetype:
    """One tool from its line and its forms."""
    names, description, *rest = (part.strip() for part in head.split(" : "))
    made = []
    for name, optional, kind, choices in re.findall(r"(\w+)(\??)=(\w+)(?:\(([^)]*)\))?", " ".join(rest)):
        made.append(Parameter(name, kind, tuple(choices.split("/")) if choices else (), bool(optional)))
    return Archetype(tuple(n.strip() for n in names.split(",")), description.rstrip(" :"), tuple(made), tuple(asks))


def value(rng: Random, p: Parameter) -> Made:
    """What the user says for the parameter, and the JSON value it stands for."""
    if p.kind in w.SAME:
        text = w.SAME[p.kind](rng)
        return text, text
    if p.kind == "int":
        return w.whole(rng)
    if p.kind == "year":
        year = rng.randint(1950, 2040)
        return str(year), year
    if p.kind == "number":
        amount = w.number(rng)
        return str(amount), amount
    if p.kind == "enum":
        choice = rng.choice(p.choices)
        return choice.replace("_", " "), choice
    if p.kind == "bool":
        yes = rng.random() < 0.5
        return p.choices[0 if yes else 1], yes
    return w.options(rng) if p.kind == "list" else w.quoted(rng)


def schema(rng: Random, p: Parameter) -> dict[str, Any]:
    """The JSON schema of the parameter, described now and then."""
    kinds = {"int": "integer", "year": "integer", "number": "number", "bool": "boolean"}
    made: dict[str, Any] = {"type": kinds.get(p.kind, "string")}
    if p.kind == "enum":
        made["enum"] = list(p.choices)
    if p.kind == "list":
        made = {"type": "array", "items": {"type": "string"}}
    if p.optional and rng.random() < 0.3:
        made = {"anyOf": [made, {"type": "null"}], "default": None}
    if rng.random() < 0.35:
        made["description"] = expand(rng, f"<The|A> {p.name.replace('_', ' ')}<.| to use.| of the request>")
    return made
