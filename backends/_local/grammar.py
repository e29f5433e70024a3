"""Making certain that JSON fits its schema: llguidance's matcher as a logits processor. Knows no chat form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backends._local import LABEL
from core.errors import RequestRefused
from core.llm import ToolSpec

# Models like to indent; without a limit a weak one may indent until its tokens are spent.
_SPACES = {"x-guidance": {"whitespace_pattern": r"( |\n[ \t]{0,16})?"}}


def vocabulary(tokenizer: Any, size: int, ends: list[int]) -> Any:
    """The tokenizer as llguidance needs it, made once per model in about a second. `size` is that of the logits."""
    from llguidance.hf import from_tokenizer

    return from_tokenizer(tokenizer, n_vocab=size, eos_token=ends)


class Json:
    """Every token fits `schema`, and the answer ends where the JSON does. Raises RequestRefused for a bad schema."""

    def __init__(self, tokens: Any, schema: Mapping[str, Any]) -> None:
        from llguidance import LLMatcher

        grammar = LLMatcher.grammar_from_json_schema(json.dumps(dict(schema) | _SPACES))
        self._matcher = _matcher(tokens, grammar)
        self._seen: int | None = None

    def __call__(self, ids: Any, scores: Any) -> Any:
        written = [] if self._seen is None else ids[0, self._seen :].tolist()
        self._seen = ids.shape[1]
        self._matcher.consume_tokens(written)
        return _masked(scores, self._matcher)


class Calls:
    """The body of every tool call names an offered tool and fits its parameters; text around the calls is free.

    `opening` and `closing` are the ids of the two markers, each one token.
    """

    def __init__(self, tokens: Any, tools: tuple[ToolSpec, ...], opening: int, closing: int) -> None:
        self._tokens = tokens
        self._opening = opening
        self._grammar = _call(tools, closing)
        self._matcher: Any | None = None
        _matcher(tokens, self._grammar)  # A schema that cannot be held to is refused before the first token.

    def __call__(self, ids: Any, scores: Any) -> Any:
        last = int(ids[0, -1])
        if self._matcher is not None:
            self._matcher.consume_token(last)
            if self._matcher.is_accepting() or self._matcher.is_error():
                self._matcher = None
        elif last == self._opening:
            self._matcher = _matcher(self._tokens, self._grammar)
        return scores if self._matcher is None else _masked(scores, self._matcher)


def _call(tools: tuple[ToolSpec, ...], closing: int) -> str:
    from llguidance import LLMatcher

    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": tool.name}, "arguments": dict(tool.parameters)},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    body = json.dumps({"anyOf": calls} | _SPACES)
    return str(
        LLMatcher.grammar_from_lark(
            f"%llguidance {{}}\nstart: SPACE call SPACE <[{closing}]>\nSPACE: /[ \\n]{{0,4}}/\ncall: %json {body}\n"
        )
    )


def _matcher(tokens: Any, grammar: str) -> Any:
    from llguidance import LLMatcher

    matcher = LLMatcher(tokens, grammar, log_level=0)
    if matcher.is_error():
        raise RequestRefused(
            LABEL,
            "Use only the common words of JSON schema.",
            "The JSON schema holds something that cannot be kept to.",
        )
    return matcher


def _masked(scores: Any, matcher: Any) -> Any:
    """`scores` with -inf for every token that does not fit."""
    import torch

    allowed = torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8)
    return scores.masked_fill((allowed == 0).to(scores.device), float("-inf"))
