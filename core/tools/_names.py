"""Finding a thing by the name people type: case, accents, punctuation and small slips are forgiven, a guess is not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# Letters that Unicode does not take apart into a letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})


def plain(name: str) -> str:
    """`name` in small letters without accents, its words parted by single spaces: "  São-Paulo " is "sao paulo"."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", bare.translate(_LETTERS).replace("'", "").replace("’", "")))


def find(name: str, known: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """What `name` may mean: nothing when it is unknown, more than one when it is ambiguous.

    `known` maps plain names to what is called so. Only a name that is not known as it stands is looked for with slips.
    """
    from rapidfuzz.distance import OSA

    asked = plain(name)
    if asked in known:
        return tuple(sorted(known[asked]))
    near: dict[int, set[str]] = {}
    for candidate, things in known.items():
        if candidate[:1] == asked[:1] and (slips := OSA.distance(asked, candidate)) <= _allowed(asked, candidate):
            near.setdefault(slips, set()).update(things)
    return tuple(sorted(near[min(near)])) if near else ()


def _allowed(asked: str, candidate: str) -> int:
    """How many letters may be wrong, missing, added or swapped. Short names differ by one letter: Rome, Lomé, Nome."""
    shorter = min(len(asked), len(candidate))
    return 0 if shorter < 5 else 1 if shorter < 9 else 2
