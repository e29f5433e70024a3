"""Vectors of passages and of each of their tokens, both from one pass of the model over every passage that is new."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from core.rag import late
from core.rag.embedding import ByTokens, Embedder, States, Vectors
from core.rag.late import Known, Tokens
from core.rag.passages import Passage, Report
from core.rag.vectors import embedded

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Before:
    """What there is already: `vectors`, and tokens in the folder `late`; `rows` says in which row an id stands."""

    rows: Mapping[str, int] = field(default_factory=dict)
    vectors: Vectors = field(default_factory=lambda: np.empty((0, 0), np.float32))
    late: Path | None = None

    def tokens(self, model: ByTokens) -> Known:
        """The tokens by passage."""
        return late.known_of(late.load(self.late, model, len(self.vectors)) if self.late else None, self.rows)


def made(
    passages: Sequence[Passage], before: Before, cache: Path, model: Embedder, folder: Path, report: Report
) -> Vectors:
    """A vector for each passage (n, dimension): from `before`, from the `cache`, else made.

    Their tokens are left in `folder`, for models and sizes that have them. `report` may raise to stop.
    """
    if not late.wanted(model, len(passages)):
        return _vectors(passages, before, cache, model, report, None)
    old = before.tokens(model)
    with _spool(folder.with_name("tokens"), model) as spool:
        vectors = _vectors(passages, before, cache, model, report, spool)
        try:
            late.build(folder, model, passages, report, lambda name: old(name) or spool.known(name))
        except OSError as problem:
            # What it brings is better order, and searches go on without it.
            log.warning("the tokens were not kept: %s", problem)
    return vectors


def _vectors(
    passages: Sequence[Passage], before: Before, cache: Path, model: Embedder, report: Report, spool: Spool | None
) -> Vectors:
    vectors = np.empty((len(passages), model.dimension), np.float32)
    rows = [before.rows.get(passage.id, -1) for passage in passages]
    there = [number for number, row in enumerate(rows) if row >= 0]
    if there:
        vectors[there] = before.vectors[[rows[number] for number in there]]
    missing = [number for number, row in enumerate(rows) if row < 0]
    texts = [passages[number].shown for number in missing]

    def run(group: Sequence[int]) -> Vectors:
        if spool is None:
            return model.embed([texts[number] for number in group])
        found, read = spool.model.read([texts[number] for number in group])
        spool.add([passages[missing[number]].id for number in group], read)
        return found

    if missing:
        vectors[missing] = embedded(cache, model, texts, run, report)
    return vectors


class Spool:
    """Tokens of passages in a file, in the order in which they come: all of them are more than fits into memory."""

    def __init__(self, file: BinaryIO, model: ByTokens) -> None:
        self.model = model
        self._file = file
        self._kept = late.kept(model)
        self._places: dict[str, tuple[np.ndarray[tuple[int], np.dtype[np.int32]], int, int]] = {}

    def add(self, names: Sequence[str], read: Sequence[States]) -> None:
        """Keep what was `read` of the passages of these ids."""
        for name, (ids, states) in zip(names, map(self._kept, read), strict=True):
            self._places[name] = ids, self._file.tell(), states.shape[1]
            self._file.write(states.tobytes())

    def known(self, name: str) -> Tokens | None:
        """The tokens of the passage of this id."""
        if name not in self._places:
            return None
        ids, start, width = self._places[name]
        self._file.seek(start)
        return ids, np.frombuffer(self._file.read(len(ids) * width), np.int8).reshape(len(ids), width)


@contextmanager
def _spool(path: Path, model: ByTokens) -> Iterator[Spool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("w+b") as file:
            yield Spool(file, model)
    finally:
        path.unlink(missing_ok=True)
