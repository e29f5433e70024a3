"""How the page is served: who may open it, what a browser may load from it, and how much runs at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import settings

# What a model writes must not make a browser call home: images and media come from this server only.
POLICY = (
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
# Gradio would fetch any public address given to these, so a page's image could leave through our own origin.
CLOSED = ("/gradio_api/file=http", "/gradio_api/proxy=", "/file=http", "/proxy=")


class Guard:
    """Adds the content security policy to every response and closes Gradio's routes to other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].lower().startswith(CLOSED):
            await PlainTextResponse("Other sites cannot be read through Switchboard.", 403)(scope, receive, send)
        else:
            await self.app(scope, receive, _with_policy(send))


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
