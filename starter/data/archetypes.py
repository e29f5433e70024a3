"""Tools of many trades from `forms/archetypes.txt`, and values for their arguments."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from starter.data import words as w
from starter.data.forms import expand

FILE = Path(__file__).parent.parent / "forms" / "archetypes.txt"
NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
UNITS = "km miles metres feet inches cm kg pounds grams litres gallons celsius fahrenheit hours minutes seconds bytes acres".split()
LANGUAGES = "French German Spanish Italian Hindi Japanese Chinese Arabic Portuguese Dutch Swedish Polish Turkish Korean Greek Latin Swahili Finnish".split()
DISHES = "pizza, pasta, lasagna, vegetable curry, chicken soup, apple pie, rice, sushi, burgers, salad, pancakes, noodles, tacos, dumplings, ramen, tomato soup, paella, croissants, bread, fish and chips".split(
    ", "
)
ROOMS = "kitchen, bedroom, living room, bathroom, hall, office, garage, garden, attic, cellar, guest room, study".split(
    ", "
)
TASKS = "buy {n}s, call {p}, clean the {n}, pay the {n}, feed the {n}, write the {n}, send the {n} to {p}, fix the {a} {n}, water the {n}s, order {a} {n}s, meet {p}, check the {n}, visit {c}, renew the {n}".split(
    ", "
)
CURRENCIES = (
    "USD EUR GBP JPY INR CHF CAD AUD SEK NOK DKK CNY BRL MXN ZAR euros dollars pounds yen rupees francs".split()
)
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
Made = tuple[str, Any]


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: str
    choices: tuple[str, ...]
    optional: bool


@dataclass(frozen=True)
class Archetype:
    names: tuple[str, ...]
    description: str
    parameters: tuple[Parameter, ...]
    asks: tuple[str, ...]


@cache
def archetypes() -> tuple[Archetype, ...]:
    found: list[tuple[str, list[str]]] = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("> "):
            found[-1][1].append(line[2:])
        elif line.strip():
            found.append((line, []))
    return tuple(archetype(head, asks) for head, asks in found)


def archetype(head: str, asks: list[str]) -> Archetype:
    names, description, parameters = (
        (part.strip() for part in head.split(" : ") if part is not None)
        if head.count(" : ") == 2
        else (*[p.strip() for p in head.split(" : ")], "")
    )
    made = []
    for item in re.findall(r"(\w+)(\??)=(\w+)(?:\(([^)]*)\))?", parameters):
        made.append(Parameter(item[0], item[2], tuple(item[3].split("/")) if item[3] else (), bool(item[1])))
    return Archetype(tuple(n.strip() for n in names.split(",")), description, tuple(made), tuple(asks))


def date(rng: Random) -> str:
    day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(2019, 2031)
    return rng.choice(
        (
            f"{year}-{MONTHS.index(month) + 1:02}-{day:02}", f"{day} {month}", f"{month} {day}", f"{day} {month} {year}",
            f"{month} {day}, {year}", rng.choice(DAYS), f"next {rng.choice(DAYS)}", "tomorrow", "today", f"{day}.{MONTHS.index(month) + 1}.{year}",
            f"{day:02}/{MONTHS.index(month) + 1:02}/{year}",
        )
    )  # fmt: skip


def clock(rng: Random) -> str:
    hour, minute = rng.randint(0, 23), rng.choice((0, 15, 30, 45, rng.randint(0, 59)))
    return rng.choice(
        (
            f"{hour}:{minute:02}",
            f"{hour:02}:{minute:02}",
            f"{hour % 12 + 1} {rng.choice(('am', 'pm'))}",
            f"{hour % 12 + 1}{rng.choice(('am', 'pm'))}",
            "noon",
        )
    )


def code(rng: Random) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(3, 8)))
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    return rng.choice(
        (
            digits,
            f"{letters}-{digits}",
            f"{letters}{digits}",
            f"#{digits}",
            f"{digits[:2]}-{letters}-{digits[2:]}",
            f"{letters}_{digits}",
        )
    )


def number(rng: Random) -> float | int:
    return rng.choice(
        (
            rng.randint(1, 99),
            rng.randint(100, 9999),
            round(rng.uniform(0.5, 500), 2),
            round(rng.uniform(1, 90), 1),
            rng.randint(1, 30) * 10,
            rng.randint(1, 999) / rng.choice((3, 7, 8)),
        )
    )


def whole(rng: Random) -> Made:
    """A small whole number, in digits or spelled out."""
    value = rng.choice((rng.randint(1, 12), rng.randint(2, 30), rng.randint(1, 500)))
    return (NUMBER_WORDS[value] if value <= 12 and rng.random() < 0.4 else str(value)), value


def phrase(rng: Random) -> str:
    n, a = w.pick(rng, "nouns"), w.pick(rng, "adjectives")
    roll = rng.random()
    if roll < 0.08:
        return w.invented(rng)
    return rng.choice(
        (
            n,
            f"{a} {n}",
            f"{n} {w.pick(rng, 'nouns')}",
            f"{a} {w.pick(rng, 'adjectives')} {n}",
            w.brand(rng),
            f"{n}s",
            f"{a} {n}s",
            f"the {n} of {w.place(rng)}",
        )
    )


def sentence(rng: Random) -> str:
    n, m, a, p = w.pick(rng, "nouns"), w.pick(rng, "nouns"), w.pick(rng, "adjectives"), w.person(rng)
    return rng.choice(
        (
            f"the {n} is {a}", f"I will be late", f"see you at the {n}", f"where is the {n}?", f"{p} likes the {a} {n}", f"good {n}", f"I love this {n}",
            f"the {n} and the {m} are {a}", f"meet me in {w.place(rng)}", f"please bring the {n}", f"what a {a} {n}", f"happy birthday", f"the {a} {n} was terrible",
            f"call {p} about the {n}", f"{n}, {m} and {a} {n}s", w.invented(rng) + " " + w.invented(rng), f"We meet at {clock(rng)}.", f"How much is the {n}?",
        )
    )  # fmt: skip


def quoted(rng: Random) -> Made:
    text = sentence(rng)
    mark = rng.choice(('"{}"', '"{}"', "'{}'", "“{}”", "{}"))
    return mark.format(text), text


def options(rng: Random) -> Made:
    items = [
        rng.choice((w.pick(rng, "nouns"), w.pick(rng, "adjectives"), w.person(rng).split()[0]))
        for _ in range(rng.randint(2, 4))
    ]
    items = list(dict.fromkeys(items))
    last = rng.choice((" and ", " and ", ", ")) if len(items) > 1 else ""
    return ", ".join(items[:-1]) + last + items[-1], items


def task(rng: Random) -> str:
    pattern = rng.choice(TASKS)
    for slot, value in (
        ("{n}", w.pick(rng, "nouns")),
        ("{a}", w.pick(rng, "adjectives")),
        ("{p}", w.person(rng)),
        ("{c}", w.place(rng)),
    ):
        pattern = pattern.replace(slot, value)
    return pattern


def email(rng: Random) -> str:
    user = rng.choice(
        (
            w.pick(rng, "first_names").lower(),
            w.invented(rng, 2),
            f"{w.pick(rng, 'first_names')}.{w.pick(rng, 'surnames')}".lower(),
        )
    )
    return f"{user}@{w.invented(rng, 2)}.{rng.choice(('com', 'org', 'net', 'io', 'de', 'co.uk', 'example'))}"


def url(rng: Random) -> str:
    tail = rng.choice(
        ("", "/" + w.pick(rng, "nouns"), f"/{w.pick(rng, 'nouns')}/{w.pick(rng, 'nouns')}", "/" + w.invented(rng))
    )
    return f"https://{rng.choice(('', 'www.'))}{rng.choice((w.invented(rng, 2), w.pick(rng, 'nouns')))}.{rng.choice(('com', 'org', 'io', 'net', 'example'))}{tail}"


SAME: dict[str, Callable[[Random], str]] = {
    "place": w.place,
    "person": lambda r: w.person(r) if r.random() < 0.7 else w.person(r).split()[0],
    "brand": w.brand,
    "date": date,
    "time": clock,
    "code": code,
    "phrase": phrase,
    "label": w.label,
    "task": task,
    "email": email,
    "url": url,
    "noun": lambda r: w.pick(r, "nouns"),
    "word": lambda r: r.choice((w.pick(r, "nouns"), w.pick(r, "adjectives"), w.invented(r))),
    "language": lambda r: r.choice(LANGUAGES),
    "currency": lambda r: r.choice(CURRENCIES),
    "unit": lambda r: r.choice(UNITS),
    "dish": lambda r: r.choice(DISHES),
    "room": lambda r: r.choice(ROOMS),
    "phone": lambda r: f"{r.choice(('+', '0', '00'))}{r.randint(1, 99)} {r.randint(100, 999)} {r.randint(1000, 99999)}",
    "address": lambda r: (
        f"{r.randint(1, 199)} {w.pick(r, 'nouns').capitalize()} {r.choice(('Street', 'Road', 'Lane', 'Avenue'))}"
    ),
    "path": lambda r: (
        f"{r.choice(('', '/', 'docs/', '/home/'))}{w.pick(r, 'nouns')}{r.choice(('', '_' + w.pick(r, 'nouns')))}.{r.choice(('txt', 'md', 'csv', 'pdf', 'json', 'py'))}"
    ),
}


def value(rng: Random, p: Parameter) -> Made:
    """What the user says for the parameter, and the JSON value it stands for."""
    if p.kind in SAME:
        text = SAME[p.kind](rng)
        return text, text
    if p.kind == "int":
        return whole(rng)
    if p.kind == "year":
        year = rng.randint(1950, 2040)
        return str(year), year
    if p.kind == "number":
        amount = number(rng)
        return str(amount), amount
    if p.kind == "enum":
        choice = rng.choice(p.choices)
        return choice.replace("_", " "), choice
    if p.kind == "bool":
        yes = rng.random() < 0.5
        return p.choices[0 if yes else 1], yes
    return options(rng) if p.kind == "list" else quoted(rng)


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
