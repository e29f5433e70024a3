"""How the page is served: who may open it, what a browser may load from it, and how much runs at once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import settings

# What a model writes must not make a browser call home: images and media come from this server only.
POLICY = (
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; frame-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
)
# Gradio would fetch any public address given to these, so a page's image could leave through our own origin. The form
# with a slash is its older one, which nothing here uses.
CLOSED = re.compile(r"(/gradio_api)?/(proxy=|file/|file=\s*https?:)", re.IGNORECASE)
# An event that names a file by address would have Gradio fetch it, past every limit, before any handler runs.
ADDRESS = re.compile(r"\s*(https?|ftp|file|data):", re.IGNORECASE)
LARGEST = 12_000_000  # bytes of one event: a kept list of conversations and a long message, with room


class Guard:
    """Adds the content security policy to responses, and refuses what would reach other sites or come from them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        problem = "Other sites cannot be read through Switchboard." if CLOSED.match(scope["path"]) else ""
        if scope["method"] == "POST":
            problem = problem or _foreign(Headers(scope=scope))
            if not problem and scope["path"].endswith(("/queue/join", "/queue/data")):
                body = await _body(receive)
                receive, problem = _again(body, receive), _names_address(body)
        if problem:
            await PlainTextResponse(problem, 403)(scope, receive, send)
        else:
            await self.app(scope, receive, _with_policy(send))


def _foreign(headers: Headers) -> str:
    """Why a request that another site's page has sent is refused, "" for our own."""
    origin = headers.get("origin")
    own = origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return "" if own else "Requests from other sites are not taken."


async def _body(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more and len(body) <= LARGEST:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read already, then what comes: that the client has left."""
    unread = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Any:
        return unread.pop() if unread else await receive()

    return receiving


def _names_address(body: bytes) -> str:
    """Why an event is refused, "" when it may run."""
    if len(body) > LARGEST:
        return "The event is too large."
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return "The event cannot be read."
    named = _paths(event.get("data") if isinstance(event, dict) else None)
    return "A file must be uploaded, not named by its address." if any(map(ADDRESS.match, named)) else ""


def _paths(data: Any) -> Iterator[str]:
    """Every file that the values of an event name."""
    waiting = [data]
    while waiting:
        match waiting.pop():
            case {"path": str(path), **rest}:
                yield path
                waiting += rest.values()
            case dict(values):
                waiting += values.values()
            case list(values):
                waiting += values


def _with_policy(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"content-security-policy", POLICY.encode())]
        await send(message)

    return sending


def serve(page: gr.Blocks, **changes: Any) -> Any:
    """Queue and launch `page`. `changes` are Gradio's own launch options; the defaults and their reasons are here."""
    limits = settings()
    # Gradio's default is one run per event: the second user would wait for the first one's whole answer.
    # `api_open=False` closes the way around the queue.
    page.queue(default_concurrency_limit=20, max_size=limits.queue_size, api_open=False)
    hosts = [host.strip() for host in limits.hosts.split(",")]
    options: dict[str, Any] = {
        "server_port": int(os.environ["PORT"]) if os.environ.get("PORT") else None,
        "share": False,
        # Every streaming event holds one of these, so it must be well above the answers that run at once.
        "max_threads": limits.answers_at_once * 2 + 40,
        "state_session_capacity": 500,
        "max_file_size": "10mb",
        # The history of runs and the monitoring page would show what visitors typed.
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "pwa": False,
        "footer_links": ["api", "gradio", "settings"],
        "css_paths": Path(__file__).with_name("style.css"),
        "theme": gr.themes.Default(primary_hue="indigo", neutral_hue="slate", font=["system-ui", "sans-serif"]),
        "app_kwargs": {
            "middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=hosts), Middleware(Guard)],
        },
    }
    return page.launch(**(options | changes))
