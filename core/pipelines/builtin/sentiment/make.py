"""Sentences with their sentiment, out of forms and word lists; and how many of the evaluation's the head gets right."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from core.pipelines.builtin.forms import chosen, filled, lines, lists

HERE = Path(__file__).parent
LABELS = ["NEGATIVE", "POSITIVE"]


def examples(chance: random.Random, count: int) -> list[tuple[list[str], list[int]]]:
    """So many sentences, each with its label."""
    words, forms = lists(HERE / "words.txt"), lines(HERE / "forms.txt")
    # Most of them are whole sentences of their own: what people mean is seldom said by an adjective.
    whole = [form for form in forms if "{" not in form]
    found = []
    for number in range(count):
        sign, _, form = chance.choice(whole if number % 4 else forms).partition(" ")
        text = "".join(text for text, _ in filled(chosen(form, chance), lambda slot: chance.choice(words[slot])))
        text = text[0].upper() + text[1:] if chance.random() < 0.8 else text.rstrip(".")
        found.append((text.split(), [int(sign == "+")]))
    return found


def cases() -> list[tuple[str, str]]:
    """The evaluation's sentences with their labels."""
    rows = (line.partition(" ") for line in lines(HERE / "evaluation.txt"))
    return [(text, LABELS[sign == "+"]) for sign, _, text in rows]


def evaluate() -> dict[str, Any]:
    """The share that the built-in model gets right, and what it gets wrong."""
    from core.pipelines.sentiment import Scored, sentiment
    from core.pipelines.task import BUILT_IN

    told: list[Any] = []
    sentiment(BUILT_IN, [text for text, _ in cases()], told.append)
    found = {one.number: one for batch in told if isinstance(batch, list) for one in batch if isinstance(one, Scored)}
    wrong = [text for number, (text, label) in enumerate(cases()) if found[number].scores[0][0] != label]
    return {"sentences": len(cases()), "right": 1 - len(wrong) / len(cases()), "wrong": wrong}
