"""Which part of a passage says what a question asks, token by token: from vectors that were kept when it was read.

The model reads the question and nothing else, so all sentences of ten passages take a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.rag.lookup import Lookup
from core.rag.passages import Hit


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """How near stretches of some hits are to a question.

    For each hit `_alike` has what each of the question's tokens has in common with each of its own (q, m), `_places`
    where those stand in the document (m, 2), and `_above` the best of what the passage stands under (q).
    """

    _weights: NDArray[np.float64]
    _alike: Sequence[NDArray[np.float32]]
    _places: Sequence[NDArray[np.int64]]
    _above: Sequence[NDArray[np.float32]]

    def of(self, number: int, start: int, end: int) -> tuple[float, float]:
        """How near the part `start` to `end` of hit `number` (from 1) is, by itself and with what it stands under."""
        places, alike = self._places[number - 1], self._alike[number - 1]
        inside = (places[:, 0] >= start) & (places[:, 1] <= end)
        own = np.clip(alike[:, inside].max(axis=1, initial=0), 0, 1)
        return float(own @ self._weights), float(np.maximum(own, self._above[number - 1]) @ self._weights)


def nearness(there: Lookup, question: str, hits: Sequence[Hit]) -> Nearness | None:
    """What is near to `question` in `hits`; None where the index has no vectors of tokens."""
    if there.late is None:
        return None
    _, tokens = there.late.model.read([question])
    asked, weights = there.late.asked(tokens[0])
    read = [_read(there, asked, hit) for hit in hits]
    return Nearness(weights, [r[0] for r in read], [r[1] for r in read], [r[2] for r in read])


def _read(
    there: Lookup, asked: NDArray[np.float32], hit: Hit
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    alike, places = [np.zeros((len(asked), 0), np.float32)], [np.zeros((0, 2), np.int64)]
    above = np.zeros(len(asked), np.float32)
    for row in _rows(there, hit):
        passage, late = there.corpus.passages[row], there.late
        if late is None:
            break
        found, before = late.places(passage.shown), len(passage.shown) - len(passage.text)
        near, own = asked @ late.said(row).T, found[:, 1] > before
        above = np.maximum(above, near[:, ~own].max(axis=1, initial=0))
        alike.append(near[:, own])
        places.append(found[own] - before + passage.start)
    return np.concatenate(alike, axis=1), np.concatenate(places), above


def _rows(there: Lookup, hit: Hit) -> list[int]:
    """Where the passages stand that the hit's text holds."""
    own, passages = there.corpus.by_source.get(hit.passage.source, slice(0, 0)), there.corpus.passages
    rows = range(own.start, own.stop)
    return [row for row in rows if hit.start <= passages[row].start and passages[row].end <= hit.end]
