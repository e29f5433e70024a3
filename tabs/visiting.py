"""Visitors of the page: told apart around every handler, with the keys that they have brought for their session."""

from __future__ import annotations

import hashlib
import inspect
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from functools import wraps
from typing import Any, cast

import gradio as gr
from gradio.context import LocalContext
from gradio.utils import function_wrapper

from backends import backends
from core.llm import Keyed
from core.remote import can_be_key
from core.settings import accounts, lends, settings
from core.visitors import Visitor, arrive
from tabs.guard import COOKIE, Audience
from tabs.parts import QUIET
from tabs.texts import _

LEAST = 20  # characters of a bearer token, at which nobody guesses: no wrong one slows the next one down
MOST = 500  # sessions whose keys are held; the one that was not used for longest is forgotten


class Keyring:
    """The keys that visitors have brought, by session. In memory only, and nobody's but the session's own."""

    def __init__(self) -> None:
        self._of: OrderedDict[tuple[str, str], Mapping[str, str]] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, who: tuple[str, str]) -> Mapping[str, str]:
        """The keys of a login's session, by the name of the provider's variable."""
        with self._guard:
            if who in self._of:
                self._of.move_to_end(who)
            return self._of.get(who, {})

    def bring(self, who: tuple[str, str], keys: Mapping[str, str]) -> None:
        """Hold these besides those that are held."""
        with self._guard:
            self._of[who] = {**self._of.pop(who, {}), **keys}
            if len(self._of) > MOST:
                self._of.popitem(last=False)

    def forget(self, who: tuple[str, str]) -> None:
        """Hold none any more."""
        with self._guard:
            self._of.pop(who, None)


def session_of(request: Any) -> tuple[str, str]:
    """The login's name, "" without one, and the session of the opened page."""
    return request.username or "", request.session_hash or ""


def carry(page: gr.Blocks, keyring: Keyring, audience: Audience) -> None:
    """Let every handler of the page know who asks, also those of tabs that give no thought to it."""

    def before() -> None:
        request = LocalContext.request.get(None)
        if request is None:
            return
        name, session = session_of(request)
        if audience.gone(session):
            raise gr.Error("Nobody waits for this any more.", print_exception=False)
        host = request.client.host if request.client else ""
        # On one's own machine all pages are the owner's; jobs and counts are not parted. In public mode a browser is
        # known again after a reload; a client without its cookie is known by its session. Both may be anything.
        told = str(request.cookies.get(COOKIE) or session)
        apart = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:32] if settings().public else ""
        arrive(Visitor(name, apart, host, keyring.of((name, session))))

    for handler in page.fns.values():
        if handler.fn is not None:
            handler.fn = _carried(handler.fn, before)
            if handler.api_visibility == "public" and handler.api_name:
                handler.fn.__name__ = handler.api_name  # What an MCP client knows the endpoint by.


def _carried(handler: Callable[..., Any], before: Callable[[], None]) -> Callable[..., Any]:
    """`handler`, with `before` run ahead of it and, where it streams, of each of its steps."""
    if not inspect.isasyncgenfunction(handler):
        return cast("Callable[..., Any]", function_wrapper(handler, before_fn=before))

    @wraps(handler)
    async def streaming(*given: Any, **named: Any) -> AsyncGenerator[Any]:
        before()
        async with aclosing(handler(*given, **named)) as steps:
            async for step in steps:
                yield step
                before()

    return streaming


# --- what a visitor is told and may enter -----------------------------------------------------------------------------


LENT = (
    "**This page is open to others**, on a machine that is not yours, with the keys of whoever runs it, within a daily "
    "budget. What you write goes to the provider of the model that you choose and to nobody else; conversations stay "
    "in your browser, uploads and jobs are seen by you alone."
)
BROUGHT = (
    "**This page is open to others**, on a machine that is not yours, with your own keys, which you enter under "
    "“Settings”. What you write goes to the provider of the model that you choose and to nobody else; conversations "
    "stay in your browser, uploads and jobs are seen by you alone."
)


def banner() -> None:
    """Say that the page is open to others, where it is."""
    if settings().public:
        gr.Markdown(LENT if lends() else BROUGHT, elem_id="banner", container=True)


def keys_panel(page: gr.Blocks, keyring: Keyring) -> list[Any]:
    """Draw the form for a visitor's own keys, where they may bring some. The events after which others are held."""
    if settings().public and not settings().visitor_keys:
        return []
    keyed = [backend for backend in backends().values() if isinstance(backend, Keyed) and backend.key_needed]
    variables = {backend.key_variable: backend.label for backend in keyed if backend.key_variable}
    gr.Markdown("### Keys for this session")
    gr.Markdown(
        "A key is held in the memory of this server until you close or reload this page, for this page only. It is "
        "sent to its provider and to nobody else, and written nowhere.",
        elem_classes="hint",
    )
    with gr.Row(elem_id="keys"):
        fields = [
            gr.Textbox(label=label, type="password", max_lines=1, min_width=180, max_length=1000)
            for label in variables.values()
        ]
    with gr.Row():
        use = gr.Button("Use these keys", variant="primary", size="sm", elem_id="use-keys")
        drop = gr.Button("Forget my keys", size="sm", elem_id="forget-keys")
    told = gr.Markdown(elem_classes="hint", elem_id="keys-held")

    def bring(request: gr.Request, *entered: str | None) -> list[Any]:
        given = {name: (text or "").strip() for name, text in zip(variables, entered, strict=True)}
        odd = [variables[name] for name, text in given.items() if text and not can_be_key(text)]
        keyring.bring(session_of(request), {k: v for k, v in given.items() if v and can_be_key(v)})
        return [*[""] * len(variables), _held(request, odd)]

    def _held(request: gr.Request, odd: list[str]) -> str:
        held = [variables[name] for name in keyring.of(session_of(request))]
        said = f"Held for this page: {', '.join(held)}. Press ↻ Refresh at the list of models." if held else ""
        wrong = f"⚠️ This cannot be a key: {', '.join(odd)}." if odd else ""
        return f"{said} {wrong}".strip()

    def drop_all(request: gr.Request) -> list[Any]:
        keyring.forget(session_of(request))
        return [*[""] * len(variables), _("No key is held.")]

    def leave(request: gr.Request) -> None:
        keyring.forget(session_of(request))

    page.unload(leave)
    return [
        use.click(bring, fields, [*fields, told], **QUIET), drop.click(drop_all, None, [*fields, told], **QUIET),
    ]  # fmt: skip


def refusal(share: bool, mcp: bool) -> str:
    """Why the app must not start as it is asked to, "" when it may."""
    try:
        somebody = accounts()
    except ValueError as error:
        return str(error)
    if share and not somebody and not settings().visitor_keys:
        return (
            "A public link lets strangers use your machine and your keys. Set SWITCHBOARD_USER and "
            "SWITCHBOARD_PASSWORD, so that they have to log in, or SWITCHBOARD_VISITOR_KEYS=1, so that they bring "
            "keys of their own."
        )
    if mcp and somebody and len(settings().mcp_token.get_secret_value()) < LEAST:
        return (
            f"An MCP client cannot log in. Set SWITCHBOARD_MCP_TOKEN, of {LEAST} characters or more, which it then "
            "sends as its bearer token, or start --mcp without SWITCHBOARD_USER and SWITCHBOARD_USERS."
        )
    return ""
