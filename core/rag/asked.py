"""What kind of thing a question asks for, by its words alone, and how such a thing looks in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.rag.terms import terms

_MONTH = "(?i:(?:jan|febr)uary|march|april|may|june|july|august|(?:septem|octo|novem|decem)ber)"
_STREET = "(?:Road|Street|Lane|Avenue|Row|Square|Quay|Drive|Place|Close|Terrace|Boulevard|Wharf|Rd|St|Ave)"
_ADDRESS = "|".join(
    (
        rf"\b\d+[a-z]?,? (?:[A-ZÀ-Þ][\w'’.-]* ){{1,3}}{_STREET}\b",
        r"\b(?:[Rr]ue|[Vv]ia|Calle|Avenida|Plaza) (?:[\w'’.-]+ ){1,4}\d",
        r"\b[A-ZÀ-Þ][a-zà-ÿ]{4,} \d+[a-z]?, [A-ZÀ-Þ]",
        # Postcodes of Britain, the Netherlands and Canada.
        r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b\d{4} [A-Z]{2}\b|\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b",
    )
)
# The words of a question, and how that looks which it asks for.
_KINDS = tuple(
    (re.compile(rf"(?i)\b(?:{words})\b"), re.compile(looks))
    for words, looks in (
        (
            "when|date|year|since|until|day",
            rf"\b(?:1[89]|20)\d\d\b|\b\d{{1,2}}:\d\d\b|\b\w+day\b|\b\d{{1,2}} {_MONTH}\b",
        ),
        (
            "how (?:many|much|long|old|far|high|deep|fast|big|often|large|wide|heavy)|number of|percentage|share",
            r"\d",
        ),
        (
            "costs?|price|priced|fee|rent|fine|pay|paid|salary|bonus|sum|budget|cheaper|money|expensive",
            r"[£$€¥]|\b[A-Z]{3} ?\d",
        ),
        ("who|whom|whose", r"[A-ZÀ-Þ][\w'’-]+ [A-ZÀ-Þ]"),
        ("e-?mail|write to", "@"),
        ("(?:tele)?phone|ring|call|number", r"\+?\d[\d ]{6,}"),
        ("url|link|website|web|page|download|online", r"://|\bwww\."),
        ("where|address(?:es)?|located|situated|headquarters", _ADDRESS),
    )
)
# What a question says of the kind alone: "the address of the office" need not be where it says "address".
_ONLY_KIND = frozenset(terms("address addresses phone telephone url link website email e-mail"))


def topics(question: str) -> frozenset[str]:
    """The stems of what a question is about, without those that only tell which kind of thing it asks for."""
    asked = frozenset(terms(question))
    return asked - _ONLY_KIND or asked


def fitting(question: str, parts: Sequence[str]) -> list[float]:
    """For each of `parts` whether it holds what `question` asks for: 0 to 1, more the fewer of them do."""
    kinds = [looks for words, looks in _KINDS if words.search(question)]
    worth = [0.0] * len(parts)
    for looks in kinds:
        held = [looks.search(part) is not None for part in parts]
        rarity = 1 - sum(held) / max(1, len(parts))
        worth = [max(before, rarity * here) for before, here in zip(worth, held, strict=True)]
    return worth
