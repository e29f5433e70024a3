"""A message as a program with Anthropic's SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.snippets import call

_FRAME = """from anthropic import Anthropic

client = Anthropic()
request = {request}
with client.messages.stream(**request) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
"""


def snippet(request: Mapping[str, Any]) -> str:
    """The program. It streams: the SDK refuses to wait for an answer that may be as long as these may."""
    return _FRAME.format(request=call("dict", request))
