"""From a conversation to what a model is asked for: ids that fit, a limit, and how tokens are chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends._local import LABEL
from backends._local.answer import Asked
from backends._local.choosing import processors
from backends._local.forms import spoken
from backends._local.grammar import Calls, Json
from backends._local.load import Loaded
from core.errors import ContextTooLong
from core.llm import Sampling, ToolSpec

LONGEST = 1024  # Tokens in an answer when nobody says: a page and a half, a minute or two for a small model on a CPU.


def asked(
    there: Loaded, prompt: str, tools: tuple[ToolSpec, ...], sampling: Sampling, schema: Mapping[str, Any] | None
) -> Asked:
    """Raises ContextTooLong, and RequestRefused for a schema that cannot be kept to."""
    ids = there.tokenizer(prompt, add_special_tokens=False).input_ids
    longest = sampling.max_tokens or LONGEST
    if window := there.files.context_window:
        longest = min(longest, window - len(ids))
    if longest < 1:
        raise ContextTooLong(LABEL)
    grammar = Json(there.grammar(), schema) if schema is not None else _calls(there, tools)
    return Asked(ids, longest, processors(sampling, there.defaults, grammar, there.model.device.type))


def _calls(there: Loaded, tools: tuple[ToolSpec, ...]) -> Calls | None:
    """The grammar for tool calls, where they are JSON between two markers of one token each."""
    form = spoken(there.form)
    if not tools or "<tool_call>" not in form or "<function=" in form:
        return None
    vocabulary = there.tokenizer.get_vocab()
    if not {"<tool_call>", "</tool_call>"} <= set(vocabulary):
        return None
    return Calls(there.grammar(), tools, vocabulary["<tool_call>"], vocabulary["</tool_call>"])
