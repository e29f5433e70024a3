"""Tools of many trades from `forms/archetypes.txt` and `forms/trades.txt`: names, parameters, ways to ask for each."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from random import Random
from typing import Any

from starter.data import values as w
from starter.data.forms import expand, sections
from starter.data.moments import full_date, full_time
from starter.data.values import Made

FILE = Path(__file__).parent.parent / "forms" / "archetypes.txt"
FORMATTED: dict[str, Callable[[Random], Made]] = {"iso_date": full_date, "iso_time": full_time}


@dataclass(frozen=True)
class Parameter:
    """An argument of a tool: what kind of value it takes, and the words to choose from where it is an enum."""

    name: str
    kind: str
    choices: tuple[str, ...]
    optional: bool
    description: str = ""


@dataclass(frozen=True)
class Archetype:
    """A tool before it is offered: its possible names, its parameters, and forms that ask for it."""

    names: tuple[str, ...]
    description: str
    parameters: tuple[Parameter, ...]
    asks: tuple[str, ...]


def parsed(lines: Iterable[str]) -> tuple[Archetype, ...]:
    """Tools from their lines: "names : description : parameters", then its forms, each after "> "."""
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("> "):
            found[-1][1].append(line[2:])
        elif line.strip():
            found.append((line, []))
    return tuple(archetype(head, asks) for head, asks in found)


@cache
def archetypes() -> tuple[Archetype, ...]:
    """Tools that stand for themselves."""
    return parsed(FILE.read_text(encoding="utf-8").splitlines())


@cache
def trades() -> dict[str, tuple[Archetype, ...]]:
    """Tools of one trade by its name. They are near to each other, and no two of them could serve one request."""
    return {trade: parsed(lines) for file in ("trades", "trades_more") for trade, lines in sections(file).items()}


@cache
def own_names() -> frozenset[str]:
    """The first name of every tool of the files."""
    return frozenset(k.names[0] for kinds in (archetypes(), *trades().values()) for k in kinds)


def written_by_hand(name: str) -> bool:
    """Whether a tool of the files has this first name; the others are put together from frames."""
    return name in own_names()


def archetype(head: str, asks: list[str]) -> Archetype:
    """One tool from its line and its forms."""
    names, description, *rest = (part.strip() for part in f"{head} ".split(" : "))
    made = []
    pattern = r'(\w+)(\??)=(\w+)(?:\(([^)]*)\))?(?: "([^"]*)")?'
    for name, optional, kind, choices, told in re.findall(pattern, " ".join(rest)):
        made.append(Parameter(name, kind, tuple(choices.split("/")) if choices else (), bool(optional), told))
    return Archetype(tuple(n.strip() for n in names.split(",")), description.rstrip(" :"), tuple(made), tuple(asks))


@lru_cache(maxsize=16384)  # Bounded: the forms of invented tools come once and never again.
def implied(ask: str) -> tuple[str, dict[str, Any]]:
    """A form, and what it says without naming it: "still on downstairs => state=off"."""
    pattern, _, given = ask.partition(" => ")
    pairs = (part.split("=") for part in given.split(", ") if part)
    return pattern, {name.strip(): literal(text.strip()) for name, text in pairs}


def literal(text: str) -> Any:
    """A JSON value where the text is one, the text where not."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def camel(text: str) -> str:
    """order_id as orderId."""
    first, *rest = text.split("_")
    return first + "".join(part.capitalize() for part in rest)


def spoken(name: str) -> str:
    """The words of a name: order_id and orderId are the order id."""
    return re.sub(r"(?<=[a-z])([A-Z])(?=[a-z]|$)", lambda m: " " + m[1].lower(), name).replace("_", " ")


def otherwise_needed(rng: Random, kind: Archetype) -> Archetype:
    """The same tool where other arguments may be left out: what to ask for stands in the schema and nowhere else."""
    parameters = tuple(replace(p, optional=p.optional ^ (rng.random() < 0.3)) for p in kind.parameters)
    return replace(kind, parameters=parameters)


def in_camels(kind: Archetype) -> Archetype:
    """The same tool as a JavaScript programmer names it."""
    own = {p.name: camel(p.name) for p in kind.parameters}

    def renamed(ask: str) -> str:
        text = re.sub(r"\{(\w+)\}", lambda m: "{" + own.get(m[1], m[1]) + "}", ask)
        pattern, arrow, given = text.partition(" => ")
        return pattern + arrow + re.sub(r"(\w+)=", lambda m: own.get(m[1], m[1]) + "=", given)

    names, asks = tuple(map(camel, kind.names)), tuple(map(renamed, kind.asks))
    return Archetype(names, kind.description, tuple(replace(p, name=own[p.name]) for p in kind.parameters), asks)


def in_digits(pattern: str, made: dict[str, Made]) -> str:
    """The form, its numbers now in digits where a letter or a mark touches them: "the 3rd", "80%", "120/80"."""
    for name, (_, value) in made.items():
        slot = "{" + name + "}"
        if type(value) is not int:
            continue
        if slot + "th" in pattern:
            pattern, made[name] = pattern.replace(slot + "th", slot), (w.ordinal(value), value)
        elif touched(pattern, slot):
            made[name] = str(value), value
    return pattern


def touched(pattern: str, slot: str) -> bool:
    """Whether a letter or a mark touches the slot, so that a word for the number would not do."""
    start = pattern.find(slot)
    before, after = pattern[max(start - 1, 0) : max(start, 0)], pattern[start + len(slot) :][:1]
    return start >= 0 and (before.isalnum() or after.isalnum() or before in tuple("$#/-+") or after in tuple("%/°:-+"))


def value(rng: Random, p: Parameter) -> Made:
    """What the user says for the parameter, and the JSON value it stands for."""
    if p.kind in w.SAME:
        text = w.SAME[p.kind](rng)
        return text, text
    if p.kind in FORMATTED:
        return FORMATTED[p.kind](rng)
    if p.kind == "of":
        text = w.filled(rng, rng.choice(p.choices))
        return text, text
    if p.kind in ("int", "number"):
        return w.within(rng, p.kind, p.choices[0]) if p.choices else figure(rng, p.kind)
    if p.kind == "year":
        year = rng.randint(1950, 2040)
        return str(year), year
    if p.kind == "enum":
        choice = rng.choice(p.choices)
        return choice.replace("_", " "), choice
    if p.kind == "bool":
        yes = rng.random() < 0.5
        return (p.choices or ("yes", "no"))[0 if yes else 1], yes
    return w.options(rng, p.choices) if p.kind == "list" else w.quoted(rng)


def figure(rng: Random, kind: str) -> Made:
    """Any whole number, or any number."""
    if kind == "int":
        return w.whole(rng)
    amount = w.number(rng)
    return str(amount), amount


def schema(rng: Random, p: Parameter) -> dict[str, Any]:
    """The JSON schema of the parameter, described now and then."""
    kinds = {"int": "integer", "year": "integer", "number": "number", "bool": "boolean"}
    made: dict[str, Any] = {"type": kinds.get(p.kind, "string")}
    if p.kind == "enum":
        made["enum"] = list(p.choices)
    if p.kind == "int" and p.choices and rng.random() < 0.25:
        made["minimum"], made["maximum"] = (int(bound) for bound in p.choices[0].split("-"))
    if p.kind == "list":
        made = {"type": "array", "items": {"type": "string"}}
    if p.optional and rng.random() < 0.45:
        none = {"anyOf": [made, {"type": "null"}], "default": None}
        made = made | {"default": rng.choice(p.choices)} if p.kind == "enum" and rng.random() < 0.5 else none
    if p.kind in FORMATTED or rng.random() < (0.6 if p.description else 0.35):
        plain = rng.random() < 0.2 and p.kind not in FORMATTED
        told = f"<The |>{spoken(p.name)}" if plain and not p.description else p.description or descriptions()[p.kind]
        made["description"] = expand(rng, told)
    return made


def wanted(p: Parameter, schema: dict[str, Any]) -> str:
    """A parameter as the model asks for it: "zone (A, B or C)", "serial (printed on the back)"."""
    told = schema.get("description", "").rstrip(".")
    if told.lower().removeprefix("the ") == spoken(p.name).lower():
        told = ""
    if p.kind == "enum":
        told = f"{', '.join(p.choices[:-1])} or {p.choices[-1]}"
    elif p.kind == "bool":
        told = "yes or no"
    elif told[1:2].islower():
        told = told[0].lower() + told[1:]
    return f"{spoken(p.name)} ({told})" if told else spoken(p.name)


@cache
def descriptions() -> dict[str, str]:
    """Wordings for what a parameter is, by its kind."""
    lines = dict(line.split(" : ") for line in sections("frames")["descriptions"])
    kinds = {*w.SAME, "int", "year", "number", "enum", "bool", "list", "quoted", "of"}
    return {kind: lines.get(kind, lines["word"]) for kind in kinds}
