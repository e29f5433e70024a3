"""A chat completion as a program with OpenAI's SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.snippets import call, literal

if TYPE_CHECKING:
    from backends.openai import OpenAI

# What `chat.completions.create` takes by name; other servers' own fields go into `extra_body`.
NAMED = {
    "temperature", "top_p", "frequency_penalty", "presence_penalty", "max_tokens", "max_completion_tokens", "seed",
    "stop", "reasoning_effort",
}  # fmt: skip


def snippet(server: OpenAI, request: Mapping[str, Any]) -> str:
    """The program, from the very request that the app would send."""
    knobs = request["extra_body"]
    arguments = {"model": request["model"], "messages": request["messages"]}
    arguments |= {name: value for name, value in knobs.items() if name in NAMED}
    arguments["extra_body"] = {name: value for name, value in knobs.items() if name not in NAMED}
    asking = call("answer = client.chat.completions.create", arguments)
    return f"{_client(server)}\n{asking}\nprint(answer.choices[0].message.content)\n"


def _client(server: OpenAI) -> str:
    if server.key_variable == "OPENAI_API_KEY":
        return "from openai import OpenAI\n\nclient = OpenAI()"
    address = f"base_url={literal(server.base_url)}"
    if not server.key_variable:
        return f'from openai import OpenAI\n\nclient = OpenAI({address}, api_key="none")'
    key = f"api_key=os.environ[{literal(server.key_variable)}]"
    return f"import os\n\nfrom openai import OpenAI\n\nclient = OpenAI({address}, {key})"
