"""Pairs as batches of numbers, made while the model learns. Knows how sentences are cut into pieces."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from core.pipelines.builtin.french import data
from core.pipelines.builtin.french.network import LONGEST, Recipe

Row = tuple[list[int], list[int]]  # what is read, with mark and end; what is written, with its end


def rows(pieces: Any, both: tuple[data.Pair, data.Pair], chance: random.Random | None) -> list[Row]:
    """A pair for each direction as numbers. With `chance` as people type, and words cut at times in other pieces."""
    size, found = pieces.get_piece_size(), list[Row]()
    for place, (source, target) in enumerate((("en", "fr"), ("fr", "en"))):
        read, wanted = both[place][place], both[place][1 - place]
        cut = {}
        if chance:
            read = data.typed(read, source, chance)
            cut = {"enable_sampling": True, "alpha": 0.2, "nbest_size": -1} if chance.random() < 0.4 else {}
        row = [size + list(data.MARKS).index(target), *pieces.encode(read, **cut), 0], [*pieces.encode(wanted), 0]
        if max(map(len, row)) <= LONGEST:
            found.append(row)
    return found


def batches(pieces: Any, found: list[Row], most: int) -> Iterator[tuple[Any, Any]]:
    """Rows of like length together as two arrays of numbers, padded (by the vocabulary's last, in labels by -100)."""
    import numpy

    waiting: list[Row] = []
    for row in [*sorted(found, key=lambda row: (len(row[0]) + len(row[1]), len(row[0]))), None]:
        longest = [max(map(len, column)) for column in zip(*waiting, *([row] if row else []), strict=True)]
        if waiting and (row is None or sum(longest) * (len(waiting) + 1) > most):
            made = []
            for column, padding in zip(zip(*waiting, strict=True), (pieces.get_piece_size() + 2, -100), strict=True):
                made.append(numpy.full((len(waiting), -(-max(map(len, column)) // 4) * 4), padding, numpy.int64))
                for place, numbers in enumerate(column):
                    made[-1][place, : len(numbers)] = numbers
            yield made[0], made[1]
            waiting = []
        waiting += [row] if row else []


def _forever(folder: Path, recipe: Recipe) -> Iterator[tuple[Any, Any]]:
    """Batches without end, for torch's loader; each of its processes makes others. The same seed makes the same."""
    import sentencepiece
    from torch.utils.data import get_worker_info

    worker = get_worker_info()
    seed = recipe.seed * 1000 + (worker.id if worker else 0)
    sentencepiece.set_random_generator_seed(seed)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    chance, pairs = random.Random(seed), data.forever(seed, recipe.share)
    count = max(200, recipe.batch // 4)
    while True:
        found = [row for both in islice(pairs, count) for row in rows(pieces, both, chance)]
        made = list(batches(pieces, found, recipe.batch))
        chance.shuffle(made)
        yield from made


def stream(folder: Path, recipe: Recipe, workers: int) -> Iterator[tuple[Any, Any]]:
    """The batches, made by `workers` other processes (0: by this one)."""
    from torch.utils.data import DataLoader, IterableDataset

    class Streamed(IterableDataset[Any]):
        """What torch's loader wants to be given."""

        def __iter__(self) -> Iterator[Any]:
            return _forever(folder, recipe)

    options: dict[str, Any] = {"prefetch_factor": 16, "multiprocessing_context": "fork"} if workers else {}
    return iter(DataLoader(Streamed(), batch_size=None, collate_fn=_same, num_workers=workers, **options))


def _same(batch: Any) -> Any:
    return batch
