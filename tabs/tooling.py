"""The tools as endpoints of their own: what a model may call here, the model of an MCP client may call too."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, cast

import gradio as gr
from gradio.events import api
from gradio_client import Client

from core.errors import ToolError
from core.llm import ToolSpec
from core.tools import tools
from tabs.parts import refusal

_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}


def tool_endpoints() -> None:
    """Make each tool known to Gradio by its name."""
    for spec in tools().values():
        api(_callable(spec), api_name=spec.name)


def lets_in(page: gr.Blocks, token: str) -> None:
    """Let the MCP server of a launched page ask its endpoints, which are for those alone who have logged in.

    Gradio's server asks them as a client of its own, which it makes at the first call and without a login.
    """
    headers = {"x-gradio-user": "mcp", "authorization": f"Bearer {token}"}
    client = Client(page.local_url, download_files=False, verbose=False, analytics_enabled=False, headers=headers)
    cast("Any", page).mcp_server_obj._client_instance = client


def _callable(spec: ToolSpec) -> Callable[..., str]:
    """`spec` as the typed function that Gradio wants. An argument that a client leaves out has the tool's own value."""
    needed = spec.parameters.get("required", [])

    def call(*given: Any) -> str:
        named = zip(spec.parameters["properties"], given, strict=True)
        try:
            return spec.run({name: value for name, value in named if name in needed or value is not None})
        except ToolError as error:
            raise refusal(error) from error

    parameters = [
        Parameter(
            name, Parameter.POSITIONAL_OR_KEYWORD, annotation=_TYPES.get(kind.get("type", ""), Any),
            default=Parameter.empty if name in needed else None,
        )
        for name, kind in spec.parameters["properties"].items()
    ]  # fmt: skip
    call.__doc__ = spec.description
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": str}
    call.__signature__ = Signature(parameters, return_annotation=str)  # type: ignore[attr-defined]
    return call
