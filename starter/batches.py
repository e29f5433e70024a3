"""Dialogues packed into rows of tokens. Batch number i depends on the seed and on i alone, whoever makes it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from starter.data.dialogues import dialogue
from starter.render import render
from starter.tokenizer import PAD, ROLES, token_id

HELD_OUT = 10_000_000  # Batches from this number on are for measuring, never for training.


@dataclass(frozen=True)
class Packing:
    """How batches are made; travels to the worker processes."""

    tokenizer: Path
    seed: int
    rows: int
    length: int


@dataclass(frozen=True)
class Batch:
    """Arrays (rows, length): token ids, the document each belongs to, and whether the model should learn to say it."""

    tokens: NDArray[np.uint16]
    documents: NDArray[np.int16]
    spoken: NDArray[np.bool_]


_open: dict[Path, Tokenizer] = {}


def make_batch(packing: Packing, number: int) -> Batch:
    """Batch `number`: dialogues until the rows are full, packed."""
    if packing.tokenizer not in _open:
        _open[packing.tokenizer] = Tokenizer.from_file(str(packing.tokenizer))
    tokenizer = _open[packing.tokenizer]
    rng = Random(f"{packing.seed}:{number}")
    wanted, have, documents = packing.rows * packing.length, 0, []
    while have < wanted:
        texts = [render(dialogue(rng)) for _ in range(32)]
        for encoded in tokenizer.encode_batch(texts):
            if len(encoded.ids) <= packing.length:
                documents.append(np.array(encoded.ids, np.uint16))
                have += len(encoded.ids)
    return packed(documents, packing, tokenizer)


def packed(documents: list[NDArray[np.uint16]], packing: Packing, tokenizer: Tokenizer) -> Batch:
    """Longest first, each into the first row with room; what fits nowhere is left out."""
    shape = (packing.rows, packing.length)
    tokens, owners = np.full(shape, token_id(tokenizer, PAD), np.uint16), np.full(shape, -1, np.int16)
    spoken = np.zeros(shape, np.bool_)
    used = [0] * packing.rows
    for i, ids in enumerate(sorted(documents, key=len, reverse=True)):
        row = next((r for r in range(packing.rows) if used[r] + len(ids) <= packing.length), None)
        if row is None:
            continue
        at = slice(used[row], used[row] + len(ids))
        tokens[row, at], owners[row, at], spoken[row, at] = ids, i, spoken_by_model(ids, tokenizer)
        used[row] += len(ids)
    return Batch(tokens, owners, spoken)


def spoken_by_model(ids: NDArray[np.uint16], tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """True from after each <|assistant|> up to and with its <|end|>."""
    marks = np.isin(ids, [token_id(tokenizer, r) for r in ROLES])
    latest = np.maximum.accumulate(np.where(marks, np.arange(len(ids)), 0))
    mine: NDArray[np.bool_] = (ids[latest] == token_id(tokenizer, "<|assistant|>")) & ~marks
    return mine


def batches(packing: Packing, first: int, last: int, workers: int) -> Iterator[Batch]:
    """Batches `first` to `last` in order, made ahead by `workers` processes."""
    if workers < 1:
        yield from (make_batch(packing, i) for i in range(first, last))
        return
    with get_context("spawn").Pool(workers) as pool:
        ahead = deque(pool.apply_async(make_batch, (packing, i)) for i in range(first, min(last, first + 3 * workers)))
        for i in range(first, last):
            batch = ahead.popleft().get()
            if i + 3 * workers < last:
                ahead.append(pool.apply_async(make_batch, (packing, i + 3 * workers)))
            yield batch


def texts(seed: int, part: int, count: int) -> list[str]:
    """Rendered dialogues to train the tokenizer on."""
    rng = Random(f"{seed}:tokenizer:{part}")
    return [render(dialogue(rng)) for _ in range(count)]


__all__ = ["HELD_OUT", "Batch", "Packing", "batches", "make_batch", "texts"]
