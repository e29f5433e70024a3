"""The best parts of the passages, quoted and cited: an answer for which no model is needed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.rag.asked import fitting, topics
from core.rag.nearness import Nearness
from core.rag.passages import Hit
from core.rag.room import grown
from core.rag.sentences import Sentence, sentences
from core.rag.terms import terms

# Tuned on every other question of knowledge-base/knowledge-base-tests.jsonl, checked on the rest (bench/quotes.py).
_OWN, _LEAD, _KIND, _FOUND, _NEAR, _BELOW, _DECAY = 0.5, 0.4, 0.3, 0.1, 0.5, 0.5, 0.4
# A figure is seldom understood without the sentence beside it: a quote grows into what is around it up to here.
LONGEST = 300  # characters


@dataclass(frozen=True, slots=True)
class Quote:
    """A part of hit `number` (from 1), at `start` to `end` of its document; `said` is it in one line."""

    number: int
    start: int
    end: int
    said: str
    score: float


def quotes(question: str, hits: Sequence[Hit], most: int = 3, near: Nearness | None = None) -> tuple[Quote, ...]:
    """At most `most` parts of `hits` that answer `question` best, the best first.

    A sentence is worth the rarity of the question's words in it, a little less of those in what it stands under, more
    where it holds what was asked for (a date, a sum, a name), in the passage that was found rather than around it, and
    where its tokens are `near`, and less the later its passage was found. The best ones grow into their neighbours.
    Unless something is known to be near, there is none without a word in common.
    """
    found = list(_candidates(question, hits, near))
    taken: set[str] = set()
    made: list[Quote] = []
    for best in sorted(range(len(found)), key=lambda row: -found[row].quote.score):
        if len(made) == most:
            break
        if found[best].quote.said not in taken and (near or found[best].worth):
            own = _grown(found, best, taken)
            taken |= {one.quote.said for one in own}
            made.append(_joined(own, found[best].quote.score))
    return tuple(made)


def quoted(chosen: Sequence[Quote]) -> str:
    """The parts as Markdown, each with the number of its passage."""
    return "\n\n".join(f"> {quote.said} [{quote.number}]" for quote in chosen)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One sentence. `worth` is what it shares with the question by its words, `lead` what it stands under."""

    quote: Quote
    worth: float
    lead: str


def _grown(found: Sequence[_Candidate], best: int, taken: set[str]) -> Sequence[_Candidate]:
    """The sentence and its neighbours below the same heading, the better ones first."""
    first, last = grown(
        best, lambda row: 0 <= row < len(found) and _beside(found, row, best, taken),
        lambda first, last: _length(found[first : last + 1]) <= LONGEST, lambda row: found[row].quote.score,
    )  # fmt: skip
    return found[first : last + 1]


def _beside(found: Sequence[_Candidate], row: int, best: int, taken: set[str]) -> bool:
    one = found[row]
    return one.lead == found[best].lead and one.quote.number == found[best].quote.number and one.quote.said not in taken


def _length(parts: Sequence[_Candidate]) -> int:
    return sum(len(one.quote.said) + 3 for one in parts)


def _joined(parts: Sequence[_Candidate], score: float) -> Quote:
    said = ""
    for one in parts:
        said += ("" if not said else " " if said[-1] in ".!?:;" else " · ") + one.quote.said
    first, last = parts[0].quote, parts[-1].quote
    return Quote(first.number, first.start, last.end, said, score)


def _candidates(question: str, hits: Sequence[Hit], near: Nearness | None) -> Iterator[_Candidate]:
    asked = topics(question)
    parts = [(number, hit, part) for number, hit in enumerate(hits, start=1) for part in _parts(hit)]
    said = [set(terms(part.said)) for *_, part in parts]
    above = [set(terms(f"{hit.passage.crumbs} {part.lead}")) for _, hit, part in parts]
    rarity = _rarity(asked, [words | lead for words, lead in zip(said, above, strict=True)])
    kinds = fitting(question, [part.said for *_, part in parts])
    for (number, hit, part), words, lead, kind in zip(parts, said, above, kinds, strict=True):
        start, end = hit.start + part.start, hit.start + part.end
        worth = _OWN * sum(rarity[word] for word in asked & words)
        worth += _LEAD * sum(rarity[word] for word in asked & lead - words)
        own, below = near.of(number, start, end) if near else (0.0, 0.0)
        found = hit.passage.start <= start and end <= hit.passage.end
        score = worth + _KIND * kind + _FOUND * found + _NEAR * own + _BELOW * below
        yield _Candidate(Quote(number, start, end, part.said, score / (1 + _DECAY * (number - 1))), worth, part.lead)


def _parts(hit: Hit) -> tuple[Sentence, ...]:
    return sentences(hit.text, "" if hit.passage.lead in hit.text else hit.passage.lead)


def _rarity(asked: frozenset[str], parts: Sequence[set[str]]) -> dict[str, float]:
    """What each word of the question is worth, together 1: much when few sentences have it. As BM25's idf."""
    having = Counter(word for words in parts for word in asked & words)
    worth = {word: math.log(1 + (len(parts) - having[word] + 0.5) / (having[word] + 0.5)) for word in asked}
    whole = sum(worth.values()) or 1
    return {word: value / whole for word, value in worth.items()}
