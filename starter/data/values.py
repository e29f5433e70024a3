"""Names, numbers, dates, codes and phrases: everything that fills a slot of a form, and the filling."""

import re
from collections.abc import Callable
from random import Random
from typing import Any

from starter.data.forms import form
from starter.data.numerals import NUMBER_WORDS as NUMBER_WORDS
from starter.data.numerals import ordinal as ordinal
from starter.data.numerals import spelled as spelled
from starter.data.words import invented as invented
from starter.data.words import pick as pick
from starter.data.words import words

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
FOREIGN = {
    "a": "áàâãäåăąæāảạấ", "c": "çćčċĉ", "d": "đðďḍ", "e": "éèêëęěėēếệœ", "g": "ğġģ", "h": "ħḥĥ", "i": "íîïıīįìị",
    "k": "ķ", "l": "łļľ", "n": "ñńňņ", "o": "óôõöøőōòơộ", "r": "řŕ", "s": "šśşșßṣ", "t": "ţťțþṭ", "u": "úùûüůűūųưŭ",
    "w": "ŵ", "y": "ýÿŷ", "z": "žźżẓ",
    "S": "ŠŞȘŚ", "O": "ÖØÓŌÔ", "A": "ÅÄÁÆĀÂ", "L": "ŁĽĻ", "C": "ÇČĆ", "Z": "ŽŻŹ", "E": "ÉÈÊĒ", "T": "ȚŢÞŤ", "D": "ĐĎ",
    "G": "ĞĢ", "I": "İÍÎĪ", "U": "ÚÜŪ", "N": "ÑŅ", "R": "Ř", "H": "Ħ", "K": "Ķ",
}  # fmt: skip
Made = tuple[str, Any]
Maker = Callable[[Random], str]


def with_slots(rng: Random, section: str, slots: dict[str, Maker]) -> str:
    """A form of `values.txt` filled from these makers first, then from the common ones."""
    return filled(rng, form(rng, "values", section), slots)


def filled(rng: Random, text: str, slots: dict[str, Maker] | None = None) -> str:
    """The text with a new value in every slot that has a maker."""
    known = MAKERS | slots if slots else MAKERS
    return re.sub(r"\{(\w+)\}", lambda m: known[m[1]](rng) if m[1] in known else m[0], text)


def invented_place(rng: Random) -> str:
    """A town that does not exist, of one to three words."""
    short: Maker = lambda r: invented(r, 2).capitalize()  # noqa: E731
    slots = {
        "name": lambda r: invented(r, r.choice((2, 3))).capitalize(),
        "stem": short,
        "low": lambda r: invented(r, 2),
    }
    name = with_slots(rng, "place", slots | {"end": lambda r: pick(r, "place_ends")})
    return accented(rng, name) if rng.random() < 0.16 else name


def accented(rng: Random, name: str) -> str:
    """The name with one or two of its letters as other languages of Europe write them."""
    for letter in rng.sample(tuple(FOREIGN), len(FOREIGN)):
        spots = [i for i, c in enumerate(name) if c == letter]
        if spots:
            i = rng.choice(spots)
            name = name[:i] + rng.choice(FOREIGN[letter]) + name[i + 1 :]
            if rng.random() < 0.7:
                break
    return name


def place(rng: Random) -> str:
    """A city or country: real ones and invented ones, so that copying is learnt rather than the list."""
    return pick(rng, "places") if rng.random() < 0.4 else invented_place(rng)


def person(rng: Random) -> str:
    """First name and surname, either of them at times invented."""
    first = pick(rng, "first_names") if rng.random() < 0.75 else invented(rng, 2).capitalize()
    last = pick(rng, "surnames") if rng.random() < 0.6 else invented(rng).capitalize()
    if rng.random() < 0.06:
        last += "-" + pick(rng, "surnames")
    if rng.random() < 0.05:
        first, last = accented(rng, first), accented(rng, last)
    if rng.random() < 0.06:
        first += f" {rng.choice(LETTERS)}."
    return f"{first} {last}"


def brand(rng: Random) -> str:
    """The name of a company or product."""
    stem = invented(rng, 2).capitalize() if rng.random() < 0.7 else pick(rng, "nouns").capitalize()
    return with_slots(rng, "brand", {"stem": lambda _: stem})


def label(rng: Random) -> str:
    """What people and machines call things: codes with hyphens, files, hosts, hashtags, titles, names."""
    word: Maker = lambda r: pick(r, "nouns") if r.random() < 0.6 else invented(r, 2)  # noqa: E731
    title: Maker = lambda r: word(r).capitalize()  # noqa: E731
    slots = {"x": word, "y": word, "X": title, "Y": title, "n": lambda r: str(r.randint(1, 9999))}
    slots |= {"letter": lambda r: r.choice(LETTERS), "new_place": invented_place}
    return with_slots(rng, "label", slots)


def date(rng: Random) -> str:
    """A day as people write it, in one of many ways."""
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2019, 2031)
    parts = {"iso": f"{year}-{month:02}-{day:02}", "d": str(day), "m": str(month), "y": str(year)}
    parts["month"] = words("months")[month - 1]
    text = form(rng, "values", "date")
    parts["nth"] = ordinal(day)
    for name, value in parts.items():
        text = text.replace("{" + name + "}", value)
    return filled(rng, text)


def month_date(rng: Random) -> str:
    """A day or a month with its year."""
    return date(rng) if rng.random() < 0.5 else f"{pick(rng, 'months')} {rng.randint(2010, 2029)}"


def clock(rng: Random) -> str:
    """A time of day."""
    hour, minute = rng.randint(0, 23), rng.choice((0, 15, 30, 45, rng.randint(0, 59)))
    text = form(rng, "values", "clock").replace("{h12}", str(hour % 12 + 1))
    return text.replace("{h}", str(hour)).replace("{mm}", f"{minute:02}")


def digits(rng: Random) -> str:
    """A few digits."""
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 8)))


def code(rng: Random) -> str:
    """An order number, an account, a serial number."""
    letters: Maker = lambda r: "".join(r.choice(LETTERS) for _ in range(r.randint(1, 3)))  # noqa: E731
    return with_slots(rng, "code", {"digits": digits, "letters": letters})


def number(rng: Random) -> float | int:
    """A number of any size and precision."""
    kinds = (
        lambda: rng.randint(1, 99),
        lambda: rng.randint(100, 9999),
        lambda: round(rng.uniform(0.5, 500), 2),
        lambda: round(rng.uniform(1, 90), 1),
        lambda: rng.randint(1, 30) * 10,
        lambda: rng.randint(1, 999) / rng.choice((3, 7, 8)),
    )
    return rng.choices(kinds, (3, 3, 3, 3, 2, 1))[0]()


def whole(rng: Random) -> Made:
    """A whole number, in digits or spelled out, and its value."""
    value = rng.choice((rng.randint(1, 12), rng.randint(2, 30), rng.randint(1, 500)))
    return spelled(rng, value), value


def within(rng: Random, kind: str, bounds: str) -> Made:
    """A number between bounds "1-30", whole ones up to twelve at times spelled out, and its value."""
    low, high = (int(x) for x in bounds.split("-"))
    if kind == "number" and rng.random() < 0.5:
        part = round(rng.uniform(low, high), rng.choice((1, 2)))
        return str(part), part
    value = rng.randint(low, high)
    return spelled(rng, value), value


def amount(rng: Random) -> str:
    """A sum of money without its sign."""
    value = rng.choice((rng.randint(1, 999) * 1000, rng.randint(1000, 999999), rng.randint(20, 250) * 500))
    return rng.choice((f"{value:,}", f"{value:,}", str(value), f"{rng.randint(1, 90)}.{rng.randint(1, 9)} million"))


def small_price(rng: Random) -> str:
    """A price below a few hundred."""
    return rng.choice((str(rng.randint(1, 400)), f"{rng.uniform(1, 400):.2f}", f"{rng.uniform(0.5, 9):.1f}"))


def count(rng: Random) -> str:
    """A count, with thousands set off where it has them."""
    return rng.choice((str(rng.randint(2, 999)), f"{rng.randint(1000, 90000):,}", str(rng.randint(2, 60))))


def counted(rng: Random) -> str:
    """A number in front of things: digits, thousands, or a word."""
    thousands = f"{rng.randint(1, 99)},{rng.randint(100, 999)}"
    return rng.choice((str(rng.randint(2, 99)), thousands, rng.choice(NUMBER_WORDS[2:])))


def phrase(rng: Random) -> str:
    """A few words that name a thing."""
    return invented(rng) if rng.random() < 0.08 else with_slots(rng, "phrase", {})


def quoted(rng: Random) -> Made:
    """A text in quotation marks, and the text."""
    if rng.random() < 0.35:
        text = with_slots(rng, "message", {})
        return rng.choice(('"{}"', "“{}”")).format(text), text
    text = with_slots(rng, "sentence", {})
    return rng.choice(('"{}"', '"{}"', "'{}'", "“{}”", "{}")).format(text), text


def options(rng: Random, known: tuple[str, ...] = ()) -> Made:
    """Several words as people list them, and the list; any words, or some of those given."""
    kinds: tuple[Maker, ...] = (MAKERS["noun"], MAKERS["adj"], lambda r: pick(r, "first_names"))
    makers = (lambda r: filled(r, r.choice(known)),) if known else kinds
    items = list(dict.fromkeys(rng.choice(makers)(rng) for _ in range(rng.randint(2, 4))))
    last = rng.choice((" and ", " and ", ", ", ", and ", " plus ")) if len(items) > 1 else ""
    return ", ".join(items[:-1]) + last + items[-1], items


def email(rng: Random) -> str:
    """An email address."""
    lower = {"first": lambda r: pick(r, "first_names").lower(), "last": lambda r: pick(r, "surnames").lower()}
    return with_slots(rng, "email", lower)


def url(rng: Random) -> str:
    """An address on the web."""
    return with_slots(rng, "url", {"site": lambda r: invented(r, 2) if r.random() < 0.5 else pick(r, "nouns")})


def phone(rng: Random) -> str:
    """A phone number."""
    slots: dict[str, Maker] = {"d": lambda r: str(r.randint(1, 99)), "n": lambda r: str(r.randint(100, 99999))}
    return with_slots(rng, "phone", slots)


def address(rng: Random) -> str:
    """A street with a number."""
    slots: dict[str, Maker] = {"d": lambda r: str(r.randint(1, 199)), "N": lambda r: pick(r, "nouns").capitalize()}
    return with_slots(rng, "address", slots)


def listed_maker(name: str) -> Maker:
    """A maker that picks from a word list."""
    return lambda rng: pick(rng, name)


def makers() -> dict[str, Maker]:
    """What may stand in a slot, by the slot's name; "noun2" is another noun than "noun" within one form."""
    found: dict[str, Maker] = {
        "person": person, "brand": brand, "place": place, "label": label, "invented": lambda r: invented(r),
        "date": month_date, "clock": clock, "clock2": clock, "code": code, "number": lambda r: str(number(r)),
        "n": count, "k": lambda r: str(r.choice((r.randint(2, 30), r.randint(2, 90)))),
        "count": lambda r: str(whole(r)[1]),
        "money": amount, "price": small_price, "score": lambda r: f"{r.uniform(1, 100):.1f}",
        "year": lambda r: str(r.randint(1990, 2030)), "letter": lambda r: r.choice(LETTERS),
        "X": lambda r: pick(r, "nouns").capitalize(), "Y": lambda r: pick(r, "nouns").capitalize(),
        "email": email, "url": url, "phone": phone, "address": address,
        "stem2": lambda r: invented(r).capitalize(),
        "gerund": lambda r: r.choice(("improving", "finishing", "testing", "selling", "building", "making")),
    }  # fmt: skip
    lists = {
        "noun": "nouns",
        "adj": "adjectives",
        "role": "roles",
        "team": "teams",
        "field": "fields",
        "dish": "dishes",
    }
    lists |= {"abstract": "abstract", "language": "languages", "currency": "currencies", "unit": "units", "day": "days"}
    lists |= {"month": "months", "state": "states", "relation": "relations", "when": "times", "zone": "zones"}
    found |= {slot: listed_maker(name) for slot, name in lists.items()}
    again = ("zone", "noun", "adj", "place", "brand", "team", "abstract", "language", "person", "k", "day")
    return found | {f"{slot}{i}": found[slot] for slot in again for i in (2, 3)}


MAKERS = makers()

# Kinds of value whose text is the value itself, for arguments and results.
SAME: dict[str, Maker] = {
    "place": place,
    "person": lambda r: person(r) if r.random() < 0.7 else person(r).split()[0],
    "brand": brand,
    "label": label,
    "date": date,
    "time": clock,
    "code": code,
    "phrase": phrase,
    "task": lambda r: with_slots(r, "task", {}),
    "email": email,
    "url": url,
    "phone": phone,
    "address": address,
    "path": lambda r: with_slots(r, "path", {}),
    "noun": listed_maker("nouns"),
    "word": lambda r: r.choice((pick(r, "nouns"), pick(r, "adjectives"), invented(r))),
    "language": listed_maker("languages"),
    "currency": listed_maker("currencies"),
    "unit": listed_maker("units"),
    "dish": listed_maker("dishes"),
    "room": listed_maker("rooms"),
}
