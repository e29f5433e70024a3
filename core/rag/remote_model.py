"""An embedding model that a provider runs: OpenAI, Ollama, or any compatible server. Knows none of them by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.budget import Bill, billed
from core.errors import BadReply, Overloaded, RateLimited
from core.llm import Embeds
from core.rag.embedding import Vectors
from core.remote import retry_wait

# What one request holds. A text-embeddings-inference server takes 32 texts as it comes, OpenAI 300,000 tokens.
_TEXTS, _CHARACTERS = 32, 100_000
# A server does not tell its limit. 512 tokens is what the models that people run themselves read at least.
LIMIT = 512


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """An Embedder. `label` names the provider in errors."""

    name: str
    dimension: int
    backend: Embeds
    model: str
    revision: str = ""  # Nobody tells it: a provider may change a model behind its name.
    max_tokens: int = LIMIT

    def tokens(self, text: str) -> int:
        """An estimate: the tokenizer is not here."""
        return estimated(text)

    def embed(self, texts: Sequence[str], query: bool = False) -> NDArray[np.float32]:
        """Vectors (n, dimension) of unit length. Must not be called on an event loop."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        made = np.concatenate([_asked(self.backend, self.model, batch) for batch in batches(texts)])
        if made.shape[1] != self.dimension:
            raise BadReply(self.backend.label)
        return made


def remote_model(name: str, backend: Embeds, model: str) -> RemoteModel:
    """The model, asked once for the length of its vectors. Raises ProviderError and SetupNeeded."""
    return RemoteModel(name, _asked(backend, model, ["length"]).shape[1], backend, model)


def _asked(backend: Embeds, model: str, texts: list[str]) -> NDArray[np.float32]:
    return of_unit_length(asyncio.run(_patiently(backend, model, texts)), len(texts), backend.label)


def of_unit_length(rows: Sequence[Sequence[float]], count: int, label: str) -> Vectors:
    """What a provider sent for `count` texts, one or more, as vectors (count, dimension). Raises BadReply in its name.

    Not every provider gives unit length, and a text of nothing but blanks may come back as zeros.
    """
    made = np.array(rows, np.float32) if len({len(row) for row in rows}) == 1 else np.empty(0, np.float32)
    if len(made) != count or made.ndim != 2 or not np.isfinite(made).all():
        raise BadReply(label)
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    return (made / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def estimated(text: str) -> int:
    """How many tokens a text has, on the safe side: a token has three characters or more."""
    return len(text) // 3 + 3


async def _patiently(backend: Embeds, model: str, texts: list[str]) -> list[list[float]]:
    """The vectors, within the budget, asked for again while the provider is busy: as for an answer."""
    attempt, bill = 0, await Bill.of_texts(backend, model, texts)
    while True:
        try:
            async with billed(bill) as meter:
                made = await backend.embed(model, texts)
                meter.answered()
                return made
        except (RateLimited, Overloaded) as busy:
            wait = retry_wait(busy, attempt)
            if wait is None:
                raise
            await asyncio.sleep(wait)
            attempt += 1


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """`texts` in groups that one request holds."""
    batch: list[str] = []
    for text in texts:
        if batch and (len(batch) == _TEXTS or sum(map(len, batch)) + len(text) > _CHARACTERS):
            yield batch
            batch = []
        # Some servers refuse an empty text, and none has anything to say of it.
        batch.append(text or " ")
    yield batch
