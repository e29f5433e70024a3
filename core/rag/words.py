"""Search by words: BM25 over the stems of a corpus, kept on disk, and misspelt words set right by what it holds.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), by the library bm25s.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.rag.spelling import corrected
from core.rag.terms import COMMON, terms, words

if TYPE_CHECKING:
    from bm25s import BM25

Scores = NDArray[np.float32]

# Longer passages are not much less likely to be about a question: they were cut to one size.
_K1, _B = 1.2, 0.5
_PARTS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of a corpus. `seen` counts each of them as it is written, in small letters."""

    count: int
    seen: Mapping[str, int]
    _index: BM25

    @classmethod
    def build(cls, texts: Sequence[str]) -> Words:
        """Index `texts`; their order is that of the scores."""
        from bm25s import BM25

        index = BM25(k1=_K1, b=_B)
        index.index([_stems(text) or [""] for text in texts] or [[""]], show_progress=False)
        seen = Counter(word for text in texts for word in _spelled(text))
        return cls(len(texts), seen, index)

    def save(self, folder: Path) -> None:
        """Write all of it into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._index.save(folder, show_progress=False)
        (folder / "seen.json").write_text(json.dumps([self.count, self.seen]), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Words:
        """Read what `save` wrote. Raises OSError and ValueError where it is not there or not whole."""
        from bm25s import BM25

        count, seen = json.loads((folder / "seen.json").read_text("utf-8"))
        return cls(count, seen, BM25.load(folder))

    def scores(self, query: str) -> Scores:
        """How well each text fits the words of `query` (n), 0 where it holds none of them."""
        known = [stem for stem in _stems(query) if stem in self._index.vocab_dict]
        if not known:
            return np.zeros(self.count, np.float32)
        scores: Scores = self._index.get_scores(known)
        return scores[: self.count]

    def corrected(self, query: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """`query` with misspelt words set right, and which were: (as written, as it should be)."""
        return corrected(query, self.seen)


def _stems(text: str) -> list[str]:
    """What BM25 counts: the stems, and the parts of words with hyphens too ("HR-300" is found by "300")."""
    return [stem for term in terms(text) for stem in (term, *_parts(term))]


def _parts(term: str) -> list[str]:
    parts = _PARTS.findall(term)
    return [part for part in parts if part not in COMMON] if len(parts) > 1 else []


def _spelled(text: str) -> Iterable[str]:
    for word in words(text):
        small = word.casefold()
        yield small
        yield from _parts(small)
