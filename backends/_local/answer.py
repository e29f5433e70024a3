"""One answer: a thread that generates, and the pieces of text that come out of it. Everything here is per call."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from backends._local import LABEL
from backends._local.forms import spoken
from backends._local.load import Loaded
from backends._local.turns import Stopped
from core.errors import AppError, BadReply, RequestRefused
from core.streams import paced

log = logging.getLogger(__name__)

_HELD = 4  # Tokens that may wait for the rest of a character: UTF-8 has at most four bytes.
# Seconds between two pieces. Every piece wakes the event loop, and until Python hands it the interpreter (5 ms) the
# thread that generates stands still: with a piece for every token a small model ran at 0.6 of its speed.
_PIECE = 0.03


@dataclass(frozen=True, slots=True)
class Piece:
    """The next characters, and how many tokens there have been."""

    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The thread is through: with how many tokens, whether the model ended it, and what went wrong."""

    tokens: int
    by_model: bool
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the thread is asked for: the prompt's ids, how many tokens at most, and how they are chosen."""

    ids: list[int]
    longest: int
    processors: list[Any]


async def pieces(loaded: Loaded, asked: Asked) -> AsyncGenerator[Piece | Ended]:
    """The answer's raw text as it comes, and Ended as the last item. Closing this ends the thread before it returns.

    Raises TimedOut, and BadReply or RequestRefused for what went wrong in the thread.
    """
    queue: asyncio.Queue[Piece | Ended] = asyncio.Queue()
    stop = threading.Event()
    tokens = _Tokens(loaded, asyncio.get_running_loop(), queue)
    thread = threading.Thread(target=_generate, args=(loaded, asked, tokens, stop), name="answer", daemon=True)
    thread.start()
    try:
        async with aclosing(paced(_until_ended(queue), LABEL)) as paced_pieces:
            async for piece in paced_pieces:
                if isinstance(piece, Ended) and piece.error is not None:
                    raise _said(piece.error)
                yield piece
    finally:
        stop.set()
        # The model looks at the flag in every layer, so this is short; the loop stays free meanwhile.
        await asyncio.to_thread(thread.join)


async def _until_ended(queue: asyncio.Queue[Piece | Ended]) -> AsyncGenerator[Piece | Ended]:
    while True:
        piece = await queue.get()
        yield piece
        if isinstance(piece, Ended):
            return


def _generate(loaded: Loaded, asked: Asked, tokens: _Tokens, stop: threading.Event) -> None:
    import torch

    error: Exception | None = None
    try:
        torch.set_num_threads(loaded.threads)  # It holds for the calling thread.
        loaded.turns.lend(stop)
        with torch.inference_mode():
            ids = torch.tensor([asked.ids], device=loaded.model.device)
            loaded.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=asked.longest,
                do_sample=False,  # Chance is a processor: see choosing.py.
                logits_processor=asked.processors,
                streamer=tokens,
            )
    except Stopped:
        pass
    except Exception as caught:
        log.exception("generating failed")
        error = caught
    tokens.finish(error)


class _Tokens:
    """A streamer of transformers': turns tokens into whole characters and hands them to the event loop."""

    def __init__(self, loaded: Loaded, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[Piece | Ended]) -> None:
        self._loop, self._queue = loop, queue
        self._decode = loaded.tokenizer.decode
        self._ends = frozenset(loaded.ends)
        self._unsaid = _unsaid(loaded)
        self._ids: list[int] = []
        self._context = self._said = 0  # Ids before `_said` have been shown; those from `_context` on help decoding.
        self._prompt = True
        self._count, self._last = 0, -1
        self._text_to_send, self._sent_at = "", 0.0

    def put(self, value: Any) -> None:
        """The prompt first, then one token at a time."""
        if self._prompt:
            self._prompt = False
            return
        self._last = int(value.flatten()[0])
        self._count += 1
        if self._last not in self._unsaid:
            self._ids.append(self._last)
            self._say(self._new(), self._last)

    def end(self) -> None:
        """Called by transformers; `finish` says more."""

    def finish(self, error: Exception | None) -> None:
        """What is left, without a torn character, and Ended."""
        if left := self._text_to_send + self._new().rstrip("�"):
            self._send(Piece(left, self._count))
        self._send(Ended(self._count, self._last in self._ends, error))

    def _new(self) -> str:
        """The text of the ids not shown yet. A token's text may depend on the one before it: SentencePiece's spaces."""
        before = self._text(self._ids[self._context : self._said])
        return self._text(self._ids[self._context :])[len(before) :]

    def _say(self, text: str, last: int) -> None:
        if text and (not text.endswith("�") or len(self._ids) - self._said >= _HELD):
            self._context, self._said = self._said, len(self._ids)
            self._text_to_send += text
            if (now := time.monotonic()) - self._sent_at >= _PIECE:
                self._send(Piece(self._text_to_send, self._count))
                self._text_to_send, self._sent_at = "", now

    def _text(self, ids: list[int]) -> str:
        return str(self._decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)) if ids else ""

    def _send(self, item: Piece | Ended) -> None:
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
        except RuntimeError:
            raise Stopped from None  # The loop is closed: nobody listens any more.


def _unsaid(loaded: Loaded) -> frozenset[int]:
    """Tokens that never become text: the ends, and special ones but for the markers that the form looks for."""
    looked_for = spoken(loaded.form)
    added = loaded.tokenizer.added_tokens_decoder.items()
    marks = (one for one, token in added if token.special and token.content not in looked_for)
    return frozenset((*loaded.ends, *marks))


def _said(error: Exception) -> AppError:
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return RequestRefused(LABEL, "Start a new conversation, or choose a smaller model.", "The memory is used up.")
    return BadReply(LABEL, "Try again, or choose another model.", "The model failed while it was answering.")
