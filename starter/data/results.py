"""What tools return, in many shapes, and the sentence that tells it: every name and number copied, nothing added."""

from random import Random
from typing import Any

from starter.data import archetypes as a
from starter.data import words as w
from starter.data.sentences import saying
from starter.data.talk import compact, listed

KEYS = {
    "place": "city location country region station origin_city warehouse",
    "person": "name owner customer manager author contact assignee driver sender recipient",
    "brand": "company product brand supplier hotel restaurant provider",
    "date": "date due_date delivery_date created valid_until start_date end_date updated",
    "time": "time start end departure arrival opening_time",
    "code": "id order_id reference ticket_id booking_number invoice_number serial account",
    "number": "price total amount temperature balance rate distance_km weight score average cost duration humidity",
    "int": "count quantity stock seats rooms nights points rank level days minutes population",
    "word": "status condition category type title label color state mood",
    "currency": "currency",
    "phrase": "description item summary message subject note",
    "email": "email",
    "url": "url link",
    "phone": "phone",
}
STATES = "shipped, open, closed, sunny, cloudy, confirmed, pending, delayed, active, cancelled, paid, available, sold out, in transit, rainy, approved, rejected, on time, waiting, done".split(
    ", "
)
ERRORS = (
    "{thing} not found.", "Unknown {thing}.", "The service is not available.", "No {thing} matches.", "The {thing} is missing.", "Timed out after {n} s.",
    "No permission to read the {thing}.", "{name} is not known.", "Too many requests, try again in {n} seconds.", "The {thing} must be at least {n}.",
    "No data for {name}.", "Division by zero.", "The tool took longer than {n} s.", "There is no {thing} called {name}.", "Could not reach {name}.",
)  # fmt: skip


def field(rng: Random) -> tuple[str, Any]:
    kind = rng.choice(tuple(KEYS))
    name = rng.choice(KEYS[kind].split())
    if kind == "int":
        return name, a.whole(rng)[1]
    if kind == "number":
        return name, a.number(rng)
    if name in ("status", "condition", "state"):
        return name, rng.choice(STATES)
    return name, a.SAME[kind](rng)


def record(rng: Random, most: int = 4) -> dict[str, Any]:
    fields = dict(field(rng) for _ in range(rng.randint(1, most)))
    roll = rng.random()
    if roll < 0.08:
        fields[rng.choice(("available", "open", "paid", "confirmed", "active", "in_stock"))] = rng.random() < 0.5
    if roll > 0.97:
        fields[rng.choice(("comment", "discount", "end_date"))] = None
    if 0.9 < roll < 0.95:
        fields[rng.choice(("tags", "items", "options", "names"))] = [
            w.pick(rng, "nouns") for _ in range(rng.randint(1, 4))
        ]
    return fields


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not known"
    return listed([str(v) for v in value]) if isinstance(value, list) and value else str(value)


def told(fields: dict[str, Any]) -> str:
    """One record as one sentence."""
    parts = [f"the {k.replace('_', ' ')} is {shown(v)}" for k, v in fields.items() if k not in ("success", "ok")]
    text = listed(parts) if parts else "done"
    lead = "Done: " if fields.get("success") is True or fields.get("ok") is True else ""
    return f"{lead}{text if lead else text[0].upper() + text[1:]}."


def table(rows: list[dict[str, Any]]) -> str:
    """Several records as a numbered list."""
    lines = [
        f"{i}. " + ", ".join(f"{k.replace('_', ' ')} {shown(v)}" for k, v in row.items())
        for i, row in enumerate(rows, 1)
    ]
    return "\n".join([f"I found {len(rows)}:" if len(rows) > 1 else "I found one:", *lines])


def error(rng: Random) -> tuple[str, str]:
    if rng.random() < 0.4:
        text = saying(rng).sentence
        return f"Error: {text}", f"The tool reported an error: {text}"
    text = (
        rng.choice(ERRORS)
        .replace("{thing}", w.pick(rng, "nouns"))
        .replace("{name}", rng.choice((w.place, w.person, w.brand))(rng))
    )
    text = text.replace("{n}", str(rng.randint(1, 60)))
    text = text[0].upper() + text[1:]
    return f"Error: {text}", f"The tool reported an error: {text}"


def plain(rng: Random, arguments: dict[str, Any]) -> str:
    """A tool's own sentence, often about its arguments."""
    subject = (
        str(rng.choice(list(arguments.values())))
        if arguments and rng.random() < 0.6
        else rng.choice((w.person, w.place, w.brand))(rng)
    )
    name, value = field(rng)
    n, adjective = w.pick(rng, "nouns"), w.pick(rng, "adjectives")
    if rng.random() < 0.35:
        return " ".join(saying(rng).sentence for _ in range(rng.choice((1, 1, 2))))
    return rng.choice(
        (
            f"{subject}: {shown(value)}", f"The {name.replace('_', ' ')} of {subject} is {value}.", f"{subject} is {rng.choice(STATES)}.", f"The {n} {value} was created.",
            f"{subject} has {a.whole(rng)[1]} {n}s.", f"It is {adjective} with {a.number(rng)} degrees in {subject}.", f"Saved as {a.code(rng)}.",
            f"{a.number(rng)} {rng.choice(a.CURRENCIES)} for {subject}.", f"Sent to {subject}.", f"The {n} costs {a.number(rng)} {rng.choice(a.CURRENCIES)} at {w.brand(rng)}.",
            f"{w.person(rng)} ({a.email(rng)}) has the {n}.", f"OK, {subject} is done.", f"{a.whole(rng)[1]} of {a.whole(rng)[1]} {n}s are {adjective}.",
            f"{subject} on {a.date(rng)} at {a.clock(rng)}.", f"Booked: {subject}, reference {a.code(rng)}.", f"{subject} = {a.number(rng)}",
        )
    )  # fmt: skip


def result(rng: Random, arguments: dict[str, Any]) -> tuple[str, str]:
    """A result of any tool, and the answer it should become."""
    roll = rng.random()
    if roll < 0.1:
        return error(rng)
    if roll < 0.4:
        text = plain(rng, arguments)
        ended = text if text.endswith((".", "!", "?")) else text + "."
        return text, ended
    if roll < 0.5:
        bare = rng.choice(
            (
                str(a.number(rng)),
                a.code(rng),
                w.place(rng),
                w.person(rng),
                f"{a.number(rng)} {rng.choice(a.UNITS)}",
                f"${a.number(rng)}",
                rng.choice(STATES),
                a.clock(rng),
            )
        )
        return bare, f"The result is {bare}."
    if roll < 0.58:
        names = [field(rng)[0] for _ in range(rng.randint(1, 3))]
        rows = [{k: similar(rng, k) for k in dict.fromkeys(names)} for _ in range(rng.randint(1, 4))]
        return compact(rng, rows), table(rows)
    if roll < 0.61:
        items = [rng.choice((w.pick(rng, "nouns"), w.person(rng), w.place(rng))) for _ in range(rng.randint(1, 5))]
        return compact(rng, items), f"The result is {listed(items)}."
    if roll < 0.63:
        return rng.choice(
            (
                ("[]", "Nothing was found."),
                ("{}", "The tool returned nothing."),
                ("", "The tool returned nothing."),
                ("null", "The tool returned nothing."),
            )
        )
    fields = record(rng)
    echoed = [(k, v) for k, v in arguments.items() if rng.random() < 0.35]
    fields = {**dict(echoed), **fields}
    if rng.random() < 0.15:
        fields = {rng.choice(("success", "ok")): True, **fields}
    return compact(rng, fields), told(fields)


def similar(rng: Random, name: str) -> Any:
    """Another value fit for the key."""
    kind = next(k for k, names in KEYS.items() if name in names.split())
    return a.whole(rng)[1] if kind == "int" else a.number(rng) if kind == "number" else a.SAME[kind](rng)
