"""Search by words: BM25 over the stems of a corpus, kept on disk, and misspelt words set right by what it holds.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), by the library bm25s.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.rag.terms import COMMON, terms, words

if TYPE_CHECKING:
    from bm25s import BM25

Scores = NDArray[np.float32]

# Longer passages are not much less likely to be about a question: they were cut to one size.
_K1, _B = 1.2, 0.5
# From how many letters on a word may have how many of them wrong. Shorter words have too many neighbours.
_EDITS = {4: 1, 6: 2}
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
        """`query` with misspelt words set right, and which were: (as written, as it should be).

        A word is misspelt when neither the corpus nor the embedding model's own vocabulary has it, and the corpus has
        one that differs by few letters: one, or two from six letters on.
        """
        changed: dict[str, str] = {}
        for word in dict.fromkeys(words(query)):
            small = word.casefold()
            if _may_be_wrong(small) and not self._knows(small) and (right := self._nearest(small)):
                changed[word] = right.capitalize() if word[:1].isupper() else right
        for wrong, right in changed.items():
            query = re.sub(rf"(?<!\w){re.escape(wrong)}(?!\w)", right, query)
        return query, tuple(changed.items())

    def _nearest(self, word: str) -> str:
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        most = max(edits for letters, edits in _EDITS.items() if len(word) >= letters)
        found = extract(word, self.seen.keys(), scorer=OSA.distance, score_cutoff=most, limit=20)
        # The first letter is seldom the wrong one, and of two words the more usual is meant.
        return min(found, key=lambda hit: (hit[1], hit[0][0] != word[0], -self.seen[hit[0]]), default=("",))[0]

    def _knows(self, word: str) -> bool:
        """Whether the corpus or English has the word, in this form or another: "mending" is no misspelt "ending"."""
        return word in self.seen or word in COMMON or bool(_forms(word) & _english())


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


def _may_be_wrong(word: str) -> bool:
    """Letters only, and long enough to be told from its neighbours."""
    return word.isalpha() and len(word) >= min(_EDITS)


def _forms(word: str) -> frozenset[str]:
    """The stem of a word, and of the word without the beginnings that make new ones of old."""
    bare = (word.removeprefix(prefix) for prefix in ("re", "un", "non", "pre", "mis"))
    return frozenset(stem for part in (word, *bare) if len(part) > 2 for stem in terms(part))


@cache
def _english() -> frozenset[str]:
    """The stems of the whole words that the bundled embedding model was given: English, and well-known names."""
    from core.rag.minilm import model_folder

    pieces = json.loads((model_folder() / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    return frozenset(stem for piece in pieces if piece.isalpha() and len(piece) > 2 for stem in terms(piece))
