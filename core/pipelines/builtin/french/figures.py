"""Numbers, prices, clock times and dates in both languages, in words or figures, and names that nobody has."""

from __future__ import annotations

import random
from collections.abc import Callable

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_UNS = (
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze",
    "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
)  # fmt: skip
_DIX = (
    "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt",
)  # fmt: skip
_MONTHS = (
    ("January", "janvier"), ("February", "février"), ("March", "mars"), ("April", "avril"), ("May", "mai"),
    ("June", "juin"), ("July", "juillet"), ("August", "août"), ("September", "septembre"), ("October", "octobre"),
    ("November", "novembre"), ("December", "décembre"),
)  # fmt: skip


def english(number: int) -> str:
    """A number below 1,000 in words."""
    if number >= 100:
        rest = f" and {english(number % 100)}" if number % 100 else ""
        return ("a" if number < 200 else _ONES[number // 100]) + " hundred" + rest
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10 - 2] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def french(number: int) -> str:
    """A number below 1,000 in words."""
    if number >= 100:
        hundreds = ("" if number < 200 else _UNS[number // 100] + " ") + "cent"
        return (
            hundreds
            + ("s" if number >= 200 and not number % 100 else "")
            + (f" {french(number % 100)}" if number % 100 else "")
        )
    if number < 20:
        return _UNS[number]
    ten, rest = _DIX[number // 10 - 2], number % 10 + (10 if number // 10 in (7, 9) else 0)
    if not rest:
        return ten + ("s" if number == 80 else "")
    return ten + (" et " if rest in (1, 11) and number < 80 else "-") + _UNS[rest]


Made = tuple[str, str]  # English, French


def _either(found: int, figures: float, chance: random.Random) -> Made:
    """In figures, with that probability, or in words."""
    return (str(found), str(found)) if chance.random() < figures else (english(found), french(found))


def number(chance: random.Random) -> Made:
    """2 to 99, mostly small; in words or figures."""
    found = chance.choice((chance.randint(2, 12), chance.randint(2, 30), chance.randint(2, 99)))
    return _either(found, 0.35, chance)


def few(chance: random.Random) -> Made:
    """2 to 9."""
    found = chance.randint(2, 9)
    return _either(found, 0.25, chance)


def age(chance: random.Random) -> Made:
    """How old somebody is, in years."""
    found = chance.randint(2, 95)
    return _either(found, 0.4, chance)


def large(chance: random.Random) -> Made:
    """Tens and hundreds and thousands."""
    found = chance.choice(
        (chance.randint(2, 19) * 10, chance.randint(2, 9) * 100, chance.randint(100, 999), chance.randint(2, 90) * 1000)
    )
    if found >= 1000:
        return (f"{found:,}", f"{found:,}".replace(",", " "))
    return _either(found, 0.5, chance)


def price(chance: random.Random) -> Made:
    """So many euros, at times with cents."""
    whole, cents = chance.randint(2, 90), chance.choice((0, 0, 50, 20, 90, 99, 5 * chance.randint(1, 19)))
    if not cents:
        return _of(whole, chance, " euros")
    written = (f"€{whole}.{cents:02}", f"{whole}.{cents:02} euros")[chance.random() < 0.5]
    return written, f"{whole},{cents:02} euros"


def _of(whole: int, chance: random.Random, what: str) -> Made:
    """A number with what is counted."""
    if chance.random() < 0.4:
        return (f"€{whole}" if chance.random() < 0.4 else f"{whole}{what}"), f"{whole}{what}"
    return english(whole) + what, french(whole) + what


def clock(chance: random.Random) -> Made:
    """A time of day: spoken by the half of the day, or in figures."""
    hour, half = chance.randint(1, 12), chance.random()
    said, dit = (
        ("twelve o'clock", "midi")
        if hour == 12 and half < 0.1
        else (english(hour), french(hour) + (" heure" if hour == 1 else " heures"))
    )
    if half < 0.1 and hour == 12:
        return "noon", dit
    if half < 0.35:
        return f"{said} o'clock", dit
    if half < 0.65:
        ending, fin = chance.choice(
            (
                ("half past ", " et demie"),
                ("quarter past ", " et quart"),
                ("ten past ", " dix"),
                ("twenty past ", " vingt"),
                ("five past ", " cinq"),
            )
        )
        return ending + said, dit + fin
    if half < 0.75:
        ending, fin = chance.choice(
            (
                ("quarter to ", " moins le quart"),
                ("ten to ", " moins dix"),
                ("twenty to ", " moins vingt"),
                ("five to ", " moins cinq"),
            )
        )
        return ending + said, dit + fin
    minutes, late = chance.choice((0, 15, 30, 45, chance.randint(1, 59))), chance.random() < 0.5
    shown = f"{hour}:{minutes:02}" if minutes else f"{hour}"
    day = hour % 12 + 12 * late
    return (
        f"{shown} {'pm' if late else 'am'}",
        f"{day} h {minutes:02}" if minutes else f"{day} heure{'s' if day > 1 else ''}",
    )


def date(chance: random.Random) -> Made:
    """A day of the year."""
    day, (month, mois) = chance.randint(1, 28), chance.choice(_MONTHS)
    ending = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    form = chance.choice(
        (f"{month} {day}{ending}", f"the {day}{ending} of {month}", f"{day} {month}", f"{month} {day}")
    )
    return form, f"~le {'1er' if day == 1 else ('*' if day in (8, 11) else '') + str(day)} {mois}"


def year(chance: random.Random) -> Made:
    """A year of the last or of this century."""
    found = str(chance.choice((chance.randint(1950, 2030), chance.randint(1990, 2026))))
    return found, found


_START = (
    "b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "br", "kr",
    "st", "tr", "ch", "sh",
)  # fmt: skip
_MIDDLE = (
    "a", "e", "i", "o", "u", "ai", "ei", "ou", "oo",
)  # fmt: skip
_END = ("n", "r", "s", "k", "ski", "ner", "man", "son", "berg", "ez", "i", "o", "a", "ton", "ley", "wick", "ov", "")


def surname(chance: random.Random) -> Made:
    """A name that the model cannot know: it must be spelt as it is."""
    name = "".join(
        chance.choice(_START) + chance.choice(_MIDDLE) for _ in range(chance.choice((1, 2, 2)))
    ) + chance.choice(_END)
    return name.capitalize(), name.capitalize()


MAKERS: dict[str, Callable[[random.Random], Made]] = {
    "num": number, "few": few, "age": age, "large": large, "price": price, "clock": clock, "date": date,
    "year": year, "surname": surname,
}  # fmt: skip
