"""What a text names exactly, in one spelling so that two texts can be compared: numbers, links, e-mail addresses."""

from __future__ import annotations

import re

NUMBER = re.compile(r"(?<![\w&#])\d+(?:[.,'’\u00a0\u202f]\d+)*")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
LINK = re.compile(r"<?(?:(?:https?|ftp)://|\bwww\.)[^\s<>|\])]*[^\s<>|\]).,;:!?*_'\"]>?", re.IGNORECASE)
_SMALL = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_IN_WORDS = re.compile(rf"(?i)\b(?:({'|'.join(_TENS)})(?:[- ]({'|'.join(_SMALL[1:10])}))?|({'|'.join(_SMALL)}))\b")


def value(number: str) -> str:
    """A number in one spelling: "24,500", "24.500" and "24'500" are 24500, "4,5" is 4.5."""
    groups = re.split(r"[.,'’\u00a0\u202f]", number)
    if len(groups) == 1 or all(len(group) == 3 for group in groups[1:]):
        return str(int("".join(groups)))
    return f"{int(''.join(groups[:-1]))}.{groups[-1]}".rstrip("0").rstrip(".")


def numbers(text: str) -> set[str]:
    """The values of all numbers in a text, those up to ninety-nine in words among them."""
    found = {value(number) for number in NUMBER.findall(text)}
    for tens, unit, small in _IN_WORDS.findall(text):
        whole = 10 * (_TENS.index(tens.lower()) + 2) if tens else 0
        found.add(str(whole + (_SMALL.index((unit or small).lower()) if unit or small else 0)))
    return found
