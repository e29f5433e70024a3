"""What tools return, in many shapes, and the sentence that tells it: every name and number copied, nothing added."""

from random import Random
from typing import Any

from starter.data import values as w
from starter.data.archetypes import spoken
from starter.data.forms import form
from starter.data.sentences import saying
from starter.data.talk import compact, failed, listed

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
EMPTY = (("[]", "Nothing was found."), *((text, "The tool returned nothing.") for text in ("{}", "", "null")))
FLAGS = ("available", "open", "paid", "confirmed", "active", "in_stock")


def fit(rng: Random, name: str, kind: str) -> Any:
    """A value that such a key could have."""
    if kind == "int":
        return w.whole(rng)[1]
    if kind == "number":
        return w.number(rng)
    return w.pick(rng, "states") if name in ("status", "condition", "state") else w.SAME[kind](rng)


def key(rng: Random) -> tuple[str, str]:
    """A key of a record, and the kind of its value."""
    kind = rng.choice(tuple(KEYS))
    return rng.choice(KEYS[kind].split()), kind


def record(rng: Random) -> dict[str, Any]:
    """One to four fields, with a flag, a list or a gap now and then."""
    fields = {name: fit(rng, name, kind) for name, kind in (key(rng) for _ in range(rng.randint(1, 4)))}
    roll = rng.random()
    if roll < 0.08:
        fields[rng.choice(FLAGS)] = rng.random() < 0.5
    if roll > 0.97:
        fields[rng.choice(("comment", "discount", "end_date"))] = None
    if 0.9 < roll < 0.95:
        fields[rng.choice(("tags", "items", "names"))] = [w.pick(rng, "nouns") for _ in range(rng.randint(1, 4))]
    return fields


def shown(value: Any) -> str:
    """A JSON value as one reads it out."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not known"
    return listed([str(v) for v in value]) if isinstance(value, list) and value else str(value)


def told(fields: dict[str, Any]) -> str:
    """One record as one sentence."""
    parts = [f"the {spoken(k)} is {shown(v)}" for k, v in fields.items() if k not in ("success", "ok")]
    text = listed(parts) if parts else "done"
    done = fields.get("success") is True or fields.get("ok") is True
    return f"Done: {text}." if done else f"{text[0].upper()}{text[1:]}."


def table(rows: list[dict[str, Any]]) -> str:
    """Several records as a numbered list."""
    lines = [", ".join(f"{spoken(k)} {shown(v)}" for k, v in row.items()) for row in rows]
    head = f"I found {len(rows)}:" if len(rows) > 1 else "I found one:"
    return "\n".join([head, *(f"{i}. {line}" for i, line in enumerate(lines, 1))])


def error(rng: Random) -> tuple[str, str]:
    """An error as the app hands it to a model or as a service writes it, and how it is reported."""
    text = saying(rng).sentence
    if rng.random() < 0.6:
        named = rng.choice((w.place, w.person, w.brand))
        text = w.filled(rng, form(rng, "values", "error"), {"named": named, "n": lambda r: str(r.randint(1, 60))})
    text = text[0].upper() + text[1:]
    if rng.random() < 0.15:
        told = {rng.choice(("error", "error", "message", "detail")): text}
        fields = {rng.choice(("ok", "success")): False, **told} if rng.random() < 0.4 or "error" not in told else told
        return compact(rng, fields), f"The tool reported an error: {text}"
    return failed(rng, text)


def plain(rng: Random, arguments: dict[str, Any]) -> str:
    """A tool's own sentence, often about its arguments."""
    if rng.random() < 0.35:
        return " ".join(saying(rng).sentence for _ in range(rng.choice((1, 1, 2))))
    subject = rng.choice((w.person, w.place, w.brand))(rng)
    if arguments and rng.random() < 0.6:
        subject = str(rng.choice(list(arguments.values())))
    slots = {"subject": lambda _: subject, "attribute": lambda r: key(r)[0].replace("_", " "), "word": w.SAME["word"]}
    return w.with_slots(rng, "plain", slots)


def rows(rng: Random) -> list[dict[str, Any]]:
    """Up to four records with the same keys."""
    keys = dict(key(rng) for _ in range(rng.randint(1, 3)))
    return [{name: fit(rng, name, kind) for name, kind in keys.items()} for _ in range(rng.randint(1, 4))]


def result(rng: Random, arguments: dict[str, Any]) -> tuple[str, str]:
    """A result of any tool, and the answer it should become."""
    kind = rng.choices(("error", "plain", "bare", "rows", "items", "empty", "record"), (10, 30, 10, 8, 3, 2, 37))[0]
    if kind == "error":
        return error(rng)
    if kind == "plain":
        text = plain(rng, arguments)
        return text, text if text.endswith((".", "!", "?")) else text + "."
    if kind == "bare":
        bare = w.with_slots(rng, "bare", {})
        return bare, f"The result is {bare}."
    if kind == "rows":
        found = rows(rng)
        return compact(rng, found), table(found)
    if kind == "items":
        items = [rng.choice((w.MAKERS["noun"], w.person, w.place))(rng) for _ in range(rng.randint(1, 5))]
        return compact(rng, items), f"The result is {listed(items)}."
    if kind == "empty":
        return rng.choice(EMPTY)
    fields = {**{k: v for k, v in arguments.items() if rng.random() < 0.35}, **record(rng)}
    if rng.random() < 0.15:
        fields = {rng.choice(("success", "ok")): True, **fields}
    return compact(rng, fields), told(fields)


__all__ = ["error", "result"]
