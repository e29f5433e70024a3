"""The best sentences of the passages, quoted and cited: an answer for which no model is needed."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from core.rag.embedding import Embedder
from core.rag.passages import Hit
from core.rag.sentences import Sentence, sentences
from core.rag.terms import terms

# How near each text is to the question, in -1..1: what an embedding model says.
Similar = Callable[[Sequence[str]], Sequence[float]]

# Tuned on every other question of knowledge-base/knowledge-base-tests.jsonl, checked on the rest.
_LEAD, _KIND, _NEAR, _DECAY = 0.8, 0.3, 2.0, 0.4
_ASKED_NEAR = 40  # sentences, those best by words, whose nearness is asked for: each costs a millisecond or two


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of hit `number` (from 1), at `start` to `end` of its document; `said` is it in one line."""

    number: int
    start: int
    end: int
    said: str
    score: float


def quotes(question: str, hits: Sequence[Hit], most: int = 3, similar: Similar | None = None) -> tuple[Quote, ...]:
    """At most `most` sentences of `hits` that answer `question` best, the best first; none without a word in common.

    A sentence is worth the rarity of the question's words in it, a little less of those in what it stands under, more
    where it holds what was asked for (a date, a sum, a name), and less the later its passage was found.
    """
    found = list(_candidates(question, hits))
    if similar is not None and found:
        found.sort(key=lambda one: -one.quote.score)
        near = similar([one.shown for one in found[:_ASKED_NEAR]])
        found = [one.nearer(similarity) for one, similarity in zip(found, near, strict=False)]
    best: dict[str, Quote] = {}
    for one in sorted(found, key=lambda one: -one.quote.score):
        best.setdefault(one.quote.said, one.quote)
    return tuple(best.values())[:most]


def by_meaning(model: Embedder) -> Callable[[str], Similar]:
    """What an embedding model says of a question's nearness to texts: the cosine."""

    def similar(question: str, texts: Sequence[str]) -> list[float]:
        asked = model.embed([question], query=True)[0]
        return [float(cosine) for cosine in model.embed(texts) @ asked]

    return lambda question: partial(similar, question)


def quoted(chosen: Sequence[Quote]) -> str:
    """The sentences as Markdown, each with the number of its passage."""
    return "\n\n".join(f"> {quote.said} [{quote.number}]" for quote in chosen)


@dataclass(frozen=True, slots=True)
class _Candidate:
    quote: Quote
    shown: str
    decay: float

    def nearer(self, similarity: float) -> _Candidate:
        return replace(self, quote=replace(self.quote, score=self.quote.score + _NEAR * similarity / self.decay))


def _candidates(question: str, hits: Sequence[Hit]) -> Iterator[_Candidate]:
    asked = set(terms(question))
    parts = [(number, hit, part) for number, hit in enumerate(hits, start=1) for part in _parts(hit)]
    said = [set(terms(part.said)) for *_, part in parts]
    above = [set(terms(f"{hit.passage.crumbs} {part.lead}")) for _, hit, part in parts]
    rarity = _rarity(asked, [words | lead for words, lead in zip(said, above, strict=True)])
    for (number, hit, part), words, lead in zip(parts, said, above, strict=True):
        worth = sum(rarity[word] for word in asked & words) + _LEAD * sum(rarity[word] for word in asked & lead - words)
        if worth:
            decay = 1 + _DECAY * (number - 1)
            score = (worth + _KIND * _is_asked_for(question, part.said)) / decay
            quote = Quote(number, hit.start + part.start, hit.start + part.end, part.said, score)
            yield _Candidate(quote, f"{hit.passage.crumbs}: {part.lead} {part.said}", decay)


def _parts(hit: Hit) -> tuple[Sentence, ...]:
    return sentences(hit.text, "" if hit.passage.lead in hit.text else hit.passage.lead)


def _rarity(asked: set[str], parts: Sequence[set[str]]) -> dict[str, float]:
    """What each word of the question is worth, together 1: much when few sentences have it. As BM25's idf."""
    having = Counter(word for words in parts for word in asked & words)
    worth = {word: math.log(1 + (len(parts) - having[word] + 0.5) / (having[word] + 0.5)) for word in asked}
    whole = sum(worth.values()) or 1
    return {word: value / whole for word, value in worth.items()}


# What a question asks for by these words, and how that looks.
_KINDS = (
    (r"when|date|year|since", r"\b(?:1[89]|20)\d\d\b|\b\d{1,2}:\d\d\b|\b\w+day\b"),
    (r"how (?:many|much|long|old|far|high|deep|fast|big|often)|costs?|price|fee|rent", r"\d"),
    (r"who|whom|whose", r"[A-ZÀ-Þ][\w'’-]+ [A-ZÀ-Þ]"),
    (r"e-?mail|write to", r"@"),
    (r"phone|telephone|number|ring|call", r"\+?\d[\d ]{6,}"),
    (r"url|link|address|page|download", r"://|@|\d"),
)


def _is_asked_for(question: str, said: str) -> bool:
    return any(re.search(rf"(?i)\b(?:{words})\b", question) and re.search(looks, said) for words, looks in _KINDS)
