"""Sentences with their sentiment, out of forms and word lists; and how many of the evaluation's the head gets right."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.pipelines.builtin.forms import chosen, filled, lines, lists

HERE = Path(__file__).parent
LABELS = ["NEGATIVE", "POSITIVE"]


def examples(chance: random.Random, count: int) -> list[tuple[list[str], list[int]]]:
    """So many sentences, each with its label: those written whole, but for `development`, and the rest out of forms."""
    whole = [text for place, text in enumerate(lines(HERE / "sentences.txt")) if not _kept_back(place)]
    made = [*whole, *_out_of_forms(chance, count - len(whole))]
    return [(text.split(), [int(sign == "+")]) for sign, _, text in (line.partition(" ") for line in made)]


def _out_of_forms(chance: random.Random, count: int) -> list[str]:
    words, forms = lists(HERE / "words.txt"), lines(HERE / "forms.txt")
    plain, slotted = [form for form in forms if "{" not in form], [form for form in forms if "{" in form]
    # Most of them are whole sentences of their own: what people mean is seldom said by an adjective.
    picked = [chance.choice(plain if number % 4 else slotted) for number in range(count)]
    return [
        "".join(text for text, _ in filled(chosen(one, chance), lambda s: chance.choice(words[s]))) for one in picked
    ]


def _kept_back(place: int) -> bool:
    """Whether a line is not learnt; both of a pair are kept back, for one of them would give the other away."""
    return place // 2 % 10 == 9


def development() -> list[tuple[str, str]]:
    """The sentences that choices of training are made with, as those of `cases`."""
    return _labelled(line for place, line in enumerate(lines(HERE / "sentences.txt")) if _kept_back(place))


def cases(which: str = "evaluation") -> list[tuple[str, str]]:
    """Sentences to be measured on with their labels: the hard ones of "evaluation", or the "ordinary" ones."""
    return _labelled(lines(HERE / f"{which}.txt"))


def _labelled(rows: Iterable[str]) -> list[tuple[str, str]]:
    return [(text, LABELS[sign == "+"]) for sign, _, text in (row.partition(" ") for row in rows)]


def evaluate() -> dict[str, Any]:
    """The shares that the built-in model gets right."""
    measured = {"hard": cases(), "ordinary": cases("ordinary"), "development": development()}
    return {name: {"sentences": len(rows), "right": round(right(rows), 4)} for name, rows in measured.items()}


def right(wanted: list[tuple[str, str]]) -> float:
    """The share of these sentences whose label the built-in model finds."""
    from core.pipelines.sentiment import sentiment
    from core.pipelines.task import BUILT_IN, gathered

    found = gathered(lambda tell: sentiment(BUILT_IN, [text for text, _ in wanted], tell))
    count: int = sum(one.scores[0][0] == label for one, (_, label) in zip(found, wanted, strict=True))
    return count / len(wanted)
