"""Sentences with their entities, out of forms and word lists; and how many of the evaluation's the head finds."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from core.pipelines.builtin.forms import chosen, filled, lines, lists

HERE = Path(__file__).parent
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"]
_WORD = re.compile(r"\w+|[^\w\s]")
_MARK = re.compile(r"\[([A-Z]+) ([^\]]+)\]")
_ARTICLE = re.compile(r"^(the|The|Mr|Professor|Detective|Señora|Dame|Grandpa|Baby|Queen) ")
# How the names in a sentence come about: (how often, form). "=" begins what is a name.
_NAMES = {
    "person": [
        (50, "={first} {last}"), (22, "={first}"), (12, "{title} ={last}"), (5, "{title} ={first} {last}"),
        (4, "={first} {initial}. {last}"), (4, "={initial}. {last}"), (3, "={last}"),
        (3, "={first}-{first} {last}"), (3, "={first} {last}-{last}"), (3, "={first} {last} {last}"),
        (2, "{title} ={first}"), (3, "{kin} ={first}"),
    ],
    "place": [
        (42, "={city}"), (28, "={country}"), (9, "={region}"), (6, "={city}, ={country}"), (3, "the ={water}"),
        (2, "the ={mountain}"), (4, "={street}"), (3, "={side} {city}"), (2, "={side} {country}"),
        (1, "Lake ={last}"), (2, "={saint}"),
    ],
    "org": [
        (38, "={company}"), (12, "={start} {end}"), (6, "={last} {end}"), (5, "={last} & {last}"),
        (4, "={company} {legal}"), (4, "={last} {legal}"), (16, "{body}"), (4, "the ={university} of {city}"),
        (3, "={city} University"), (4, "the ={ministry} of {field}"), (2, "={bank} of {country}"),
        (3, "={city} City Council"), (3, "={letters}"), (2, "the ={last} Foundation"), (3, "={club}"),
    ],
}  # fmt: skip
_SMALL = {
    "side": ["North", "South", "East", "West", "Upper", "Old", "Central"],
    "saint": ["St Ives", "San Marino", "St Petersburg", "Santa Fe", "Sankt Gallen", "San Juan", "St Lucia"],
    "university": ["University", "Bank", "Museum", "Archdiocese", "Port Authority"],
    "ministry": ["Ministry", "Department"],
    "bank": ["Bank", "National Bank", "Central Bank"],
}
_KINDS = {"person": "PER", "place": "LOC", "org": "ORG", "club": "ORG", "water": "LOC", "mountain": "LOC"}
_KINDS |= {"street": "LOC"}

# A sentence and its entities: (start, end, label), in characters.
Marked = tuple[str, list[tuple[int, int, str]]]


def examples(chance: random.Random, count: int) -> list[tuple[list[str], list[int]]]:
    """So many sentences as words, each word with its label."""
    words, forms = lists(HERE / "words.txt") | _SMALL, lines(HERE / "forms.txt")
    return [_labelled(sentence(chance.choice(forms), words, chance)) for _ in range(count)]


def sentence(form: str, words: dict[str, list[str]], chance: random.Random) -> Marked:
    """The form with names in it, and where they stand."""
    text, spans = "", list[tuple[int, int, str]]()
    for piece, slot in filled(chosen(form, chance), lambda slot: _filling(slot, words, chance)):
        for part in piece.split("\x00"):
            if part.startswith("="):
                spans.append((len(text), len(text) + len(part) - 1, _KINDS[slot]))
                part = part[1:]
            text += part
    return text, spans


def _filling(slot: str, words: dict[str, list[str]], chance: random.Random) -> str:
    """What a slot is filled with; names lie between NUL characters and begin with "="."""
    if slot not in _KINDS:
        return chance.choice(words[slot])
    ways = _NAMES.get(slot, [(1, f"={{{slot}}}")])
    way = chance.choices([form for _, form in ways], [often for often, _ in ways])[0]
    name = re.sub(r"\{(\w+)\}", lambda found: _word(found[1], words, chance), way)
    if slot == "org" and "=" not in name:
        name = f"={name}"
    name = re.sub(r"=the ", "the =", name)
    return re.sub(r"=([^=]*?)(?=, =|$)", "\x00=\\1\x00", name)


def _word(name: str, words: dict[str, list[str]], chance: random.Random) -> str:
    if name == "initial":
        return chance.choice("ABCDEFGHIJKLMNOPRSTVW")
    if name == "letters":
        return "".join(chance.choice("ABCDEFGHIKLMNOPRSTUVW") for _ in range(chance.choice((3, 3, 4))))
    return chance.choice(words[name])


def _labelled(marked: Marked) -> tuple[list[str], list[int]]:
    text, spans = marked
    words, labels = list[str](), list[int]()
    for word in _WORD.finditer(text):
        here = next(((start, label) for start, end, label in spans if start <= word.start() < end), None)
        words.append(word[0])
        inside = here is not None and here[0] != word.start()
        labels.append(LABELS.index(f"{'I' if inside else 'B'}-{here[1]}") if here else 0)
    return words, labels


def cases() -> list[Marked]:
    """The evaluation's sentences; articles and titles before a name are no part of it."""
    found = []
    for line in lines(HERE / "evaluation.txt"):
        text, spans, at = "", list[tuple[int, int, str]](), 0
        for mark in _MARK.finditer(line):
            text += line[at : mark.start()]
            before = _ARTICLE.match(mark[2])
            spans.append((len(text) + (len(before[0]) if before else 0), len(text) + len(mark[2]), mark[1]))
            text, at = text + mark[2], mark.end()
        found.append((text + line[at:], spans))
    return found


def evaluate() -> dict[str, Any]:
    """Precision, recall and F1 over whole entities: both ends and the label must be right."""
    from core.pipelines.entities import entities
    from core.pipelines.task import BUILT_IN, gathered

    found = gathered(lambda tell: entities(BUILT_IN, [text for text, _ in cases()], tell))
    right = given = wanted = 0
    wrong = []
    for number, (text, spans) in enumerate(cases()):
        mine = {(one.start, one.end, one.label) for one in found[number].entities}
        right, given, wanted = right + len(mine & set(spans)), given + len(mine), wanted + len(spans)
        if mine != set(spans):
            wrong.append(f"{text} -> {', '.join(f'{text[a:b]} ({label})' for a, b, label in sorted(mine))}")
    precision, recall = right / max(given, 1), right / wanted
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"sentences": len(cases()), "precision": precision, "recall": recall, "f1": f1, "wrong": wrong}
