"""What stands between the network and Gradio: it refuses what would reach other sites, come from them, or be too much.

It also knows whose page is still listening, so that nothing is worked at that nobody waits for.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import settings

# What a model writes must not make a browser call home: images and media come from this server only.
POLICY = (
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; frame-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self' https://huggingface.co"  # where Spaces are shown
)
# Gradio would fetch any public address given to the first three, so a page's image could leave through our own origin
# (the form with a slash is its older one, which nothing here uses). The last would write every value of the page into
# a file that is open to whoever has its link.
CLOSED = re.compile(r"(/gradio_api)?/(proxy=|file/|file=\s*https?:|deep_link)", re.IGNORECASE)
# An event that names a file by address would have Gradio fetch it, past every limit, before any handler runs.
ADDRESS = re.compile(r"\s*(https?|ftp|file|data):", re.IGNORECASE)
LARGEST = 12_000_000  # bytes of one event: a kept list of conversations and a long message, with room
PROTOCOL = re.compile(r"(/gradio_api)?/mcp(/|$)")
JOINING = re.compile(r"(/gradio_api)?/(queue/join|queue/data|call/.+|run/.+|api/.+)/?")
LISTENING = re.compile(r"(/gradio_api)?/(queue/data|call/(v2/)?[^/]+/(?P<event>[^/]+))/?")
BUSY = "The app is busy. Try again in a minute."
WAITING = 2  # events of one session that may wait for their turn
SESSIONS_AN_ADDRESS = 6  # A client may name its session as it likes, so those of one address count together as well.
PATIENCE = 1.0  # seconds after which an event counts as waiting: before, it is on its way
ABSENCE = 10.0  # seconds for which nobody may be listening; a page opens its stream a moment after it has asked

UPLOADED = 100_000_000  # bytes that one address may upload in an hour

# What tells one browser from another where nobody logs in. It opens nothing but what this browser has begun.
COOKIE = "switchboard-visitor"
KEPT = 7 * 86_400  # seconds: as long as its jobs

address: ContextVar[str] = ContextVar("address", default="")


class Audience:
    """Which sessions have a page or a client that listens, and since when the others have not."""

    def __init__(self) -> None:
        self._listening: Counter[str] = Counter()
        self._absent: dict[str, float] = {}

    @contextmanager
    def listening(self, session: str) -> Iterator[None]:
        """Somebody listens as long as this lasts."""
        self._listening[session] += 1
        self._absent.pop(session, None)
        try:
            yield
        finally:
            self._listening[session] -= 1
            if not self._listening[session]:
                del self._listening[session]

    def asks(self, session: str) -> None:
        """Somebody has just asked for something; a page opens its stream a moment after that."""
        self._absent.pop(session, None)

    def gone(self, session: str) -> bool:
        """Whether nobody has listened for too long."""
        if session in self._listening:
            return False
        now = time.monotonic()
        since = self._absent.setdefault(session, now)
        if len(self._absent) > 10_000:
            self._absent = {name: at for name, at in self._absent.items() if now - at < 600}
        return now - since > ABSENCE


class Guard:
    """Adds the content security policy to responses, and refuses what is not to reach Gradio. `queue` is Gradio's.

    Who sends `token`, "" for none, as a bearer is logged in: an MCP client, which knows no cookies.
    """

    def __init__(self, app: ASGIApp, queue: Any, audience: Audience, token: str = "") -> None:
        self.app, self.queue, self.audience, self.token = app, queue, audience, token
        self.known = secrets.token_urlsafe()
        self.uploads: dict[str, list[tuple[float, int]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address.set((scope.get("client") or ("",))[0])
        if self.token and _bears(self.token, Headers(scope=scope)):
            scope = self._logged_in(scope)
        elif self.token and PROTOCOL.match(scope["path"]):
            refused = PlainTextResponse("A bearer token is needed here.", 401, {"www-authenticate": "Bearer"})
            await refused(scope, receive, send)
            return
        problem = "Other sites cannot be read through Switchboard." if CLOSED.match(scope["path"]) else ""
        event: Any = None
        if scope["method"] == "POST":
            problem = problem or _foreign(Headers(scope=scope))
            if not problem and JOINING.fullmatch(scope["path"]):
                body = await _body(receive)
                receive = _again(body, receive)
                event, problem = _event(body)
        if problem:
            await PlainTextResponse(problem, 403)(scope, receive, send)
        elif scope["path"].rstrip("/").endswith("/upload") and not self._takes(scope):
            await JSONResponse({"detail": "Too much was uploaded. Try again in an hour."}, 429)(scope, receive, send)
        elif event is not None and _crowded(self.queue, event.get("session_hash"), address.get()):
            # Gradio's page shows the detail of a 429, and for its own 503 a text of its own.
            await JSONResponse({"detail": BUSY}, 429)(scope, receive, send)
        else:
            if event is not None:
                self.audience.asks(str(event.get("session_hash")))
            await self._served(scope, receive, _with_headers(send, _cookie(scope)))

    def _logged_in(self, scope: Scope) -> Scope:
        """The request as Gradio knows it from somebody who has logged in."""
        gradio = scope["app"]
        gradio.tokens[self.known] = "mcp"
        cookie = f"access-token-unsecure-{gradio.cookie_id}={self.known}".encode()
        return {**scope, "headers": [*(row for row in scope["headers"] if row[0] != b"cookie"), (b"cookie", cookie)]}

    def _takes(self, scope: Scope) -> bool:
        """Whether this address may upload that much more. A body that does not tell its size is not taken."""
        size, now = Headers(scope=scope).get("content-length", ""), time.monotonic()
        host = address.get()
        before = [(at, length) for at, length in self.uploads.get(host, []) if now - at < 3600]
        if not size.isdecimal() or sum(length for _, length in before) + int(size) > UPLOADED:
            return False
        self.uploads = {host: seen for host, seen in self.uploads.items() if now - seen[-1][0] < 3600}
        self.uploads[host] = [*before, (now, int(size))]
        return True

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> None:
        heard = LISTENING.fullmatch(scope["path"]) if scope["method"] == "GET" else None
        if heard is None:
            await self.app(scope, receive, send)
            return
        query = parse_qs(scope["query_string"].decode("latin-1"))
        with self.audience.listening(heard["event"] or query.get("session_hash", [""])[0]):
            await self.app(scope, receive, send)


def _bears(token: str, headers: Headers) -> bool:
    return secrets.compare_digest(headers.get("authorization", "").encode(), f"Bearer {token}".encode())


def _foreign(headers: Headers) -> str:
    """Why a request that another site's page has sent is refused, "" for our own."""
    origin = headers.get("origin")
    own = origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return "" if own else "Requests from other sites are not taken."


def _crowded(queue: Any, session: Any, host: str) -> bool:
    """Whether too much waits already: of all, of this session, or of this address."""
    late = time.monotonic() - PATIENCE
    lines = list(queue.event_queue_per_concurrency_id.values())
    waiting = [event for line in lines for event in list(line.queue) if event.enqueue_time < late]
    own = sum(event.session_hash == session for event in waiting)
    near = sum(event.request is not None and event.request.client.host == host for event in waiting)
    return bool(len(waiting) >= queue.max_size or own >= WAITING or near >= WAITING * SESSIONS_AN_ADDRESS)


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


def _event(body: bytes) -> tuple[dict[str, Any], str]:
    """The event that a body holds, and why it is refused, "" when it may run."""
    if len(body) > LARGEST:
        return {}, "The event is too large."
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return {}, "The event cannot be read."
    if not isinstance(event, dict):
        return {}, "The event cannot be read."
    refused = any(map(ADDRESS.match, _paths(event)))
    return event, "A file must be uploaded, not named by its address." if refused else ""


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


def _cookie(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The header that gives a new browser its name, when it opens a public page."""
    headers = Headers(scope=scope)
    if not settings().public or scope["path"] != "/" or f"{COOKIE}=" in headers.get("cookie", ""):
        return []
    # A Space is shown in a frame of another site, where a browser keeps only what is meant for that frame.
    secure = "https" in (scope["scheme"], headers.get("x-forwarded-proto", ""))
    kind = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    return [(b"set-cookie", f"{COOKIE}={secrets.token_hex(16)}; Path=/; HttpOnly; Max-Age={KEPT}; {kind}".encode())]


def _with_headers(send: Send, more: list[tuple[bytes, bytes]]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            policy = (b"content-security-policy", POLICY.encode())
            message["headers"] = [*message["headers"], policy, *more]
        await send(message)

    return sending
