"""A brochure as a file, saved by the browser: nothing is written to the server's disk."""

from __future__ import annotations

import base64
import json
import re
from functools import partial

import gradio as gr

from core.brochure import Dossier
from core.brochure.export import FORMATS
from tabs.parts import QUIET

_TYPES = {"md": "text/markdown", "html": "text/html", "pdf": "application/pdf"}
_NAMES = {"md": "Markdown", "html": "HTML", "pdf": "PDF"}
_SAVE = """(made) => {
    const {name, type, data} = JSON.parse(made);
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], {type}));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
}"""


def files(dossier: gr.State) -> None:
    """Draw a button for each format."""
    made = gr.Textbox(visible=False)
    with gr.Row():
        for ending in FORMATS:
            button = gr.Button(f"↓ {_NAMES[ending]}", size="sm", min_width=90, elem_id=f"save-{ending}")
            saved = button.click(partial(_made, ending), dossier, made, **QUIET)
            saved.success(None, made, None, js=_SAVE)


def _made(ending: str, dossier: Dossier) -> str:
    content = FORMATS[ending](dossier)
    data = content.encode() if isinstance(content, str) else content
    name = re.sub(r"[^\w-]+", "-", dossier.company).strip("-").lower() or "brochure"
    file = {"name": f"{name}.{ending}", "type": _TYPES[ending], "data": base64.b64encode(data).decode()}
    return json.dumps(file)
