"""The words that a text is about: small letters, without the words that every text has, by their stems."""

from __future__ import annotations

import re
from functools import lru_cache

import Stemmer

# Words of English that tell nothing about what a text is about.
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a about after all also am an and any are as at be been before being but by can could did do does doing "
        "done else ever for from get gets give given got had has have having he her hers him his how i if in into "
        "is it its itself just let long many may me might mine more most much must my no nor not of off often on "
        "one only or other ought our ours out over own per please shall she should so some such tell than that "
        "the their theirs them then there these they this those to too under until up upon us very was we were "
        "what when where which while who whom whose why will with without would you your yours",
    )
)
_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+|,\d{3}(?!\d))*")


def words(text: str) -> list[str]:
    """The words of a text as they stand; codes and names keep their hyphens: "HR-300", "O'Neill"."""
    return _WORD.findall(text)


def terms(text: str) -> list[str]:
    """The stems of what a text is about, in order."""
    small = (word.casefold().replace("’", "'").removesuffix("'s") for word in words(text))
    return [_stem(word) for word in small if word not in COMMON]


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    # A stemmer may serve one thread at a time; making one takes microseconds.
    stem: str = Stemmer.Stemmer("english").stemWord(word)
    return stem
