"""What of an answer stands in the passages: which are cited, which sentence rests on which, which values on none.

A pure function of the text so far; its result are spans of that text, so that whoever shows it decides how. Sources:
the measure is the share of a claim's own words that a passage holds, as in ROUGE-1 recall, over stems.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Literal

from core.rag.exact import Named, Value, blank, named, unknown
from core.rag.passages import Hit
from core.rag.sentences import Sentence, sentences
from core.rag.terms import terms
from core.values import NUMBER, value

# A claim is supported by what holds this share of its words, those of the question not counted, and all of its figures.
# Of the right answers in knowledge-base-tests.jsonl, uncited and before passages that were found, 3 in 4 sentences are;
# of answers to other questions 1 in 16 (tests/test_rag_answer.py).
ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Citation:
    """A mark like [2], at `start` to `end` of the answer: hit `number`, from 1.

    `found` says whether there is such a hit; then `source`, `page` and the rest tell where it stands in its document:
    the passage as the model was given it, and within it the sentence that the claim is most alike.
    """

    start: int
    end: int
    number: int
    found: bool = False
    source: str = ""
    page: int | None = None
    passage: tuple[int, int] = (0, 0)
    sentence: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the answer, `start` to `end`, the hits that it cites and those that hold what it says, from 1."""

    start: int
    end: int
    cited: tuple[int, ...] = ()
    held_by: tuple[int, ...] = ()

    @property
    def verdict(self) -> Literal["supported", "elsewhere", "unsupported"]:
        """ "elsewhere": a passage says this, and it is not the one that is cited."""
        if not self.held_by:
            return "unsupported"
        return "supported" if not self.cited or set(self.cited) & set(self.held_by) else "elsewhere"


@dataclass(frozen=True, slots=True)
class Support:
    """What an answer rests on. All spans are offsets in its text."""

    citations: tuple[Citation, ...] = ()
    claims: tuple[Claim, ...] = ()
    unknown: tuple[Value, ...] = ()

    @property
    def unsupported(self) -> tuple[Claim, ...]:
        """The sentences that no passage says."""
        return tuple(claim for claim in self.claims if claim.verdict == "unsupported")


def support(text: str, hits: Sequence[Hit], question: str = "", *, whole: bool = True) -> Support:
    """`text` held against `hits`, in the order in which the model was given them.

    Words and values of `question` need no passage. Unless `whole`, the last sentence is still being written and only
    what is certain of it is told.
    """
    passages = [_read(hit.shown, hit.text, _lead(hit)) for hit in hits]
    asked = _Asked(frozenset(terms(question)), named(question))
    marks = [(mark, int(number)) for mark in _CITED.finditer(text) for number in re.findall(r"\d+", mark[1])]
    claims, citations, end = [], [], 0
    for part in sentences(text):
        if part.start < end:
            continue
        end = _with_marks(part.end, marks)
        here = [(mark, number) for mark, number in marks if part.start <= mark.start() < end]
        body = _CITED.sub(" ", text[part.start : end])
        citations += [_citation(mark, number, body, hits, passages) for mark, number in here]
        if (whole or end < len(text.rstrip())) and body.strip() and _claims(body):
            cited = tuple(dict.fromkeys(number for _, number in here if 1 <= number <= len(hits)))
            claims.append(Claim(part.start, end, cited, _held_by(body, cited, hits, passages, asked)))
    certain = text if whole else text[: max(text.rfind(" "), text.rfind("\n")) + 1]
    known = [asked.named, *(passage.named for passage in passages)]
    return Support(tuple(citations), tuple(claims), tuple(unknown(_CITED.sub(blank, certain), known)))


def _lead(hit: Hit) -> str:
    return "" if hit.passage.lead in hit.text else hit.passage.lead


# --- citations --------------------------------------------------------------------------------------------------------

# As they are asked for, "[1]" and "[1, 2]", and as some models write them all the same; a link's label is none.
_CITED = re.compile(r"[\[【]\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*(?:†[^】\]\n]{0,40})?[\]】](?!\()")


_Mark = tuple[re.Match[str], int]


def _with_marks(end: int, marks: Sequence[_Mark]) -> int:
    """Where a sentence ends when the marks right after it belong to it: "It is. [1]"."""
    for mark, _ in marks:
        if end <= mark.start() <= end + 1:
            end = mark.end()
    return end


def _citation(
    mark: re.Match[str], number: int, claim: str, hits: Sequence[Hit], passages: Sequence[_Read]
) -> Citation:  # fmt: skip
    if not 1 <= number <= len(hits):
        return Citation(mark.start(), mark.end(), number)
    hit, nearest = hits[number - 1], _nearest(claim, passages[number - 1])
    place = (hit.start + nearest.start, hit.start + nearest.end) if nearest else (hit.start, hit.end)
    source, page = hit.passage.source, hit.passage.page
    return Citation(mark.start(), mark.end(), number, True, source, page, (hit.start, hit.end), place)


# --- claims -----------------------------------------------------------------------------------------------------------

_DENIES = r"\b(?:not|no|nothing|never|cannot|(?:is|are|do|does)n['’]t)\b"
_DOCUMENTS = r"\b(?:knowledge base|passages?|documents?|sources?|texts?)\b"
# What claims nothing of the documents' matter: the admission that they do not say.
_ADMITS = re.compile(rf"(?i){_DOCUMENTS}[^.\n]{{0,40}}{_DENIES}|{_DENIES}[^.\n]{{0,40}}{_DOCUMENTS}")


def _claims(sentence: str) -> bool:
    """Whether a sentence says something that could stand in a passage: neither "Yes." nor what opens a list does."""
    says = NUMBER.search(sentence) or len(terms(sentence)) > 1
    return bool(says) and not sentence.rstrip().endswith((":", "?")) and not _ADMITS.search(sentence)


def _held_by(
    claim: str, cited: tuple[int, ...], hits: Sequence[Hit], passages: Sequence[_Read], asked: _Asked
) -> tuple[int, ...]:  # fmt: skip
    """The hits that hold a claim by themselves, else together: those that it cites, or those of one document."""
    said = frozenset(terms(claim))
    own = said - asked.terms or said
    figures = _figures(claim) - asked.named.numbers

    def holds(*numbers: int) -> bool:
        reads = [passages[number - 1] for number in numbers]
        shared = own.intersection(chain.from_iterable(read.terms for read in reads))
        return len(shared) >= ENOUGH * len(own) and figures.issubset(
            chain.from_iterable(read.named.numbers for read in reads)
        )

    if alone := tuple(number for number in range(1, len(passages) + 1) if holds(number)):
        return alone
    documents: dict[str, list[int]] = {}
    for number, hit in enumerate(hits, start=1):
        documents.setdefault(hit.passage.source, []).append(number)
    groups = (cited, *map(tuple, documents.values()))
    return next((group for group in groups if len(group) > 1 and holds(*group)), ())


def _figures(text: str) -> set[str]:
    return {value(number) for number in NUMBER.findall(text)}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the question names, so that an answer may repeat it."""

    terms: frozenset[str]
    named: Named


@dataclass(frozen=True, slots=True)
class _Read:
    """A passage, taken apart."""

    terms: frozenset[str]
    named: Named
    sentences: tuple[tuple[Sentence, frozenset[str]], ...]


@lru_cache(maxsize=256)  # An answer is held against the same passages at every tick.
def _read(shown: str, text: str, lead: str) -> _Read:
    parts = tuple((part, frozenset(terms(f"{part.lead} {part.said}"))) for part in sentences(text, lead))
    return _Read(frozenset(terms(shown)), named(shown), parts)


def _nearest(claim: str, read: _Read) -> Sentence | None:
    """The sentence that shares most with `claim`, the shorter of two; None when none shares anything."""
    said, figures = frozenset(terms(claim)), _figures(claim)

    def likeness(part: tuple[Sentence, frozenset[str]]) -> tuple[int, int]:
        return len(said & part[1]) + 2 * len(figures & _figures(part[0].said)), -len(part[1])

    best = max(read.sentences, key=likeness, default=None)
    return best[0] if best and likeness(best)[0] else None
