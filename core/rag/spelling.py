"""Misspelt words of a question, set right by the words of a corpus and by English as the embedding model knows it.

A word is misspelt when neither has it, nor the word that it is a regular form of ("mending" is no misspelt "ending").
What was meant is found as Kernighan, Church and Gale do, "A Spelling Correction Program Based on a Noisy Channel Model"
(1990): by how likely the slip is, and how usual the word.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain

from core.rag.terms import COMMON, words

# From how many letters on a word may have how many of them wrong. Shorter words have too many neighbours.
_EDITS = {4: 1, 6: 2}
# How unlikely a slip is, as a logarithm: a letter too few, doubled, or two swapped; one of those beside it on the
# keyboard; any other. More where the first letter is wrong.
_LIKELY, _BESIDE, _OTHER, _FIRST = 2.5, 3.5, 4.5, 1.5
_KEYS = {letter: (row, place) for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
         for place, letter in enumerate(keys)}  # fmt: skip
# How much likelier than English at large the words of the corpus are: questions are about what it holds.
_OWN = 4.0
_LETTERS = re.compile(r"[^\W\d_]+")


def corrected(query: str, seen: Mapping[str, int]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`query` with misspelt words set right, and which were; `seen` counts the words of the corpus in small letters.

    One letter may be wrong, two from six letters on. English without the corpus helps only where the query is English.
    """
    asked = words(query)
    english = any(word.casefold() in COMMON for word in asked)
    changed: dict[str, str] = {}
    for word in dict.fromkeys(asked):
        if not _known(word.casefold(), seen):
            right = _LETTERS.sub(lambda part: _right(part[0], seen, english), word)
            if right != word:
                changed[word] = right
    for wrong, right in changed.items():
        query = re.sub(rf"(?<!\w){re.escape(wrong)}(?!\w)", right, query)
    return query, tuple(changed.items())


def _right(part: str, seen: Mapping[str, int], english: bool) -> str:
    """The part of a word as it should be: itself where it is known, too short, or like nothing that is."""
    small = part.casefold()
    is_name_in_letters = len(part) > 1 and part.isupper()
    if len(small) < min(_EDITS) or is_name_in_letters or _known(small, seen):
        return part
    best = min(_candidates(small, seen, english), key=lambda found: found[1], default=(small, 0.0))[0]
    return part if best == small else best.capitalize() if part[:1].isupper() else best


def _candidates(word: str, seen: Mapping[str, int], english: bool) -> Iterator[tuple[str, float]]:
    """Words that may have been meant, with how unlikely each is."""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    most = max(edits for letters, edits in _EDITS.items() if len(word) >= letters)
    own = extract(word, seen.keys(), scorer=OSA.distance, score_cutoff=most, limit=20)
    # Few words of English at large are meant, so it takes a slight slip to be one of them.
    other = extract(word, _english().keys(), scorer=OSA.distance, score_cutoff=1, limit=20) if english else []
    for found in dict.fromkeys(hit[0] for hit in chain(own, other)):
        if found.isalpha() and len(found) > 2:
            yield found, _slip(word, found) - _usual(found, seen)


def _slip(written: str, meant: str) -> float:
    from rapidfuzz.distance import OSA

    first = _FIRST if written[0] != meant[0] else 0.0
    distance = OSA.distance(written, meant)
    if _single(written) == _single(meant) or (distance == 1 and len(written) < len(meant)):
        return _LIKELY + first
    if distance > 1 or len(written) != len(meant):
        return _OTHER * distance + first
    if sorted(written) == sorted(meant):
        return _LIKELY + first
    wrong = next(pair for pair in zip(written, meant, strict=True) if pair[0] != pair[1])
    return (_BESIDE if _are_beside(*wrong) else _OTHER) + first


def _are_beside(one: str, other: str) -> bool:
    """Whether two letters are neighbours on a keyboard."""
    if one not in _KEYS or other not in _KEYS:
        return False
    return all(abs(a - b) <= 1 for a, b in zip(_KEYS[one], _KEYS[other], strict=True))


def _single(word: str) -> str:
    return re.sub(r"(.)\1", r"\1", word)


def _usual(word: str, seen: Mapping[str, int]) -> float:
    """How usual a word is, as a logarithm: by its count in the corpus, or its place among those of English."""
    english = -math.log(1 + _english().get(word, 30_000) / 1_000)
    return max(english, _OWN - 3 + math.log(seen[word]) / 2) if word in seen else english


def _known(word: str, seen: Mapping[str, int]) -> bool:
    """Whether the corpus or English has the word, or the one that it is a regular form of."""
    return any(form in seen or form in COMMON or form in _english() for form in _forms(word))


# Endings of regular forms, and what stood in their place: "tries", "loved", "boldly", "Omani".
_ENDINGS = (
    ("'s", ""), ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ied", "y"), ("ing", ""), ("ing", "e"),
    ("er", ""), ("er", "e"), ("ers", ""), ("ers", "e"), ("est", ""), ("est", "e"), ("ly", ""), ("ness", ""),
    ("able", ""), ("able", "e"), ("less", ""), ("i", ""), ("an", ""), ("ian", ""),
)  # fmt: skip
# Beginnings, and from how many letters on the rest is a word of its own: "refund", and no "presure".
_BEGINNINGS = {"re": 4, "un": 4, "non": 4, "pre": 5, "mis": 5}
# How many letters a word has that has other forms: of shorter ones nearly everything is a form.
_BARE, _BARE_BEFORE_VOWEL = 4, 3
# A last letter is doubled after one vowel alone: "running", and no "chairring".
_DOUBLING = re.compile(r"(?:^|[^aeiou])[aeiou]([bdgklmnprt])\1$")
_HISSING = ("s", "x", "z", "h", "o")


def _forms(word: str) -> Iterator[str]:
    """The word, what it may be a form of, and what may be a form of it."""
    yield word
    if word.endswith("e"):
        yield word + "d"
    yield from _begun(word)
    for ending, before in _ENDINGS:
        stem = word.removesuffix(ending) + before
        if not word.endswith(ending) or (ending == "es" and not stem.endswith(_HISSING)):
            continue
        vowel = ending in ("es", "ed", "ing", "er")
        if vowel and not before and _DOUBLING.search(stem):
            yield stem[:-1]
        if len(stem) >= (_BARE_BEFORE_VOWEL if vowel and not before else _BARE):
            yield stem
            yield from _begun(stem)


def _begun(stem: str) -> Iterator[str]:
    bare = (
        (stem.removeprefix(beginning), least) for beginning, least in _BEGINNINGS.items() if stem.startswith(beginning)
    )
    return (form for form, least in bare if len(form) >= least)


@cache
def _english() -> Mapping[str, int]:
    """The whole words that the bundled embedding model was given, well-known names among them; the usual ones first."""
    from core.rag.minilm import model_folder

    pieces = json.loads((model_folder() / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    return {piece: number for piece, number in pieces.items() if piece.isalpha() and len(piece) > 2}
