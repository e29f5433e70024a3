"""One generation of an index in memory: passages, their documents, their vectors. It never changes; all share it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.errors import StoreUnusable
from core.rag.embedding import Embedder
from core.rag.generation import Split, ranges
from core.rag.passages import Document, Passage
from core.rag.store import About, Store

log = logging.getLogger(__name__)

# Up to here a matrix product over all vectors is about as quick as Chroma's graph, and misses nothing (bench/rag.py).
LARGE = 200_000
# How many more than k the store is asked for where a filter drops some, and from which share on it is worth asking.
_SPARE, _WORTH_ASKING = 2, 0.2

Vector = NDArray[np.float32]
Nearest = list[tuple[int, float]]


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Corpus:
    """What a search needs. `vectors` (n, dimension) stand in the order of `passages`.

    `name` is another one for each generation. `by_source` and `by_type` say where the passages of a source or a
    doc_type stand: together, so a filter is a few slices. `refused` tells of files that hold no passages why.
    """

    name: str
    about: About
    made: float
    documents: Mapping[str, Document]
    passages: tuple[Passage, ...]
    vectors: Vector
    embedder: Embedder
    by_source: Mapping[str, slice]
    by_type: Mapping[str, slice]
    refused: Mapping[str, str]
    rows: Mapping[str, int] = field(repr=False)
    _store: Attached = field(repr=False)

    def nearest(self, vector: Vector, k: int, among: Sequence[slice] | None = None) -> Nearest:
        """At most `k` rows of `passages` with their cosine similarity, best first; only those in `among`, if given.

        Exact, but for very many passages without a narrow filter, where the store is asked once it is open.
        """
        if among is None:
            asked = self._store.nearest(vector, k)
            return self._known(asked)[:k] if asked is not None else self._exact(vector, k, [slice(None)])
        size = sum(len(range(*part.indices(len(self.passages)))) for part in among)
        if size > self._store.above and size >= _WORTH_ASKING * len(self.passages):
            wider = _SPARE * -(-k * len(self.passages) // size)
            inside = [hit for hit in self._known(self._store.nearest(vector, wider) or []) if _within(hit[0], among)]
            if len(inside) >= k:
                return inside[:k]
        return self._exact(vector, k, among)

    def chosen(self, sources: Iterable[str] = (), doc_types: Iterable[str] = ()) -> list[slice] | None:
        """The rows of these sources that are also of these doc_types, for `nearest`; None where neither is given."""
        wanted, types = tuple(dict.fromkeys(sources)), tuple(dict.fromkeys(doc_types))
        by_type = [self.by_type[name] for name in types if name in self.by_type]
        by_source = [self.by_source[name] for name in wanted if name in self.by_source]
        if not wanted:
            return by_type if types else None
        if not types:
            return by_source
        return [part for part in by_source if _within(part.start, by_type)]

    def _known(self, asked: Sequence[tuple[str, float]]) -> Nearest:
        return [(self.rows[known], score) for known, score in asked if known in self.rows]

    def _exact(self, vector: Vector, k: int, among: Sequence[slice]) -> Nearest:
        best: Nearest = []
        for part in among:
            # Not by BLAS: its threads wait for each other, 40 ms instead of 1 where processors are busy (bench/rag.py).
            alike = np.einsum("nd,d->n", self.vectors[part], vector)
            first = part.start or 0
            top = np.argpartition(-alike, k - 1)[:k] if k < len(alike) else np.arange(len(alike))
            best += [(first + int(row), float(alike[row])) for row in top]
        return sorted(best, key=lambda hit: (-hit[1], hit[0]))[:k]


def _within(row: int, among: Iterable[slice]) -> bool:
    return any(part.start <= row < part.stop for part in among)


class Attached:
    """The store of a large corpus. It is opened in the background: until then, and if it fails, it answers None.

    It is worth asking where more than `above` passages are searched.
    """

    def __init__(self, opening: Callable[[], Store | None], above: int = LARGE) -> None:
        self.above = above
        self._opening: Callable[[], Store | None] | None = opening
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def nearest(self, vector: Vector, k: int) -> list[tuple[str, float]] | None:
        """What the store says, or None."""
        self._open()
        store = self._store
        if store is None:
            return None
        try:
            return store.nearest(vector, k)
        except StoreUnusable as problem:
            log.warning("searches go on without the vector store: %s", problem)
            self._store = None
            return None

    def wait(self) -> Store | None:
        """The store, once it is open, or None when it cannot be."""
        self._open()
        if self._thread is not None:
            self._thread.join()
        return self._store

    def _open(self) -> None:
        with self._lock:
            opening, self._opening = self._opening, None
            if opening is None:
                return
            self._thread = threading.Thread(target=self._run, args=(opening,), daemon=True)
            self._thread.start()

    def _run(self, opening: Callable[[], Store | None]) -> None:
        try:
            self._store = opening()
        except StoreUnusable as problem:
            log.warning("searches go on without the vector store: %s", problem)


def corpus(
    name: str, about: About, made: float, documents: Sequence[Split], vectors: Vector, embedder: Embedder,
    refused: Mapping[str, str], store: Callable[[tuple[Passage, ...], Vector], Store | None], large: int = LARGE,
) -> Corpus:  # fmt: skip
    """A corpus of `documents` in the order of a generation. `store` opens the vector store; None where there is none.

    It is asked only where more than `large` passages are searched.
    """
    passages = tuple(passage for _, own in documents for passage in own)
    return Corpus(
        name,
        about,
        made,
        MappingProxyType({document.source: document for document, _ in documents}),
        passages,
        vectors,
        embedder,
        MappingProxyType(ranges(documents, "source")),
        MappingProxyType(ranges(documents, "doc_type")),
        refused,
        MappingProxyType({passage.id: row for row, passage in enumerate(passages)}),
        Attached(lambda: store(passages, vectors), large),
    )
