"""The same questions at many settings: how passages are cut, how many are taken, how they are searched for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from core.rag.embedding import Embedder
from core.rag.evaluate import Interval, Question, evaluate
from core.rag.index import Index
from core.rag.origins import Origins
from core.rag.passages import Report
from core.rag.search import Mode, Search
from core.rag.split import Recipe


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of a sweep, and what it reaches: each metric with its interval, `milliseconds` among them."""

    size: int
    k: int
    mode: Mode
    passages: int
    reached: dict[str, Interval]


def sweep(
    origins: Origins, model: Embedder, asked: Sequence[Question], wish: Search,
    sizes: Sequence[int], ks: Sequence[int], modes: Sequence[Mode], report: Report,
) -> Iterator[Setting]:  # fmt: skip
    """Measure every combination; the documents are indexed anew for each size, in a folder that is removed afterwards.

    `sizes` are in characters. `report` may raise to stop. Raises AppError.
    """
    steps = len(sizes) * (1 + len(ks) * len(modes))
    done = 0
    for size in sizes:
        with TemporaryDirectory(prefix="switchboard-sweep-") as folder:
            index = Index(Path(folder), model, "faiss")
            within = _part(report, done / steps, 0)  # Its several parts each count from nothing.
            index.refresh(origins, Recipe(size=size, overlap=size // 8), within)
            there = index.lookup(within)
            done += 1
            for k, mode in product(ks, modes):
                within = _part(report, done / steps, 1 / steps)
                reached = evaluate(there, asked, replace(wish, k=k, mode=mode), within).table()["all"]
                yield Setting(size, k, mode, len(there.corpus.passages), reached)
                done += 1


def _part(report: Report, start: float, share: float) -> Report:
    """A report on a part of the whole, which begins at `start`."""
    return lambda fraction, text: report(start + share * (fraction or 0), text)
