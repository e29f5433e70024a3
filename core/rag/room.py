"""What the reader is given of what was found: the best first, grown into what stands around them, within some room."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.rag.corpus import Corpus
from core.rag.passages import Hit, Passage

# Which part of the room the best passages may grow into; the others are given as they were found.
_SHARES = (0.38, 0.15)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows of the corpus, best first, their scores, and the place that each stage gave them."""

    rows: tuple[int, ...]
    scores: Mapping[int, float]
    ranks: Mapping[str, Mapping[int, int]]

    def hit(self, row: int, passage: Passage, start: int, end: int, text: str) -> Hit:
        ranks = {stage: places[row] for stage, places in self.ranks.items() if row in places}
        return Hit(passage, self.scores[row], text, start, end, ranks)


def given(corpus: Corpus, ranked: Ranked, k: int, budget: int, widen: bool) -> tuple[tuple[Hit, ...], tuple[Hit, ...]]:
    """The first k passages, grown into what stands around them, and those of them that have no room."""
    hits: list[Hit] = []
    left_out: list[Hit] = []
    taken: set[int] = set()
    room = budget
    for row in ranked.rows:
        if len(hits) == k or len(left_out) == k:
            break
        if row in taken:
            continue
        share = _SHARES[len(hits)] if widen and len(hits) < len(_SHARES) else 0
        first, last = _widened(corpus, ranked, row, taken, round(share * budget))
        hit = _hit(corpus, ranked, row, first, last)
        if len(hit.shown) > room:
            left_out.append(_hit(corpus, ranked, row, row, row))
            continue
        taken.update(range(first, last + 1))
        hits.append(hit)
        room -= len(hit.shown)
    if left_out and not hits:
        # Part of the best is more than nothing.
        best = left_out.pop(0)
        kept = max(0, len(best.text) - max(0, len(best.shown) - room))
        hits.append(replace(best, text=best.text[:kept], end=best.start + kept))
    return tuple(hits), tuple(left_out)


def _hit(corpus: Corpus, ranked: Ranked, row: int, first: int, last: int) -> Hit:
    own = corpus.passages[first : last + 1]
    start, end = min(p.start for p in own), max(p.end for p in own)
    if first == last:
        return ranked.hit(row, own[0], start, end, own[0].text)
    return ranked.hit(row, corpus.passages[row], start, end, corpus.documents[own[0].source].text[start:end])


def _widened(corpus: Corpus, ranked: Ranked, row: int, taken: set[int], most: int) -> tuple[int, int]:
    """The first and last row of `row` and its neighbours in the document, the better ones first, up to `most` long."""
    bounds = corpus.by_source[corpus.passages[row].source]
    return grown(
        row, lambda near: bounds.start <= near < bounds.stop and near not in taken,
        lambda first, last: _length(corpus, first, last) <= most,
        lambda near: (ranked.scores.get(near, -math.inf), near),
    )  # fmt: skip


def grown(
    row: int, free: Callable[[int], bool], fits: Callable[[int, int], bool], worth: Callable[[int], Any]
) -> tuple[int, int]:
    """First and last of `row` and its neighbours, while one is `free` and fits; of two the one that is worth more."""
    first = last = row
    while True:
        beside = [near for near in (first - 1, last + 1) if free(near) and fits(min(first, near), max(last, near))]
        if not beside:
            return first, last
        better = max(beside, key=worth)
        first, last = min(first, better), max(last, better)


def _length(corpus: Corpus, first: int, last: int) -> int:
    own = corpus.passages[first : last + 1]
    return max(p.end for p in own) - min(p.start for p in own)
