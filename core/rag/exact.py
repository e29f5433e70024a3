"""What a text names exactly (numbers, links, e-mail addresses, phone numbers), and what of it no other text holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.values import EMAIL, LINK, NUMBER, numbers, value

ValueKind = Literal["number", "link", "email", "phone"]

_PHONE = re.compile(r"(?<![\w.,-])(?:\+|\(?0)\d(?:[ ()./\u00a0-]{0,2}\d){5,14}(?!\w)")
_ORDER = re.compile(r"(?m)^[ \t]*(?:[-*] +)?\d+[.)](?=\s)")


@dataclass(frozen=True, slots=True)
class Value:
    """A number, link, e-mail address or phone number, `start` to `end` of a text, that no other one holds."""

    start: int
    end: int
    kind: ValueKind


@dataclass(frozen=True, slots=True)
class Named:
    """What a text names: itself in small letters, its numbers' values, and the digits of its phone numbers."""

    text: str
    numbers: frozenset[str]
    phones: frozenset[str]


def named(text: str) -> Named:
    """What `text` names."""
    phones = frozenset(_digits(phone[0]) for phone in _PHONE.finditer(text))
    return Named(text.casefold(), frozenset(numbers(text)), phones)


def unknown(text: str, known: Sequence[Named]) -> Iterator[Value]:
    """The values of `text` that none of `known` holds. Each kind is looked for in what those before it have left."""
    phones = frozenset[str]().union(*(one.phones for one in known))
    figures = frozenset[str]().union(*(one.numbers for one in known))
    kinds: tuple[tuple[ValueKind, re.Pattern[str], Callable[[str], bool]], ...] = (
        ("link", LINK, lambda link: any(_within(link.strip("<>").casefold().rstrip("/"), one.text) for one in known)),
        ("email", EMAIL, lambda address: any(_within(address.casefold(), one.text) for one in known)),
        ("phone", _PHONE, lambda phone: _digits(phone) in phones),
        ("number", NUMBER, lambda number: value(number) in figures),
    )
    for kind, pattern, is_known in kinds:
        if kind == "number":
            text = _ORDER.sub(blank, text)
        for found in pattern.finditer(text):
            if not is_known(found[0]):
                yield Value(found.start(), found.end(), kind)
        text = pattern.sub(blank, text)


def blank(found: re.Match[str]) -> str:
    """Spaces in place of what was found, so that what follows stays where it is."""
    return " " * len(found[0])


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


def _within(value: str, text: str) -> bool:
    """Whether `value` stands in `text`, and not as a part of a longer one."""
    return re.search(rf"(?<![\w@.-]){re.escape(value)}(?![\w@-]|[./]\w)", text) is not None
