"""Vectors of texts that were embedded before, on disk: a text is embedded once, however often an index is made anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.rag.embedding import Embedder
from core.rag.passages import Report

Vectors = NDArray[np.float32]
Run = Callable[[Sequence[int]], Vectors]

# Texts of one length take the same time, and Stop waits for one group of them.
_GROUP = 64
# What other recipes and models have left behind may be this many times what is in use, and this many at least.
_SPARE, _LEAST = 4, 20_000
_ASKED = 500  # Keys in one question to SQLite.


def embedded(file: Path, model: Embedder, texts: Sequence[str], run: Run, report: Report) -> Vectors:
    """Vectors (n, dimension) of `texts`, from `file` where it knows them; what is new is written to it as it is made.

    `run` makes those of the texts of these numbers: it is how `model` is asked. `report` is called for each group and
    may raise to stop; what was made until then is kept.
    """
    with closing(_opened(file)) as known:
        keys = [_key(model, text) for text in texts]
        made = np.empty((len(texts), model.dimension), np.float32)
        missing = _recall(known, keys, made)
        for done, group in _groups(texts, missing):
            report(done / len(missing), f"Embedding {done:,} of {len(missing):,} passages")
            made[group] = run(group)
            rows = [(keys[number], made[number].tobytes()) for number in group]
            with known:
                known.executemany("insert or replace into vectors (key, vector) values (?, ?)", rows)
        _prune(known, len(set(keys)))
    return made


def _opened(file: Path) -> sqlite3.Connection:
    try:
        return _connected(file)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname not in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise
        # It holds nothing that cannot be made again.
        file.unlink()
        return _connected(file)


def _connected(file: Path) -> sqlite3.Connection:
    known = sqlite3.connect(file)
    known.execute("pragma journal_mode=wal")
    # A power cut may lose the last group, but never leaves a broken file.
    known.execute("pragma synchronous=normal")
    known.execute("create table if not exists vectors (number integer primary key, key blob unique, vector blob)")
    return known


def _key(model: Embedder, text: str) -> bytes:
    told = "\0".join((model.name, model.revision, str(model.dimension), text))
    return sha256(told.encode("utf-8", "surrogatepass")).digest()


def _recall(known: sqlite3.Connection, keys: Sequence[bytes], made: Vectors) -> list[int]:
    """Fill in what is known, and give the numbers of the texts that are not."""
    places: dict[bytes, list[int]] = {}
    for number, key in enumerate(keys):
        places.setdefault(key, []).append(number)
    distinct = list(places)
    for start in range(0, len(distinct), _ASKED):
        part = distinct[start : start + _ASKED]
        marks = ",".join("?" * len(part))
        found = known.execute(f"select key, vector from vectors where key in ({marks})", part)  # noqa: S608
        for key, vector in found:
            if len(vector) == made.shape[1] * made.itemsize:
                made[places.pop(key)] = np.frombuffer(vector, np.float32)
    return [number for numbers in places.values() for number in numbers]


def _groups(texts: Sequence[str], missing: list[int]) -> Iterator[tuple[int, list[int]]]:
    """How many are done before it, and the group."""
    ordered = sorted(missing, key=lambda number: -len(texts[number]))
    for start in range(0, len(ordered), _GROUP):
        yield start, ordered[start : start + _GROUP]


def _prune(known: sqlite3.Connection, used: int) -> None:
    with known:
        most = max(_LEAST, _SPARE * used)
        known.execute(
            "delete from vectors where number <= (select number from vectors order by number desc limit 1 offset ?)",
            (most,),
        )
