"""A request as Python source, as the users of an SDK write it. Knows Python's syntax and no SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from core.llm import Sampling


@runtime_checkable
class Coded(Protocol):
    """A backend whose requests can be written down."""

    async def python(self, model: str, prompt: str, sampling: Sampling) -> str:
        """A program that sends `prompt` with these knobs through the provider's SDK. Raises AppError."""
        ...


def call(function: str, arguments: Mapping[str, Any], *first: str) -> str:
    """A call with one keyword argument a line; `first` are arguments given as source. None and {} are left out."""
    given = {name: value for name, value in arguments.items() if value is not None and value != {}}
    lines = [*first, *(f"{name}={literal(value)}" for name, value in given.items())]
    return "\n".join([f"{function}(", *(f"    {line}," for line in lines), ")"])


def literal(value: Any) -> str:
    """A JSON-like value as a Python literal, texts in double quotes."""
    if isinstance(value, str):
        # JSON's escapes are a part of Python's.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    return repr(value)
