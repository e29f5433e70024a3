"""A text in sentences and what stands between them, so that it can be put together again as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, or what stands between two and is kept as it is."""

    text: str
    is_sentence: bool


_LONGEST = 500  # Characters of a piece: models have seen sentences, and no page without a full stop.


def pieces(text: str, language: str) -> Iterator[Piece]:
    """`text` in sentences and what is between them; all pieces together are `text`."""
    from sentencex import segment

    for line in re.split(r"(\r\n|[\r\n\u2028\u2029])", text):
        if not line.strip():
            yield Piece(line, False)
            continue
        for sentence in segment(language, line):
            yield from _parts(sentence)


def _parts(sentence: str) -> Iterator[Piece]:
    """A sentence without the blanks around it, cut where it is too long; no letter, no sentence."""
    for part in re.findall(rf"\s*\S(?s:.){{0,{_LONGEST - 1}}}(?:(?=\s)|$)|(?s:.){{1,{_LONGEST}}}", sentence):
        bare = part.strip()
        before = part[: len(part) - len(part.lstrip())]
        yield Piece(before, False)
        yield Piece(bare, any(map(str.isalpha, bare)))
        yield Piece(part[len(before) + len(bare) :], False)
