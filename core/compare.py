"""Judging models side by side: votes as Elo ratings, and whether an answer's numbers are a tool's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import combinations

from core.llm import Conversation

# --- votes ------------------------------------------------------------------------------------------------------------

START = 1000.0  # The rating of a model that nobody has voted on.
K = 32.0  # How far one vote moves a rating at most (Elo 1978, as chess federations use it).


def voted(ratings: Mapping[str, float], models: Iterable[str], best: str | None) -> dict[str, float]:
    """The ratings after a vote: `best` has beaten each of the other `models`; None is a draw between all of them.

    Every pair counts with the ratings before the vote, so that their order changes nothing; the sum stays as it was.
    """
    after = {model: ratings.get(model, START) for model in dict.fromkeys(models)}
    before = dict(after)
    for first, second in combinations(before, 2):
        if best is not None and best not in (first, second):
            continue
        scored = 0.5 if best is None else float(first == best)
        moved = K * (scored - expected(before[first], before[second]))
        after[first] += moved
        after[second] -= moved
    return {**ratings, **after}


def expected(rating: float, other: float) -> float:
    """The share of votes that a model of `rating` should win against one of `other` (Elo's logistic curve)."""
    return 1 / (1 + 10 ** ((other - rating) / 400))


# --- numbers ----------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_COUNTING = re.compile(r"^\s*(?:\d+[.)]|[-*])\s+", re.MULTILINE)  # The numbers of a list are nobody's.


def invented(conversation: Conversation) -> list[str] | None:
    """The numbers of the last answer that no tool and no question gave; None where no tool was called.

    A number that rounds one that was given is not invented.
    """
    results = [m.tool_result.content for m in conversation if m.tool_result is not None]
    if not results:
        return None
    given = {_value(found) for text in (*results, *_said(conversation, "user")) for found in _NUMBER.findall(text)}
    answer = _COUNTING.sub("", next(iter(reversed(_said(conversation, "assistant"))), ""))
    return [found for found in _NUMBER.findall(answer) if not _is_one_of(found, given)]


def _said(conversation: Conversation, role: str) -> list[str]:
    return [message.text for message in conversation if message.role == role]


def _value(written: str) -> float:
    return float(written.replace(",", ""))


def _is_one_of(written: str, given: set[float]) -> bool:
    places = len(written.partition(".")[2])
    return any(round(value, places) == _value(written) for value in given)
