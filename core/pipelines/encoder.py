"""Texts through an encoder with a head: cut into windows, sorted by length, in batches of about as many tokens.

The model and its tokenizer are those of a transformers pipeline. Its own loop takes one text at a time or, in batches
as they come, pads every text to the longest of its batch.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import AppError, BadReply, RequestRefused
from core.hub import HERE
from core.pipelines.files import loaded
from core.pipelines.kept import Kept
from core.pipelines.packed import pack
from core.pipelines.sentences import pieces
from core.pipelines.task import BUILT_IN, Files

log = logging.getLogger(__name__)

# Tokens in a batch, padding included, and texts in it at most. On a processor larger ones fall out of its caches: 512
# take 0.8 of the time of 1,536 (docs/pipelines.md).
_TOKENS = {"cpu": 512, "cuda": 32_768, "mps": 8192}
_MOST = 256
_OVERLAP = 64


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `ids` of text number `text`, special ones included; `inputs` are those of the model, one list each.

    `spans` says which characters of the text each token stands for, `words` to which word it belongs, None for special
    ones; nothing where the tokenizer does not tell. `first` is the place of its first token that is not special among
    all those of the text.
    """

    text: int
    inputs: dict[str, list[int]]
    spans: list[tuple[int, int]]
    words: list[int | None]
    first: int

    def __len__(self) -> int:
        return len(self.inputs["input_ids"])


def read(files: Files, task: str, auto: str) -> Any:
    """The transformers pipeline for `task`, its model of the class `auto`, with all of its weights there."""
    import transformers

    from core.machine import device
    from core.pipelines.builtin import heads

    if files.weights[0].name == heads.FILE:
        model, tokenizer = heads.read(files.folder, auto)
    else:
        model, tokenizer = loaded(files, auto)
    pipe = transformers.pipeline(task, model=model, tokenizer=tokenizer, device=device())
    pack(pipe.model, _TOKENS["cpu"])
    return pipe


def windows(kept: Kept, texts: Sequence[str], pairs: Sequence[str] = (), shared: int = 0) -> list[Window]:
    """`texts` as windows that fit the model, neighbours sharing `shared` tokens. A text of no token has none.

    With `pairs`, each text is followed by its pair, and only the text is cut.
    """
    return _of_sentences(kept, texts) if kept.name == BUILT_IN else _cut(kept, texts, pairs, shared)


def _of_sentences(kept: Kept, texts: Sequence[str]) -> list[Window]:
    """A window for each sentence: the built-in heads have learnt sentences, and read a page much worse."""
    parts = [(number, at, part) for number, text in enumerate(texts) for at, part in _sentences(text)]
    placed, tokens = list[Window](), dict[int, int]()
    for window in _cut(kept, [part for _, _, part in parts], (), 0):
        number, at, _ = parts[window.text]
        spans = [(start + at, end + at) for start, end in window.spans]
        placed.append(replace(window, text=number, spans=spans, first=tokens.get(number, 0)))
        tokens[number] = placed[-1].first + sum(word is not None for word in window.words)
    return placed


def _sentences(text: str) -> list[tuple[int, str]]:
    """The sentences of an English text, each with where it begins; a text of none is one."""
    found, at = [], 0
    for piece in pieces(text, "en"):
        if piece.text.strip():
            found.append((at, piece.text))
        at += len(piece.text)
    return found or [(0, text)]


def _cut(kept: Kept, texts: Sequence[str], pairs: Sequence[str], shared: int) -> list[Window]:
    tokenizer = kept.model.tokenizer
    if not texts:
        return []
    room = _room(kept)
    with kept.turn:
        made = tokenizer(
            list(texts), list(pairs) or None, truncation="only_first" if pairs else True, max_length=room,
            stride=shared if tokenizer.is_fast else 0, return_overflowing_tokens=tokenizer.is_fast,
            return_offsets_mapping=tokenizer.is_fast,
        )  # fmt: skip
    inputs = {name: made[name] for name in tokenizer.model_input_names if name in made}
    if not tokenizer.is_fast:
        return [Window(n, {k: v[n] for k, v in inputs.items()}, [], [], 0) for n in range(len(texts))]
    return list(_windows(made, inputs, shared))


def _windows(made: Any, inputs: dict[str, list[list[int]]], shared: int) -> Iterator[Window]:
    before, first = -1, 0
    for row, text in enumerate(made["overflow_to_sample_mapping"]):
        words = made.encodings[row].word_ids
        first = first if text == before else 0
        yield Window(text, {k: v[row] for k, v in inputs.items()}, made["offset_mapping"][row], words, first)
        first += sum(word is not None for word in words) - shared
        before = text


def counts(cut: Sequence[Window]) -> dict[int, int]:
    """How many windows each text has."""
    found = dict[int, int]()
    for window in cut:
        found[window.text] = found.get(window.text, 0) + 1
    return found


def overlap(kept: Kept) -> int:
    """How many tokens neighbouring windows share where the middle of an entity must not be a window's edge."""
    return 0 if kept.name == BUILT_IN else min(_OVERLAP, _room(kept) // 4)


def _room(kept: Kept) -> int:
    """The longest window in tokens: what both the tokenizer and the model's positions allow."""
    config = kept.model.model.config
    config = getattr(config, "text_config", config)
    positions = getattr(config, "max_position_embeddings", 0) or 512
    # RoBERTa's family counts positions from after its padding token.
    spare = 2 if config.model_type in ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet") else 0
    return int(max(8, min(kept.model.tokenizer.model_max_length, positions - spare, 4096)))


@dataclass(frozen=True, slots=True)
class Lost:
    """A batch that failed, and why."""

    error: AppError


def logits(kept: Kept, given: Sequence[Window]) -> Iterator[tuple[list[Window], list[Any] | Lost]]:
    """The model's answer for each window, a batch at a time; the turn is given to others in between.

    What fails loses its batch alone.
    """
    for batch in batches(given, _TOKENS[kept.model.device.type]):
        found: list[Any] | Lost
        try:
            with kept.turn:
                found = _forward(kept, batch)
        except Exception as error:
            found = Lost(said(error))
        yield batch, found


def batches(given: Sequence[Window], most: int) -> Iterator[list[Window]]:
    """The windows, those of like length together, in batches of at most `most` tokens."""
    waiting: list[Window] = []
    for window in sorted(given, key=len, reverse=True):
        if waiting and (len(waiting) >= _MOST or (len(waiting) + 1) * len(waiting[0]) > most):
            yield waiting
            waiting = []
        waiting.append(window)
    if waiting:
        yield waiting


def _forward(kept: Kept, batch: list[Window]) -> list[Any]:
    import torch

    pipe, longest = kept.model, len(batch[0])
    padding = {"input_ids": pipe.tokenizer.pad_token_id or 0, "token_type_ids": pipe.tokenizer.pad_token_type_id}
    left = pipe.tokenizer.padding_side == "left"
    with torch.inference_mode():
        inputs = {
            name: torch.tensor([_padded(window.inputs[name], longest, padding.get(name, 0), left) for window in batch])
            for name in batch[0].inputs
        }
        found = pipe.model(**{name: rows.to(pipe.device) for name, rows in inputs.items()}).logits.float().cpu()
    if found.ndim == 2:
        return list(found)
    return [row[longest - len(w) :] if left else row[: len(w)] for row, w in zip(found, batch, strict=True)]


def _padded(row: list[int], length: int, value: int, left: bool) -> list[int]:
    spare = [value] * (length - len(row))
    return spare + row if left else row + spare


def said(error: BaseException) -> AppError:
    """What went wrong while a model worked, in a sentence."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "allocate" in str(error).lower():
        return RequestRefused(HERE, "Try shorter texts, or a smaller model.", "The memory is used up.")
    log.error("a model failed", exc_info=error)
    return BadReply(HERE, "Try again, or choose another model.", "The model failed on it.")
