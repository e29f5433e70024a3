"""Finding passages: by meaning and by words, put in order token by token, and given with what stands around them.

1. Misspelt words are set right.
2. Vectors and BM25 each bring candidates; both scores, each divided by its best, are added up.
3. Late interaction orders the candidates (late.py), with some of the vectors' score and a little of the words'.
4. A passage gains when others of its document fit too: questions are about things, and documents are as well.
5. The reader's room goes to the best ones first: they grow into what stands around them.

5 is room.py. The numbers here and there were chosen by what core/rag/README.md measures.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import BadSetting
from core.rag.corpus import Corpus
from core.rag.embedding import States
from core.rag.lookup import Lookup
from core.rag.passages import Hit
from core.rag.room import Ranked, given

Mode = Literal["hybrid", "vector", "keyword"]
Scores = NDArray[np.float32]
# Puts passages in another order: (query, texts) -> a score for each. A cross-encoder, where there is one.
Reranker = Callable[[str, Sequence[str]], Sequence[float]]

_DEPTH = 100  # candidates that each of the two searches brings
_RERANKED = 100  # of these, how many are looked at token by token
_WORDS, _VECTORS = 0.2, 0.3  # the words' and the vectors' part in the order of those


@dataclass(frozen=True, slots=True)
class Search:
    """How to search. `k` passages within `budget` characters in all, from `sources` and `doc_types` if any are given.

    `weight` is that of the words against 1 of the vectors; `late` puts candidates in order token by token, `company` is
    how much of its document's next two passages a passage gains, `widen` grows the best ones. With `diversity` (0 to 1)
    a passage much like one before it comes later: maximal marginal relevance of Carbonell and Goldstein (1998).
    Raises BadSetting.
    """

    k: int = 10
    mode: Mode = "hybrid"
    budget: int = 6_500
    weight: float = 1.0
    diversity: float = 0.0
    correct: bool = True
    late: bool = True
    company: float = 0.2
    widen: bool = True
    sources: tuple[str, ...] = ()
    doc_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise BadSetting(f"The mode must be one of {', '.join(get_args(Mode))}.")
        for name, value, low, high in (
            ("k", self.k, 1, 100),
            ("The budget", self.budget, 200, 1_000_000),
            ("The weight of the words", self.weight, 0, 10),
            ("The company", self.company, 0, 1),
            ("The diversity", self.diversity, 0, 1),
        ):
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not number or not low <= value <= high:
                raise BadSetting(f"{name} must be between {low:,} and {high:,}.")
        if not isinstance(self.k, int) or not isinstance(self.budget, int):
            raise BadSetting("k and the budget must be whole numbers.")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `query_used` is what was searched for, `corrected` the words set right in it.

    `best` is the cosine between the query and the passage most like it. `left_out` were found and had no room.
    `timings` are in milliseconds, by stage.
    """

    query: str
    query_used: str
    hits: tuple[Hit, ...]
    best: float = 0.0
    corrected: tuple[tuple[str, str], ...] = ()
    left_out: tuple[Hit, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)


class _Clock:
    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = (now - self._last) * 1_000
        self._last = now


def search(there: Lookup, query: str, wish: Search = Search(), reranker: Reranker | None = None) -> Found:
    """The passages that answer `query`, best first. It blocks for the query's embedding. Raises AppError.

    `reranker` has the last word on the order of the first 20, where one is given.
    """
    clock = _Clock()
    used, corrected = there.words.corrected(query) if wish.correct else (query, ())
    clock.lap("spelling")
    among = there.corpus.chosen(wish.sources, wish.doc_types)
    vector, tokens = _read(there, used, wish)
    clock.lap("embedding")
    near = there.corpus.nearest(vector, _DEPTH, among) if used.strip() else []
    clock.lap("vectors")
    said = _said(there, used, among)
    clock.lap("words")
    ranked = _ordered(there, tokens, vector, near, said, wish)
    clock.lap("order")
    if reranker is not None:
        ranked = _reranked(there, used, ranked, reranker)
        clock.lap("reranking")
    hits, left_out = given(there.corpus, ranked, wish.k, wish.budget, wish.widen)
    clock.lap("room")
    best = near[0][1] if near else 0.0
    return Found(query, used, hits, best, corrected, left_out, clock.timings)


def _read(there: Lookup, query: str, wish: Search) -> tuple[Scores, States | None]:
    """The query's vector, and its tokens where they are needed: in one pass of the model."""
    if wish.mode == "hybrid" and wish.late and there.late is not None:
        vectors, tokens = there.late.model.read([query])
        return vectors[0], tokens[0]
    return there.corpus.embedder.embed([query], query=True)[0], None


# --- candidates -------------------------------------------------------------------------------------------------------


def _said(there: Lookup, query: str, among: Sequence[slice] | None) -> Scores:
    """BM25 of every passage, 0 for those that the filter leaves out."""
    scores = there.words.scores(query)
    if among is None:
        return scores
    kept = np.zeros_like(scores)
    for part in among:
        kept[part] = scores[part]
    return kept


def _ordered(
    there: Lookup, tokens: States | None, vector: Scores, near: Sequence[tuple[int, float]], said: Scores, wish: Search
) -> Ranked:
    by_vector = [row for row, _ in near]
    top = np.argpartition(-said, _DEPTH)[:_DEPTH] if len(said) > _DEPTH else np.arange(len(said))
    by_words = [int(row) for row in top[np.argsort(-said[top], kind="stable")] if said[row] > 0]
    ranks = {"vector": _places(by_vector), "keyword": _places(by_words)}
    if wish.mode == "vector":
        return Ranked(tuple(by_vector), dict(near), ranks)
    if wish.mode == "keyword":
        return Ranked(tuple(by_words), {row: float(said[row]) for row in by_words}, ranks)
    rows = np.array(list(dict.fromkeys((*by_vector, *by_words))), np.int64)
    if not len(rows):
        return Ranked((), {}, ranks)
    alike, words = there.corpus.vectors[rows] @ vector, _of_best(said[rows])
    fused = _of_best(alike) + wish.weight * words
    order = np.argsort(-fused, kind="stable")[:_RERANKED]
    rows, alike, fused, words = rows[order], alike[order], fused[order], words[order]
    ranks["fused"] = _places(rows.tolist())
    scores = _of_best(fused)
    if tokens is not None and there.late is not None:
        by_token = there.late.scores(tokens, rows.tolist())
        scores = _above(by_token) + _VECTORS * _above(alike) + _WORDS * wish.weight * words
    scores = scores + wish.company * _company([there.corpus.passages[row].source for row in rows], scores)
    order = np.argsort(-scores, kind="stable")
    ranked = _diverse(there.corpus, rows[order].tolist(), scores[order], wish.diversity)
    ranks["reranked"] = _places(ranked)
    return Ranked(tuple(ranked), dict(zip(rows.tolist(), scores.tolist(), strict=True)), ranks)


def _places(rows: Sequence[int]) -> dict[int, int]:
    return {row: place for place, row in enumerate(rows, 1)}


def _of_best(scores: Scores) -> Scores:
    """Scores from 0 to 1: a share of the best."""
    above = np.clip(scores, 0, None)
    return above / max(float(above.max(initial=0)), 1e-9)


def _above(scores: Scores) -> Scores:
    """Scores from 0, the worst, to 1. Every passage is somewhat like any question: what counts is by how much more."""
    return _of_best(scores - scores.min())


def _company(sources: Sequence[str], scores: Scores) -> Scores:
    """For each passage the sum of the second and third best scores in its document."""
    own: dict[str, list[float]] = defaultdict(list)
    for source, score in zip(sources, scores.tolist(), strict=True):
        own[source].append(score)
    next_two = {source: sum(sorted(values, reverse=True)[1:3]) for source, values in own.items()}
    return np.array([next_two[source] for source in sources], np.float32)


def _diverse(corpus: Corpus, rows: list[int], scores: Scores, diversity: float) -> list[int]:
    if not diversity or len(rows) < 2:
        return rows
    vectors, worth = corpus.vectors[rows], _of_best(scores)
    chosen, closest = [0], vectors @ vectors[0]
    while len(chosen) < len(rows):
        marginal = (1 - diversity) * worth - diversity * closest
        marginal[chosen] = -np.inf
        chosen.append(int(marginal.argmax()))
        closest = np.maximum(closest, vectors @ vectors[chosen[-1]])
    return [rows[number] for number in chosen]


_CROSSED = 20


def _reranked(there: Lookup, query: str, ranked: Ranked, reranker: Reranker) -> Ranked:
    first, rest = ranked.rows[:_CROSSED], ranked.rows[_CROSSED:]
    scores = reranker(query, [there.corpus.passages[row].shown for row in first])
    again = [row for _, row in sorted(zip(scores, first, strict=True), key=lambda pair: -pair[0])]
    rows = (*again, *rest)
    return Ranked(rows, ranked.scores, {**ranked.ranks, "reranked": _places(rows)})


def results(found: Found) -> Iterator[Mapping[str, object]]:
    """Each hit as a JSON object, as `/search` gives it."""
    for rank, hit in enumerate(found.hits, 1):
        passage = hit.passage
        yield {
            "rank": rank,
            "score": round(hit.score, 4),
            "source": passage.source,
            "doc_type": passage.doc_type,
            "title": passage.title,
            "heading": passage.heading,
            "page": passage.page,
            "start": hit.start,
            "end": hit.end,
            "text": hit.text,
            "ranks": dict(hit.ranks),
        }
