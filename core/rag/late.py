"""Late interaction: how well a passage answers a question, token by token, from vectors made beforehand.

Each token of the question takes the token of the passage that is most like it in its place, and rare tokens count
more: MaxSim of Khattab and Zaharia, "ColBERT" (2020), on an embedding model that was never trained for it. With
all-MiniLM-L6-v2 that orders passages far better than one vector for each of them (core/rag/README.md).
"""

from __future__ import annotations

import os
import shutil
import string
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from core.rag.embedding import ByTokens, States
from core.rag.passages import Passage, Report
from core.rag.terms import COMMON

Bytes = NDArray[np.int8]
Scores = NDArray[np.float32]
# Of a passage those ids that count, and their vectors as bytes; and who has them by a passage's id, or has not.
Tokens = tuple[NDArray[np.int32], Bytes]
Known = Callable[[str], Tokens | None]
# A corpus larger than this goes without: it would take some 30 kB a passage on disk.
LARGEST = 50_000

_GROUP = 64
_PUNCTUATION = frozenset(string.punctuation) | frozenset("–—’‘“”•…")


@dataclass(frozen=True, slots=True, eq=False)
class Late:
    """Token vectors of a corpus, as bytes: passage i has the tokens `starts[i]` to `starts[i + 1]`.

    `ids` (m) are these tokens, `states` (m, dimension) their vectors, `counts` says by token in how many passages it
    stands. Words that every text has, and punctuation, are left out.
    """

    model: ByTokens
    starts: NDArray[np.int64]
    ids: NDArray[np.int32]
    states: Bytes
    counts: NDArray[np.int64]

    def scores(self, query: States, rows: Sequence[int]) -> Scores:
        """For each of `rows` how much of `query` it says, at most 1: the mean over the query's tokens, rare ones first.

        A token weighs the logarithm of how few passages hold it.
        """
        asked, weights = self.asked(query)
        if not len(weights):
            return np.zeros(len(rows), np.float32)
        return np.array([self._score(asked, weights, row) for row in rows], np.float32)

    def asked(self, query: States) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The vectors of the query's tokens that count (q, dimension), and what each weighs, together 1 (q)."""
        ids, states = _without(_common(self.model), *query)
        counts = np.where(ids < len(self.counts), self.counts[np.minimum(ids, len(self.counts) - 1)], 0)
        weights = np.log(1 + (len(self.starts) - 1) / (1 + counts))
        return states, weights / (weights.sum() or 1)

    def said(self, row: int) -> NDArray[np.float32]:
        """The vectors of a passage's tokens that count, of unit length (m, dimension)."""
        states: Scores = self.states[self.starts[row] : self.starts[row + 1]].astype(np.float32)
        states /= np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-9)
        return states

    def places(self, text: str) -> NDArray[np.int64]:
        """Where in `text`, a passage as it was read, the tokens begin and end whose vectors `said` gives (m, 2)."""
        ids, places = self.model.places(text)
        return places[_counting(_common(self.model), ids)]

    def _score(self, asked: NDArray[np.float32], weights: NDArray[np.float64], row: int) -> float:
        said = self.said(row)
        return float((asked @ said.T).max(axis=1) @ weights) if len(said) else 0.0


def wanted(model: object, passages: int) -> TypeGuard[ByTokens]:
    """Whether an index of so many passages has it: not every model tells of its tokens."""
    return isinstance(model, ByTokens) and 0 < passages <= LARGEST


def load(folder: Path, model: ByTokens, passages: int) -> Late | None:
    """What `build` wrote for so many passages, or None where it is not there or not whole."""
    try:
        starts, ids = np.load(folder / "starts.npy"), np.load(folder / "ids.npy", mmap_mode="r")
        states = np.load(folder / "states.npy", mmap_mode="r")
        counts = np.load(folder / "counts.npy")
    except (OSError, ValueError):
        return None
    whole = len(starts) == passages + 1 and starts[-1] == len(states) == len(ids)
    return Late(model, starts, ids, states, counts) if whole else None


def build(folder: Path, model: ByTokens, passages: Sequence[Passage], report: Report, known: Known) -> Late:
    """Put the vectors of `passages` into `folder`, which appears when all of it is there.

    Those that `known` has are taken from it, the others made. `report` may raise to stop. Raises OSError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(making, _tokens(model, passages, report, known))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(making, folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    made = load(folder, model, len(passages))
    if made is None:
        raise OSError("The token vectors could not be read back.")
    return made


def nothing(_: str) -> None:
    """A Known that has none."""


def known_of(late: Late | None, rows: Mapping[str, int]) -> Known:
    """What `late` has, where `rows` says in which row of it a passage's id stands."""

    def known(name: str) -> Tokens | None:
        if late is None or name not in rows:
            return None
        own = slice(late.starts[rows[name]], late.starts[rows[name] + 1])
        return np.asarray(late.ids[own]), np.asarray(late.states[own])

    return known


def kept(model: ByTokens) -> Callable[[States], Tokens]:
    """What is kept of the tokens of a passage."""
    common = _common(model)

    def of(states: States) -> Tokens:
        ids, vectors = _without(common, *states)
        # Each vector uses all of a byte's range; what counts is its direction.
        largest = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-9)
        return ids, np.round(vectors * (127 / largest)).astype(np.int8)

    return of


def _write(folder: Path, tokens: Iterator[Tokens]) -> None:
    starts, ids, counts, width = [0], [np.zeros(0, np.int32)], Counter[int](), 0
    # All vectors of a large corpus are more than fits into memory, so they are written as they are made.
    with (folder / "states").open("wb") as file:
        for own, states in tokens:
            starts.append(starts[-1] + len(own))
            ids.append(own)
            counts.update(set(own.tolist()))
            width = states.shape[1]
            file.write(states.tobytes())
    rows = (starts[-1], width)
    raw = np.memmap(folder / "states", np.int8, "r", shape=rows) if starts[-1] else np.zeros(rows, np.int8)
    np.save(folder / "states.npy", raw)
    (folder / "states").unlink()
    np.save(folder / "starts.npy", np.array(starts, np.int64))
    np.save(folder / "ids.npy", np.concatenate(ids))
    np.save(folder / "counts.npy", np.bincount(list(counts.elements()), minlength=1))


def _tokens(model: ByTokens, passages: Sequence[Passage], report: Report, known: Known) -> Iterator[Tokens]:
    """The tokens of each passage, in order."""
    of = kept(model)
    for start in range(0, len(passages), _GROUP):
        report(start / len(passages), f"Keeping every word: {start:,} of {len(passages):,} passages")
        group = [(passage, known(passage.id)) for passage in passages[start : start + _GROUP]]
        _, read = model.read([passage.shown for passage, there in group if there is None])
        made = iter(read)
        yield from (of(next(made)) if there is None else there for _, there in group)


def _without(
    common: NDArray[np.int32], ids: NDArray[np.int32], states: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    counting = _counting(common, ids)
    return ids[counting], states[counting]


def _counting(common: NDArray[np.int32], ids: NDArray[np.int32]) -> NDArray[np.bool_]:
    return ~np.isin(ids, common)


def _common(model: ByTokens) -> NDArray[np.int32]:
    return np.array(sorted(model.ids(COMMON | _PUNCTUATION)), np.int32)
