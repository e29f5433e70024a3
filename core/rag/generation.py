"""One state of an index on disk: written once, checked by checksums when it is loaded, never changed afterwards.

GENERATION/
├── documents.jsonl   a line for each document: its text and its passages
├── vectors.npy       (n, dimension) float32, in the order of the passages
├── manifest.json     what they are, and their checksums; written last, so that its presence means completeness
├── late/             the vectors of their tokens (late.py)
├── words/            for searches by words, made from them when they are first needed (lookup.py)
├── store/ store.json the vector store made from them, and that it is complete
└── readers/          a file for each reader, so that nothing is removed under one
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from hashlib import file_digest
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexDamaged
from core.rag.passages import Document, Passage
from core.rag.store import About

FORMAT = 1
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError)
_OWN = frozenset(field.name for field in fields(Passage)) - {"source", "title", "doc_type", "text"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as it was when it was read. `refused` says why it holds no passages."""

    source: str
    digest: str
    stamp: tuple[int, int] | None = None
    passages: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation is made of. `made` is its Unix time."""

    about: About
    made: float
    entries: Mapping[str, Entry]
    passages: int
    sums: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT


Split = tuple[Document, Sequence[Passage]]


def ordered(documents: Sequence[Split]) -> list[Split]:
    """The order of a generation: what a filter chooses lies together."""
    return sorted(documents, key=lambda split: (split[0].doc_type, split[0].source))


def write_contents(folder: Path, documents: Sequence[Split], vectors: NDArray[np.float32]) -> None:
    """Documents, which are `ordered`, and vectors; `write_manifest` makes it complete."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
        for document, passages in documents:
            json.dump(_line(document, passages), file)
            file.write("\n")
        _settle(file.fileno())
    with (folder / "vectors.npy").open("wb") as binary:
        np.save(binary, vectors)
        _settle(binary.fileno())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The last file, in one step. It can be written again where only stamps have changed."""
    told = asdict(manifest) | {"sums": manifest.sums or _sums(folder)}
    told["entries"] = list(told["entries"].values())
    replace_text(folder / "manifest.json", json.dumps(told))


def read_manifest(folder: Path) -> Manifest:
    """What the generation is. Raises IndexDamaged."""
    try:
        told = json.loads((folder / "manifest.json").read_text("utf-8"))
        entries = [Entry(**entry | {"stamp": entry["stamp"] and tuple(entry["stamp"])}) for entry in told["entries"]]
        whole = {"about": About(**told["about"]), "entries": {entry.source: entry for entry in entries}}
        manifest = Manifest(**told | whole)
    except _DAMAGE as error:
        raise IndexDamaged from error
    if manifest.format != FORMAT:
        raise IndexDamaged
    return manifest


def read_contents(folder: Path, manifest: Manifest) -> tuple[list[Split], NDArray[np.float32]]:
    """Documents with their passages, and the vectors, mapped and not read. Raises IndexDamaged."""
    try:
        if _sums(folder) != dict(manifest.sums):
            raise IndexDamaged
        with (folder / "documents.jsonl").open(encoding="utf-8") as file:
            documents = [_split(json.loads(line)) for line in file]
        vectors: NDArray[np.float32] = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        expected = (sum(len(passages) for _, passages in documents), manifest.about.dimension)
    except _DAMAGE as error:
        raise IndexDamaged from error
    if vectors.shape != expected or vectors.dtype != np.float32:
        raise IndexDamaged
    return documents, vectors


def ranges(documents: Sequence[Split], by: str) -> dict[str, slice]:
    """For each source or doc_type, as `by` says, where its passages stand."""
    found, start = {}, 0
    for name, group in groupby(documents, key=lambda split: str(getattr(split[0], by))):
        end = start + sum(len(passages) for _, passages in group)
        found[name] = slice(start, end)
        start = end
    return found


def replace_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new one, whenever this process or the machine ends."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        _settle(file.fileno())
    os.replace(beside, path)


def _settle(descriptor: int) -> None:
    os.fsync(descriptor)


def _sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file from which the others could be made again, by its name."""
    return {name: _sum(folder / name) for name in ("documents.jsonl", "vectors.npy")}


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _line(document: Document, passages: Sequence[Passage]) -> dict[str, Any]:
    return asdict(document) | {"passages": [_told(passage) for passage in passages]}


def _told(passage: Passage) -> dict[str, Any]:
    """What of a passage its document does not say."""
    return {name: value for name in _OWN if (value := getattr(passage, name)) not in ("", None)}


def _split(told: dict[str, Any]) -> Split:
    passages = told.pop("passages")
    document = Document(**told | {"pages": tuple(told["pages"])})
    shared: dict[str, Any] = {"source": document.source, "title": document.title, "doc_type": document.doc_type}
    return document, [Passage(**shared, text=document.text[p["start"] : p["end"]], **p) for p in passages]


def current(root: Path) -> Path | None:
    """The folder of the generation in use, None before there is one."""
    try:
        name = (root / "current").read_text("utf-8")
    except OSError:
        return None
    return root / "generations" / name


def manifest_of(root: Path) -> Manifest | None:
    """What an index holds and how it was made, without loading it or its model. Raises IndexDamaged."""
    folder = current(root)
    return read_manifest(folder) if folder else None


def generations(root: Path) -> Iterator[Path]:
    """Every generation of an index, complete or not."""
    return (path for path in root.glob("generations/*") if path.is_dir())
