"""Making and trying a vector store in a child process: a damaged Chroma can end the process that opens it.

python -m core.rag.upkeep make GENERATION KIND COLLECTION     the store gets what the generation holds
python -m core.rag.upkeep try GENERATION                      it is there, whole, and finds what it holds
python -m core.rag.upkeep leave GENERATION                    what a server holds of it goes, unless others use it
"""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from core.errors import AppError, StoreUnusable
from core.rag.chroma import ChromaStore
from core.rag.generation import read_contents, read_manifest, replace_text
from core.rag.passages import Passage, Report
from core.rag.store import SERVER, About, Record, Store, Vector, open_store

_PAGE = 1_000  # Records written before progress is told; small pages cost Chroma time.
_SAMPLE, _NEARBY = 50, 10
_SELF = 0.999  # The similarity of a vector to itself, or to a passage of the same words.
_ROOT = Path(__file__).parent.parent.parent


def records(passages: Sequence[Passage], vectors: Vector) -> list[Record]:
    """Passages as a store keeps them."""
    return [
        Record(p.id, p.shown, {"source": p.source, "doc_type": p.doc_type}, vector)
        for p, vector in zip(passages, vectors, strict=True)
    ]


# --- in the process of the app ----------------------------------------------------------------------------------------


def make(generation: Path, kind: str, collection: str, report: Report, old: Path | None = None) -> None:
    """Make the store of a generation; from a copy of the `old` one's, where that has one of the same kind.

    Whatever `report` raises ends the work. Raises StoreUnusable.
    """
    if old is not None and kind == "chroma" and complete(old) and not (generation / "store").exists():
        shutil.copytree(old / "store", generation / "store")
    try:
        _child(["make", str(generation.resolve()), kind, collection], report)
    except StoreUnusable:
        # A copy of something damaged is damaged; the generation's own files are not.
        shutil.rmtree(generation / "store", ignore_errors=True)
        _child(["make", str(generation.resolve()), kind, collection], report)


def left(generation: Path) -> bool:
    """Give up what a server holds of a generation that nobody reads any more; whether there is nothing left of it."""
    try:
        if SERVER.fullmatch(_told(generation)["kind"]):
            _child(["leave", str(generation.resolve())], lambda *_: None)
    except StoreUnusable:
        return not complete(generation)
    return True


def complete(generation: Path) -> bool:
    """Whether the store of a generation was made to its end."""
    return (generation / "store.json").is_file()


def opened(generation: Path, about: About, kind: str, passages: Sequence[Passage], vectors: Vector) -> Store:
    """The store of a generation, tried in a child before it is opened here; one in memory is filled.

    Raises StoreUnusable; then it counts as not made, and the next refresh makes it.
    """
    if kind == "faiss":
        store = open_store(kind, generation, "", about)
        store.upsert(records(passages, vectors))
        return store
    try:
        _child(["try", str(generation.resolve())], lambda *_: None)
        told = _told(generation)
        return open_store(told["kind"], generation / "store", told["collection"], about)
    except StoreUnusable:
        (generation / "store.json").unlink(missing_ok=True)
        raise


def _child(arguments: list[str], report: Report) -> None:
    command = [sys.executable, "-m", "core.rag.upkeep", *arguments]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        try:
            for line in child.stdout or ():
                done, _, total = line.partition(" ")
                report(int(done) / max(1, int(total)), "Writing the vector store")
        finally:
            # Reading has come to its end, or nobody wants the rest.
            child.kill() if sys.exc_info()[0] else None
    if child.returncode:
        raise StoreUnusable("The vector store cannot be used: it is damaged, full, or its server is away.")


def _told(generation: Path) -> dict[str, str]:
    try:
        told: dict[str, str] = json.loads((generation / "store.json").read_text("utf-8"))
        return {"kind": told["kind"], "collection": told["collection"]}
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise StoreUnusable("The vector store is not complete.") from error


# --- in the child -----------------------------------------------------------------------------------------------------


def _make(generation: Path, kind: str, collection: str) -> None:
    manifest = read_manifest(generation)
    documents, vectors = read_contents(generation, manifest)
    passages = [passage for _, own in documents for passage in own]
    store = open_store(kind, generation / "store", collection, manifest.about)
    wanted, there = {passage.id for passage in passages}, store.ids()
    store.delete(sorted(there - wanted))
    missing = [row for row, passage in enumerate(passages) if passage.id not in there]
    for start in range(0, len(missing), _PAGE):
        rows = missing[start : start + _PAGE]
        store.upsert(records([passages[row] for row in rows], vectors[rows]))
        sys.stdout.write(f"{start + len(rows)} {len(missing)}\n")
        sys.stdout.flush()
    _check(store, vectors)
    if isinstance(store, ChromaStore) and SERVER.fullmatch(kind):
        store.join(_user(generation))
    store.close()
    replace_text(generation / "store.json", json.dumps({"kind": kind, "collection": collection}))


def _leave(generation: Path) -> None:
    about, told = read_manifest(generation).about, _told(generation)
    store = ChromaStore.open(told["kind"], generation / "store", told["collection"], about)
    store.leave(_user(generation))
    store.close()


def _user(generation: Path) -> str:
    """The generation's name for a server that others use too."""
    return sha256(f"{socket.gethostname()}\0{generation.resolve()}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _try(generation: Path) -> None:
    manifest, told = read_manifest(generation), _told(generation)
    _, vectors = read_contents(generation, manifest)
    store = open_store(told["kind"], generation / "store", told["collection"], manifest.about)
    _check(store, vectors)
    store.close()


def _check(store: Store, vectors: Vector) -> None:
    """Raise StoreUnusable where the store does not find what it holds: a lost file shows in nothing else."""
    if store.count() != len(vectors):
        raise StoreUnusable("The vector store is not complete.")
    rows = random.sample(range(len(vectors)), min(_SAMPLE, len(vectors)))
    for row in rows:
        found = store.nearest(np.array(vectors[row]), _NEARBY)
        if not found or found[0][1] < _SELF:
            raise StoreUnusable("The vector store has lost vectors.")


def _main(arguments: Sequence[str]) -> int:
    try:
        match arguments:
            case ["make", generation, kind, collection]:
                _make(Path(generation), kind, collection)
            case ["try", generation]:
                _try(Path(generation))
            case ["leave", generation]:
                _leave(Path(generation))
            case _:
                return 2
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
