"""Flight-price talk: asking, missing cities, follow-ups, several fares, unknown places, the fare in a sentence."""

from random import Random
from typing import Any

from starter.data.forms import form
from starter.data.talk import Talk, Tool, compact, failed, listed, tool
from starter.data.values import place

NAME = "get_ticket_price"
ASK_FROM, ASK_TO = "Which city do you want to fly from?", "Which city do you want to fly to?"
ASK_BOTH = "Which cities do you want to fly between?"
CURRENCIES = ("USD", "USD", "USD", "EUR", "EUR", "GBP", "INR", "JPY", "CHF", "AUD", "CAD", "SEK", "BRL", "ZAR", "AED")


def flight_tool(rng: Random) -> Tool:
    """The app's own description mostly, another wording now and then."""
    properties: dict[str, Any] = {"origin": {"type": "string"}, "destination": {"type": "string"}}
    if rng.random() < 0.5:
        properties["origin"]["description"] = "The city the flight starts from"
        properties["destination"]["description"] = "The city the flight goes to"
    elif rng.random() < 0.5:
        properties["origin"]["description"] = rng.choice(
            ("The city of departure.", "Where the flight starts", "City to fly from")
        )
        properties["destination"]["description"] = rng.choice(
            ("The city of arrival.", "Where the flight ends", "City to fly to")
        )
    if rng.random() < 0.6:
        text = "The price of a flight ticket from one city to another."
    else:
        text = form(rng, "tools_app", "flight")
    return tool(NAME, text, properties)


class Flights:
    """Flight questions within one talk. Remembers the last pair, so that follow-ups have something to follow."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng = talk, talk.rng
        self.last = ("", "")
        self.fares = fare_style(talk.rng)

    def turn(self) -> None:
        """One question and everything that follows from it."""
        if self.last[0] and self.rng.random() < 0.7:
            kind = self.rng.choice((self.next_destination, self.next_destination, self.next_origin, self.back))
        else:
            kind = self.rng.choices((self.pair, self.missing, self.several), (5, 3, 3))[0]
        kind()

    def cities(self, *names: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in names:
            found[name] = next(p for p in iter(lambda: place(self.rng), None) if p not in found.values())
        return found

    def pair(self) -> None:
        read = self.talk.ask("flights", "pair", self.cities("a", "b", "c"))
        self.look_up((read["a"], read["b"]))

    def missing(self) -> None:
        kind = self.rng.choice(("need_origin", "need_destination", "need_both"))
        first = self.talk.ask("flights", kind, self.cities("a", "b"))
        if kind == "need_both":
            self.talk.say(ASK_BOTH)
            read = self.talk.ask("flights", "give_both", first, chatter=False)
            return self.look_up((read["a"], read["b"]))
        given, asked = ("b", ASK_FROM) if kind == "need_origin" else ("a", ASK_TO)
        self.talk.say(asked)
        if self.rng.random() < 0.15:
            return None
        other = self.talk.ask("flights", "give_one", {"x": self.cities("x")["x"]}, chatter=False)["x"]
        return self.look_up((other, first["b"]) if given == "b" else (first["a"], other))

    def several(self) -> None:
        kind = self.rng.choices(("two", "chain", "two_from", "two_to", "there_and_back", "three"), (4, 2, 4, 2, 3, 2))[
            0
        ]
        cities = self.cities("a", "b", "c", "d")
        cities["c"] = cities["b"] if kind == "chain" else cities["c"]
        read = self.talk.ask("flights", kind, cities)
        a, b, c, d = (read[k] for k in "abcd")
        pairs = {
            "two": [(a, b), (c, d)],
            "chain": [(a, b), (b, d)],
            "two_from": [(a, b), (a, d)],
            "two_to": [(a, b), (c, b)],
            "there_and_back": [(a, b), (b, a)],
            "three": [(a, b), (a, c), (a, d)],
        }
        self.look_up(*pairs[kind])

    def next_destination(self) -> None:
        read = self.talk.ask("flights", "next_destination", self.cities("b") | {"old": self.last[1]}, chatter=False)
        self.look_up((self.last[0], read["b"]))

    def next_origin(self) -> None:
        read = self.talk.ask("flights", "next_origin", self.cities("a") | {"old": self.last[0]}, chatter=False)
        self.look_up((read["a"], self.last[1]))

    def back(self) -> None:
        self.talk.ask("flights", "back", chatter=False)
        self.look_up((self.last[1], self.last[0]))

    def look_up(self, *pairs: tuple[str, str]) -> None:
        """Call the tool for every pair, take its results, and say them."""
        self.last = pairs[0] if len(pairs) == 1 else ("", "")
        self.talk.call(*((NAME, {"origin": a, "destination": b}) for a, b in pairs))
        said = []
        for a, b in pairs:
            result, sentence = fare(self.rng, a, b, self.fares)
            self.talk.result(result)
            said.append(sentence)
        self.talk.say(" ".join(said))


def fare_style(rng: Random) -> str:
    """How the fare tool of this talk answers."""
    return rng.choices(("app", "json", "sentence", "bare"), (5, 3, 3, 1))[0]


def canonical(rng: Random, city: str) -> str:
    """The tool's own spelling: at times not the one asked for."""
    return place(rng) if rng.random() < 0.06 else city


def fare(rng: Random, a: str, b: str, style: str) -> tuple[str, str]:
    """A tool result, and the sentence it should become."""
    roll = rng.random()
    if roll < 0.14:
        text = form(rng, "tools_app", "no_fare").replace("{a}", a).replace("{b}", b)
        return failed(rng, text)
    a, b = canonical(rng, a), canonical(rng, b)
    price = rng.choice(
        (rng.randint(19, 2500), rng.randint(100, 999), round(rng.uniform(19, 3000), 2), rng.randint(1000, 99999))
    )
    currency = rng.choice(CURRENCIES)
    if style == "sentence":
        text = form(rng, "tools_app", "fare").replace("{a}", a).replace("{b}", b)
        text = text.replace("{price}", str(price)).replace("{currency}", currency)
        return text, text
    if style == "bare":
        bare = rng.choice((f"{price} {currency}", f"${price}", f"€{price}", f"£{price}"))
        return bare, f"A one-way flight from {a} to {b} costs {bare}."
    fields: dict[str, Any] = {
        "origin": a,
        "destination": b,
        "price": price,
        "currency": currency,
        "note": "sample data",
    }
    if style == "json":
        fields = other_fields(rng, fields)
    sample = " (sample data)" if "sample data" in str(fields.values()) else ""
    return compact(rng, fields), f"A one-way flight from {a} to {b} costs {price} {currency}{sample}."


def other_fields(rng: Random, fields: dict[str, Any]) -> dict[str, Any]:
    """The same fare as another author's tool would name it."""
    names = {
        "origin": rng.choice(("origin", "from", "from_city", "departure")),
        "destination": rng.choice(("destination", "to", "to_city", "arrival")),
        "price": rng.choice(("price", "fare", "cost", "amount", "ticket_price", "one_way_price")),
        "currency": rng.choice(("currency", "unit", "currency_code")),
    }
    renamed = {names[k]: v for k, v in fields.items() if k in names}
    if rng.random() < 0.5:
        renamed[rng.choice(("note", "source", "remark", "info"))] = "sample data"
    extra = rng.choice(
        (
            None,
            ("one_way", True),
            ("direct", False),
            ("distance_km", rng.randint(200, 12000)),
            ("class", "economy"),
            ("stops", rng.randint(0, 2)),
        )
    )
    if extra:
        renamed[extra[0]] = extra[1]
    items = list(renamed.items())
    if rng.random() < 0.3:
        rng.shuffle(items)
    return dict(items)


def missing_names(names: list[str]) -> str:
    """What to ask when arguments of any other tool are missing."""
    return f"Please tell me the {listed([n.replace('_', ' ') for n in names])}."
