"""How large a context window a conversation needs, in tokens, when nobody counts tokens but the model itself.

Ollama drops the oldest messages of a prompt that does not fit, without a word. So the window is sized by a guess that
is rather too high, and a conversation is refused, or an answer distrusted, by one that is rather too low.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# English has about 4.5 bytes a token, code and other scripts about 3.
FEWEST_BYTES_A_TOKEN = 3
MOST_BYTES_A_TOKEN = 6
SMALLEST = 4096


@dataclass(frozen=True, slots=True)
class Size:
    """The tokens of a prompt: at least, and at most, as far as its length tells."""

    least: int
    most: int


def size(messages: Iterable[Mapping[str, Any]], tools: Iterable[Mapping[str, Any]]) -> Size:
    """The size of a prompt of `messages` and `tools` as they are sent."""
    everything = json.dumps([*messages, *tools], ensure_ascii=False)
    # A run of the same character can be a single token, however long it is.
    texts = re.sub(r"(.)\1+", r"\1", "".join(str(message["content"]) for message in messages), flags=re.DOTALL)
    return Size(len(texts.encode()) // MOST_BYTES_A_TOKEN, len(everything.encode()) // FEWEST_BYTES_A_TOKEN)


def window(prompt: Size, room: int, limit: int | None) -> int:
    """The window for a prompt and `room` for its answer: a power of two, so that few turns reload the model."""
    enough = SMALLEST
    while enough < prompt.most + room:
        enough *= 2
    return min(enough, limit) if limit else enough


def was_cut(prompt: Size, counted: int | None, window: int) -> bool:
    """Whether a model that says it has read `counted` tokens cannot have seen the whole prompt."""
    if counted is None:
        return False
    tight = prompt.most > window // 2
    return counted >= window or (tight and counted < prompt.least)
