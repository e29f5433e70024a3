"""Where an index's documents come from, and how it is known that one is unchanged without reading it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from core.errors import AppError
from core.rag.load import File, contents, listing, read_all
from core.rag.passages import Document


@dataclass(frozen=True, slots=True)
class Origin:
    """One document that may have to be read.

    `digest` gives the SHA-256 of what it is read from, or raises AppError. `stamp` is a file's size and the time of
    its last change in nanoseconds, None where only `digest` can tell whether it has changed.
    """

    source: str
    digest: Callable[[], str]
    stamp: tuple[int, int] | None = None


Outcome = tuple[str, Document | AppError]


class Origins(Protocol):
    """All the documents that an index shall hold."""

    def listed(self) -> Sequence[Origin]:
        """What there is, unread. Raises AppError."""
        ...

    def read(self, sources: Sequence[str]) -> Iterator[Outcome]:
        """Each of these, read, or why it cannot be."""
        ...


@dataclass(frozen=True, slots=True)
class FolderOrigins:
    """Every file below a folder that can be read."""

    root: Path

    def listed(self) -> list[Origin]:
        """What there is, unread. Raises FileUnread when there is no such folder."""
        return [_of_file(file) for file in listing(self.root).files]

    def read(self, sources: Sequence[str]) -> Iterator[Outcome]:
        """Each of these, read by one child process."""
        chosen = set(sources)
        for file, outcome in read_all(file for file in listing(self.root).files if file.source in chosen):
            yield file.source, outcome


@dataclass(frozen=True, slots=True)
class ReadyOrigins:
    """Documents that have been read already: uploads, pages of a site."""

    documents: Sequence[Document]

    def listed(self) -> list[Origin]:
        """What there is."""
        return [_ready(document) for document in self.documents]

    def read(self, sources: Sequence[str]) -> Iterator[Outcome]:
        """Each of these."""
        chosen = set(sources)
        return ((document.source, document) for document in self.documents if document.source in chosen)


def _of_file(file: File) -> Origin:
    try:
        about = file.path.lstat()
        stamp = about.st_size, about.st_mtime_ns
    except OSError:
        stamp = None  # Reading it will say why.
    return Origin(file.source, lambda: sha256(contents(file)).hexdigest(), stamp)


def _ready(document: Document) -> Origin:
    digest = document.digest or sha256(document.text.encode("utf-8", "replace")).hexdigest()
    return Origin(document.source, lambda: digest)
