"""In which language the page is: the browser's, or the one that was chosen in it. Knows no word of any."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import gradio as gr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tabs.assets import First
from tabs.parts import QUIET
from tabs.texts import COOKIE, LANGUAGES, TEXTS, asked

_READ = f"() => document.cookie.match(/{COOKIE}=(\\w*)/)?.[1] ?? ''"
_WRITE = f"""(language) => {{
    document.cookie = `{COOKIE}=${{language}}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
}}"""
# Gradio asks the browser for its language once, before it runs anything of ours; so this stands before all of it.
_TOLD = b'<head><script>Object.defineProperty(navigator, "language", {value: "%b"})</script>'
_NONE = b'"i18n_translations":null'


class Spoken:
    """Gives the page one language's words, the visitor's: with those of all, it would be twice as long.

    `first` is what it asks for at once.
    """

    def __init__(self, app: ASGIApp, first: First) -> None:
        self.app, self.first = app, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET"
        await self.app(scope, receive, _speaking(asked(Headers(scope=scope)), self.first, send) if is_page else send)


def _speaking(language: str, first: First, send: Send) -> Send:
    """`send`, with the words of a language in the page. How long the page then is, its end tells."""
    words, begun = _words(language), _TOLD % language.encode()

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            body = first.asked(message.get("body", b"")).replace(b"<head>", begun, 1)
            message = {**message, "body": body.replace(_NONE, b'"i18n_translations":' + words, 1)}
        await send(message)

    return sending


@cache
def _words(language: str) -> bytes:
    """A language's words as they stand in the page."""
    return json.dumps({language: TEXTS.get(language, {})}, ensure_ascii=False).replace("<", "\\u003c").encode()


def chooser(load: Any) -> None:
    """Draw the choice of a language. `load` is the event of its being shown."""
    rows = [("as the browser's", ""), *((name, code) for code, name in LANGUAGES.items())]
    chosen = gr.Radio(rows, value="", label="Language", info="The page is loaded anew.", elem_id="language")
    load(None, None, chosen, js=_READ, **QUIET)
    chosen.input(None, chosen, None, js=_WRITE, **QUIET)
