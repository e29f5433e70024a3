"""The likeliest next tokens, as servers of chat completions tell them (API reference, `top_logprobs`)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from core.llm import Conversation, Message
from core.sampling import Pick, Scores
from core.tokens import shown

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk

ASKED = {"logprobs": True, "top_logprobs": 20}  # The most that OpenAI tells.


def conversation(prompt: str, answer: tuple[Pick, ...]) -> Conversation:
    """The question and the answer so far; some servers go on from there, others begin a new answer."""
    begun = "".join(pick.text for pick in answer)
    said = (Message("user", prompt),)
    return (*said, Message("assistant", begun)) if begun else said


def scores(chunk: ChatCompletionChunk, answer: tuple[Pick, ...]) -> Scores | None:
    """The candidates of the first token, likeliest first; None where the chunk tells none.

    The logarithm of a probability serves as the score: it differs from it by a constant, which no step but the
    repetition penalty looks at.
    """
    told = [entry for choice in chunk.choices or () if choice.logprobs for entry in choice.logprobs.content or ()]
    if not told or not told[0].top_logprobs:
        return None
    rows = sorted(told[0].top_logprobs, key=lambda row: -row.logprob)
    texts = [_text(row) for row in rows]
    said = Counter(pick.text for pick in answer)
    counts = {place: said[text] for place, text in enumerate(texts) if said[text]}
    logits = np.array([row.logprob for row in rows], np.float32)
    return Scores(logits, texts.__getitem__, frozenset(counts), counts, whole=False)


def _text(row: Any) -> str:
    """A token that is a part of a character comes as bytes; its text is then of no use."""
    return shown(bytes(row.bytes)) if row.bytes else str(row.token)
