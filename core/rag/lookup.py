"""What a search looks things up in: a corpus, its words, and its tokens where the model tells them. Shared by all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.rag import late
from core.rag.corpus import Corpus
from core.rag.late import Late
from core.rag.passages import Report
from core.rag.words import Words

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lookup:
    """One generation, ready to be searched. `late` is None for models and sizes that go without."""

    corpus: Corpus
    words: Words
    late: Late | None


def lookup(corpus: Corpus, generation: Path, report: Report) -> Lookup:
    """The lookup of `corpus`, whose files are in the folder `generation`; what is missing there is made, and kept.

    `report` may raise to stop.
    """
    return Lookup(corpus, _words(corpus, generation / "words"), _late(corpus, generation / "late", report))


def _words(corpus: Corpus, folder: Path) -> Words:
    try:
        found = Words.load(folder)
        if found.count == len(corpus.passages):
            return found
    except (OSError, ValueError):
        log.info("the words of %s are indexed again", corpus.name)
    made = Words.build([passage.shown for passage in corpus.passages])
    _kept(lambda: made.save(folder))
    return made


def _late(corpus: Corpus, folder: Path, report: Report) -> Late | None:
    model, passages = corpus.embedder, corpus.passages
    if not late.wanted(model, len(passages)):
        return None
    found = late.load(folder, model, len(passages))
    if found is not None:
        return found
    try:
        return late.build(folder, model, passages, report, late.nothing)
    except OSError as problem:
        # A full disk: what it brings is better order, and searches go on without it.
        log.warning("the tokens of %s were not kept: %s", corpus.name, problem)
        return None


def _kept(save: Callable[[], None]) -> None:
    try:
        save()
    except OSError as problem:
        log.warning("the words were not kept and will be indexed at the next start: %s", problem)
