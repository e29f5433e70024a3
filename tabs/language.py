"""In which language the page is: the browser's, or the one that was chosen in it. Knows no word of any."""

from __future__ import annotations

from typing import Any

import gradio as gr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tabs.parts import QUIET
from tabs.texts import LANGUAGES

_KEY = "switchboard-language"
# Gradio asks the browser for its language once, before anything of a page's own is run, so this comes before Gradio.
SCRIPT = f"""<script>{{
    const chosen = localStorage.getItem({_KEY!r});
    if (chosen) Object.defineProperty(navigator, "language", {{value: chosen}});
}}</script>""".encode()
_READ = f"() => localStorage.getItem({_KEY!r}) ?? ''"
_WRITE = f"(language) => {{ localStorage.setItem({_KEY!r}, language); location.reload(); }}"


class Spoken:
    """Puts SCRIPT at the head of the page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET"
        await self.app(scope, receive, _headed(send) if is_page else send)


def _headed(send: Send) -> Send:
    """`send`, with SCRIPT in front of all others. How long the body is, its end tells."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            message = {**message, "body": message.get("body", b"").replace(b"<head>", b"<head>" + SCRIPT, 1)}
        await send(message)

    return sending


def chooser(load: Any) -> None:
    """Draw the choice of a language. `load` is the event of its being shown."""
    rows = [("as the browser's", ""), *((name, code) for code, name in LANGUAGES.items())]
    chosen = gr.Radio(rows, value="", label="Language", info="The page is loaded anew.", elem_id="language")
    load(None, None, chosen, js=_READ, **QUIET)
    chosen.input(None, chosen, None, js=_WRITE, **QUIET)
