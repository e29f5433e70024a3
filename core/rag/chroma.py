"""Chroma as a store, on disk or as a server. The collection is LangChain's, so its own tools can read it as well.

A damaged folder can end the process that opens it (SIGSEGV): upkeep.py opens it in a child first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import StoreUnusable
from core.rag.store import SERVER, About, Record, Vector
from core.settings import settings

if TYPE_CHECKING:
    from chromadb import Collection
    from langchain_chroma import Chroma

_USER = "user-"
_MOST = 1000  # Records in one request: a server refuses more than some 5,000, and Stop should not wait for them.


@dataclass(frozen=True, slots=True)
class ChromaStore:
    """A collection. `langchain` is the same one as LangChain's vector store."""

    langchain: Chroma
    _client: Any  # The type that Chroma declares for it has no close().
    _collection: Collection

    @classmethod
    def open(cls, kind: str, folder: Path, collection: str, about: About) -> ChromaStore:
        """As `open_store`. `kind` is "chroma" or HOST:PORT."""
        with _translated():
            from langchain_chroma import Chroma

            client = _client(kind, folder)
            try:
                langchain = Chroma(
                    client=client,
                    collection_name=collection,
                    collection_metadata=asdict(about),
                    collection_configuration={"hnsw": {"space": "cosine"}},
                )
                opened = cls(langchain, client, client.get_collection(collection))
                opened._check(about)
            except BaseException:
                _close(client)
                raise
        return opened

    def _check(self, about: About) -> None:
        kept = self._collection.metadata or {}
        if any(kept.get(name) != value for name, value in asdict(about).items()):
            raise StoreUnusable(f"The store holds vectors of {kept.get('model')!r}, made in another way.")

    def upsert(self, records: Sequence[Record]) -> None:
        """Add records; one whose id is there already takes its place."""
        with _translated():
            for start in range(0, len(records), _MOST):
                part = records[start : start + _MOST]
                self._collection.upsert(
                    ids=[record.id for record in part],
                    embeddings=np.stack([record.vector for record in part]),
                    documents=[record.text for record in part],
                    metadatas=[dict(record.metadata) for record in part],
                )

    def delete(self, ids: Sequence[str]) -> None:
        """Remove what there is of these."""
        with _translated():
            for start in range(0, len(ids), _MOST):
                self._collection.delete(ids=list(ids[start : start + _MOST]))

    def ids(self) -> set[str]:
        """The id of every record."""
        return {known for page in self._pages([], _MOST) for known in page["ids"]}

    def records(self, size: int = _MOST) -> Iterator[list[Record]]:
        """Every record, in pages."""
        for page in self._pages(["documents", "metadatas", "embeddings"], size):
            rows = zip(page["ids"], page["documents"], page["metadatas"], page["embeddings"], strict=True)
            yield [Record(known, text, about, np.asarray(vector, np.float32)) for known, text, about, vector in rows]

    def _pages(self, what: list[Any], size: int) -> Iterator[Mapping[str, Any]]:
        start = 0
        while True:
            with _translated():
                page = self._collection.get(limit=size, offset=start, include=what)
            if not page["ids"]:
                return
            yield page
            start += len(page["ids"])

    def nearest(self, vector: Vector, k: int) -> list[tuple[str, float]]:
        """At most `k` ids with their cosine similarity, best first."""
        with _translated():
            found = self._collection.query(query_embeddings=vector[np.newaxis], n_results=k, include=["distances"])
        distances = (found["distances"] or [[]])[0]
        return [(known, 1 - distance) for known, distance in zip(found["ids"][0], distances, strict=True)]

    def count(self) -> int:
        """How many records there are."""
        with _translated():
            return self._collection.count()

    def join(self, user: str) -> None:
        """Note that the index of this name uses the collection: several instances of the app may share one."""
        with _translated():
            self._collection.modify(metadata={**self._collection.metadata, f"{_USER}{user}": True})

    def leave(self, user: str) -> None:
        """Take the note away; the collection goes with the last one."""
        with _translated():
            about = {name: value for name, value in self._collection.metadata.items() if name != f"{_USER}{user}"}
            if any(name.startswith(_USER) for name in about):
                self._collection.modify(metadata=about)
            else:
                self.langchain.delete_collection()

    def close(self) -> None:
        """Let go of files and connections."""
        _close(self._client)


def _client(kind: str, folder: Path) -> Any:
    import chromadb
    import httpx
    from chromadb.config import Settings

    # Without this it tells its makers of every start.
    quiet = Settings(anonymized_telemetry=False)
    server = SERVER.fullmatch(kind)
    if server is None:
        return chromadb.PersistentClient(str(folder), settings=quiet)
    limits = settings()
    # Chroma waits for ever, from its first question on.
    httpx.get(f"http://{kind}/api/v2/heartbeat", timeout=limits.connect_timeout).raise_for_status()
    client = chromadb.HttpClient(host=server["host"].strip("[]"), port=int(server["port"]), settings=quiet)
    for session in _sessions(client):
        session.timeout = httpx.Timeout(limits.read_timeout, connect=limits.connect_timeout)
    return client


def _close(client: Any) -> None:
    """Chroma's own close() leaves its connections open."""
    sessions = _sessions(client)
    client.close()
    for session in sessions:
        session.close()


def _sessions(client: Any) -> list[Any]:
    """The two HTTP sessions of a server's client, none of one on disk. Chroma has no public way to them."""
    servers = (client._server, client._admin_client._server)
    return [server._session for server in servers if hasattr(server, "_session")]


@contextmanager
def _translated() -> Iterator[None]:
    """Whatever Chroma raises, in our words. Its errors have no common class, a server's ones are bare ValueErrors."""
    try:
        yield
    except StoreUnusable:
        raise
    except Exception as error:
        raise StoreUnusable("The vector store cannot be used: it is damaged, full, or its server is away.") from error
