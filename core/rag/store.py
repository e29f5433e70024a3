"""Where vectors are kept so that the nearest are found among very many: Chroma on disk, a Chroma server, or FAISS.

A store is derived from an index's own files (generation.py) and can be made again from them at any time. Filters are
not its business: Chroma's own take up to 27 times as long as a search without, so corpus.py filters exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import BadSetting, StoreUnusable

if TYPE_CHECKING:
    from faiss import IndexIDMap2

Vector = NDArray[np.float32]
Metadata = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A passage as a store keeps it. `vector` has unit length."""

    id: str
    text: str
    metadata: Metadata
    vector: Vector


@dataclass(frozen=True, slots=True)
class About:
    """What a collection's vectors are. Vectors of different models must never meet, also where their lengths agree."""

    model: str
    revision: str
    dimension: int
    recipe: str

    @property
    def space(self) -> tuple[str, str, int]:
        """What decides whether two vectors can be compared."""
        return self.model, self.revision, self.dimension


class Store(Protocol):
    """A collection of records. Every method raises StoreUnusable when the store does not do what it should."""

    def upsert(self, records: Sequence[Record]) -> None:
        """Add records; one whose id is there already takes its place."""
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Remove what there is of these."""
        ...

    def ids(self) -> set[str]:
        """The id of every record."""
        ...

    def records(self, size: int = 1000) -> Iterator[list[Record]]:
        """Every record, in pages."""
        ...

    def nearest(self, vector: Vector, k: int) -> list[tuple[str, float]]:
        """At most `k` ids with their cosine similarity, best first."""
        ...

    def count(self) -> int:
        """How many records there are."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


Opened = AbstractContextManager[Store]
SERVER = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")
KINDS = ("chroma", "faiss")


def known(kind: str) -> str:
    """`kind` itself: "chroma", "faiss", or HOST:PORT of a Chroma server. Raises BadSetting for anything else."""
    if kind not in KINDS and not SERVER.fullmatch(kind):
        raise BadSetting(f"There is no store {kind!r}: it must be chroma, faiss, or HOST:PORT of a Chroma server.")
    return kind


def open_store(kind: str, folder: Path, collection: str, about: About) -> Store:
    """The collection, made when it is not there.

    Raises BadSetting for an unknown `kind` and StoreUnusable: cannot be opened, or holds vectors of another model.
    """
    if known(kind) == "faiss":
        return FaissStore(about.dimension)
    from core.rag.chroma import ChromaStore

    return ChromaStore.open(kind, folder, collection, about)


class FaissStore:
    """Records in memory, gone with the process. The search is exact."""

    def __init__(self, dimension: int) -> None:
        from faiss import IndexFlatIP, IndexIDMap2

        self._index: IndexIDMap2 = IndexIDMap2(IndexFlatIP(dimension))
        self._numbers: dict[str, int] = {}
        self._records: dict[int, Record] = {}
        self._next = 0

    def upsert(self, records: Sequence[Record]) -> None:
        """Add records; of several with one id the last one stays."""
        last = {record.id: record for record in records}
        self.delete(list(last))
        numbers = range(self._next, self._next + len(last))
        self._next += len(last)
        if any(record.vector.shape != (self._index.d,) for record in last.values()):
            raise StoreUnusable(f"This store takes vectors of length {self._index.d}.")
        if last:
            self._index.add_with_ids(np.stack([r.vector for r in last.values()]), np.array(numbers, np.int64))
        self._numbers.update(zip(last, numbers, strict=True))
        self._records.update(zip(numbers, last.values(), strict=True))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove what there is of these."""
        from faiss import IDSelectorBatch

        gone = [self._numbers.pop(known) for known in dict.fromkeys(ids) if known in self._numbers]
        if gone:
            self._index.remove_ids(IDSelectorBatch(np.array(gone, np.int64)))
        for number in gone:
            del self._records[number]

    def ids(self) -> set[str]:
        """The id of every record."""
        return set(self._numbers)

    def records(self, size: int = 1000) -> Iterator[list[Record]]:
        """Every record, in pages."""
        whole = list(self._records.values())
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    def nearest(self, vector: Vector, k: int) -> list[tuple[str, float]]:
        """At most `k` ids with their cosine similarity, best first."""
        alike, numbers = self._index.search(vector[np.newaxis], k)
        found = zip(numbers[0].tolist(), alike[0].tolist(), strict=True)
        return [(self._records[number].id, score) for number, score in found if number >= 0]

    def count(self) -> int:
        """How many records there are."""
        return len(self._records)

    def close(self) -> None:
        """Let go of the memory."""
        self._index.reset()
        self._numbers.clear()
        self._records.clear()
