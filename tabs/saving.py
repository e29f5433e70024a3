"""Handing a text to the visitor as a file. The browser makes it, so nothing is written to the server's disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from tabs.parts import QUIET

# Of a name and a text; an empty text is not saved. What was saved is forgotten, so that it can be saved again.
SAVE = """(name, text) => {
    if (!text) return text;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {type: "text/plain"}));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
    return "";
}"""


def saves(button: gr.Button, make: Callable[..., str], inputs: Sequence[Any], name: str) -> None:
    """Let `button` save what `make` says of `inputs` as a file called `name`; an empty text is not saved."""
    text = gr.Textbox(visible=False)
    made = button.click(make, list(inputs), text, **QUIET)
    made.success(None, text, text, js=f"(text) => ({SAVE})({json.dumps(name)}, text)")
