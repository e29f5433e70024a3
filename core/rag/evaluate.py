"""How good a search is: questions with known answers are searched for, and what comes back is measured.

A keyword is a part of the answer, found in a passage by its letters, capitals aside. For each keyword the rank of the
first passage that holds it counts (MRR), where all that hold it stand (nDCG), and whether any does (coverage); these
are averaged over a question's keywords, then over questions. Järvelin and Kekäläinen, "Cumulated gain-based evaluation
of IR techniques" (2002); Voorhees, "The TREC-8 Question Answering Track Report" (1999); Efron, "Bootstrap Methods"
(1979).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Any

import numpy as np

from core.errors import BadSetting
from core.rag.lookup import Lookup
from core.rag.passages import Report
from core.rag.search import Found, Search, search

SHORT = 4_000  # characters: whole documents cover much, so coverage is told for little room too
_DRAWS = 2_000
_SHUFFLES = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answer is known. Without keywords it is one that the documents do not answer."""

    question: str
    keywords: tuple[str, ...] = ()
    reference_answer: str = ""
    category: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """One question's figures, each from 0 to 1 but `characters` and `milliseconds`.

    `recall` is the share of its sources among those found, `coverage` that of its keywords, `coverage_short` the same
    within the first 4,000 characters.
    """

    mrr: float
    ndcg: float
    recall: float
    coverage: float
    coverage_short: float
    characters: float
    milliseconds: float = 0.0


METRICS = tuple(field.name for field in fields(Measure))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, what was found for it, and how good that is; None where nothing should have been found."""

    question: Question
    found: Found
    measure: Measure | None

    @property
    def missing(self) -> tuple[str, ...]:
        """The keywords that no passage holds."""
        texts = [hit.shown.lower() for hit in self.found.hits]
        return tuple(word for word in self.question.keywords if not any(word.lower() in text for text in texts))


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and between which two values 95 of 100 bootstrap samples have theirs."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a set of questions says of a search. `floor` and `ceiling` are means by metric.

    The floor is what passages drawn at random reach, the ceiling the best possible choice and order of passages.
    """

    outcomes: tuple[Outcome, ...]
    floor: Mapping[str, float]
    ceiling: Mapping[str, float]

    def table(self) -> dict[str, dict[str, Interval]]:
        """By category, "all" first, each metric with its interval."""
        rows = [(outcome.question.category, outcome.measure) for outcome in self.outcomes if outcome.measure]
        groups = {"all": [measure for _, measure in rows]}
        for category in dict.fromkeys(category for category, _ in rows if category):
            groups[category] = [measure for own, measure in rows if own == category]
        return {name: {metric: _interval(metric, own) for metric in METRICS} for name, own in groups.items() if own}


# --- the questions ----------------------------------------------------------------------------------------------------


def questions(text: str) -> tuple[Question, ...]:
    """Questions as JSONL, a JSON object in each line: `question`, and what else a Question has.

    Those with a `history` are follow-ups, which no search answers alone: they are left out. Raises BadSetting naming
    the line that cannot be read.
    """
    read = [_question(line, number) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    found = tuple(question for question in read if question is not None)
    if not found:
        raise BadSetting("There is no question in this file. It needs one JSON object in each line.")
    return found


def _question(line: str, number: int) -> Question | None:
    try:
        row: dict[str, Any] = json.loads(line)
        if row.get("history"):
            return None
        texts = [str(row[name]) if name == "question" else str(row.get(name, "")) for name in _TEXTS]
        lists = [tuple(map(str, _listed(row.get(name, ())))) for name in ("keywords", "sources")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadSetting(
            f'Line {number} is no question: it needs to be a JSON object like {{"question": "…", "keywords": ["…"]}}.'
        ) from error
    return Question(texts[0], lists[0], texts[1], texts[2], lists[1])


_TEXTS = ("question", "reference_answer", "category")


def _listed(value: object) -> Iterable[object]:
    if not isinstance(value, list | tuple):
        raise TypeError
    return value


# --- measuring --------------------------------------------------------------------------------------------------------


def evaluate(there: Lookup, asked: Sequence[Question], wish: Search, report: Report) -> Evaluation:
    """Search for every question. `report` is called for each and may raise to stop. Raises AppError."""
    outcomes = []
    for number, question in enumerate(asked):
        report(number / len(asked), f"Question {number + 1:,} of {len(asked):,}")
        outcomes.append(_outcome(there, question, wish))
    known = [question for question in asked if question.keywords]
    floor, ceiling = _bounds(there, known, wish.k)
    return Evaluation(tuple(outcomes), floor, ceiling)


def _outcome(there: Lookup, question: Question, wish: Search) -> Outcome:
    started = time.perf_counter()
    found = search(there, question.question, wish)
    spent = (time.perf_counter() - started) * 1_000
    if not question.keywords:
        return Outcome(question, found, None)
    texts = [hit.shown for hit in found.hits]
    return Outcome(question, found, measured(question, texts, [hit.passage.source for hit in found.hits], spent))


def measured(question: Question, texts: Sequence[str], sources: Sequence[str], milliseconds: float = 0.0) -> Measure:
    """The figures of `texts` from `sources`, best first, as an answer to `question`, which has keywords."""
    small = [text.lower() for text in texts]
    held = [[word.lower() in text for text in small] for word in question.keywords]
    ends = np.cumsum([len(text) for text in texts])
    short = int(np.searchsorted(ends, SHORT, side="right"))
    return Measure(
        mrr=_mean(1 / (row.index(True) + 1) if any(row) else 0.0 for row in held),
        ndcg=_mean(_ndcg(row) for row in held),
        recall=_mean(source in sources for source in question.sources) if question.sources else math.nan,
        coverage=_mean(any(row) for row in held),
        coverage_short=_mean(any(row[:short]) for row in held),
        characters=float(sum(map(len, texts))),
        milliseconds=milliseconds,
    )


def _mean(values: Iterable[float]) -> float:
    return float(np.mean([float(value) for value in values]))


def _ndcg(held: Sequence[bool]) -> float:
    gains = [hit / math.log2(place + 2) for place, hit in enumerate(held)]
    best = sum(1 / math.log2(place + 2) for place in range(sum(held)))
    return sum(gains) / best if best else 0.0


def _interval(metric: str, measures: Sequence[Measure]) -> Interval:
    values = np.array([getattr(measure, metric) for measure in measures])
    values = values[~np.isnan(values)]
    if not len(values):
        return Interval(math.nan, math.nan, math.nan)
    draws = np.random.default_rng(0).choice(values, (_DRAWS, len(values))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))


def _bounds(there: Lookup, asked: Sequence[Question], k: int) -> tuple[dict[str, float], dict[str, float]]:
    """What chance reaches on these questions, and what nobody can go beyond with the passages as they are."""
    texts = [passage.shown for passage in there.corpus.passages]
    sources = [passage.source for passage in there.corpus.passages]
    small = [text.lower() for text in texts]
    rng = Random(0)
    floor, ceiling = [], []
    for question in asked:
        for _ in range(_SHUFFLES):
            drawn = rng.sample(range(len(texts)), min(k, len(texts)))
            floor.append(measured(question, [texts[row] for row in drawn], [sources[row] for row in drawn]))
        best = _best(question, small, k)
        ceiling.append(measured(question, [texts[row] for row in best], [sources[row] for row in best]))
    return _means(floor), _means(ceiling)


def _best(question: Question, small: Sequence[str], k: int) -> list[int]:
    """The passages that hold most keywords that none before them holds, in that order."""
    holds = {row: {word for word in question.keywords if word.lower() in text} for row, text in enumerate(small)}
    holds = {row: words for row, words in holds.items() if words}
    chosen: list[int] = []
    open_words = set(question.keywords)
    while holds and len(chosen) < k:
        row = max(holds, key=lambda row: (len(holds[row] & open_words), len(holds[row])))
        chosen.append(row)
        open_words -= holds.pop(row)
    return chosen


def _means(measures: Sequence[Measure]) -> dict[str, float]:
    return {metric: _interval(metric, measures).mean for metric in METRICS} if measures else {}
