"""One HTTP exchange with one checked address: resolved once, pinned, bounded in time and size. Follows no redirect.

It stands on httpcore, whose network backend is a public seam: httpx would add redirects, cookies, proxies of the
environment and decompression without a limit, and every one of them would have to be switched off again.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import httpcore
import httpx

from core.errors import AddressRefused, PageUnread
from core.remote import tls
from core.settings import settings
from core.web.address import NONE, Allowed, Target, may_connect

# host, port -> every address that the name has
Resolve = Callable[[str, int], list[str]]

# What a site's owner reads in the log; "Switchboard" is also the name that robots.txt may address.
AGENT = "Switchboard/1.0 (reads pages when a person asks for a brochure or an answer from them; obeys robots.txt)"
_MEMBERS = 50  # of one gzip body: a quarter of a million empty ones would fit into 5 MB, each with a decompressor
_POLL = 0.1  # seconds between two looks at whether the reader has left

TOO_LARGE = "The page is too large (over {limit:g} MB)."
TOO_SLOW = "The page took too long (over {limit:g} s)."
UNREADABLE = "The page could not be read: the site's answer is broken."


def resolved(host: str, port: int) -> list[str]:
    """Every address of `host`, by the system's resolver."""
    return [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class Wire:
    """How pages are reached: the resolver, the addresses allowed besides public ones, and the reader's Stop."""

    resolve: Resolve = resolved
    allowed: Allowed = NONE
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `headers` by lower-case name, the first of each; `body` decompressed."""

    status: int
    headers: dict[str, str]
    body: bytes


class Clock:
    """The time that is left for a page, whatever it is spent on. Raises PageUnread when it is over, or on Stop."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop, self._limit = stop, settings().page_timeout
        self._end = time.monotonic() + self._limit

    def left(self) -> float:
        """Seconds, above 0."""
        if self._stop.is_set():
            raise PageUnread("Stopped.")
        left = self._end - time.monotonic()
        if left <= 0:
            raise PageUnread(TOO_SLOW.format(limit=self._limit))
        return left


def exchange(target: Target, wire: Wire, clock: Clock) -> Answer:
    """Ask for `target` once. Raises PageUnread, and AddressRefused when its name leads to an address that is closed."""
    port = target.port
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=port, target=target.path)
    headers = {
        "Host": target.netloc, "User-Agent": AGENT, "Accept": "text/html, application/xhtml+xml, text/plain;q=0.9",
        "Accept-Encoding": "gzip, deflate", "Accept-Language": "en, *;q=0.5", "Connection": "close",
    }  # fmt: skip
    pinned = _Pinned(wire, clock)
    pool = httpcore.ConnectionPool(tls(httpx), network_backend=pinned, max_keepalive_connections=0)
    with _told(), pool, pool.stream("GET", url, headers=list(headers.items())) as response:
        return _answer(response)


def _answer(response: httpcore.Response) -> Answer:
    headers: dict[str, str] = {}
    for name, value in response.headers:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    # The body of anything else is not shown, so it is not read.
    body = _body(response.iter_stream(), headers) if response.status == 200 else b""
    return Answer(response.status, headers, body)


# --- the connection ---------------------------------------------------------------------------------------------------


@contextmanager
def _told() -> Iterator[None]:
    """What httpcore and the operating system raise, as PageUnread."""
    try:
        yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise PageUnread("The site cannot be reached: nothing answers at its address.") from error
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, zlib.error) as error:
        raise PageUnread(UNREADABLE) from error


class _Pinned(httpcore.NetworkBackend):
    """Connects to an address that was checked, and to no other: the name is not looked up again."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire, self._clock = wire, clock

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        problem = httpcore.ConnectError()
        for address in self._checked(host, port):
            limit = min(settings().connect_timeout, self._clock.left())
            try:
                return _Timed(httpcore.SyncBackend().connect_tcp(address, port, limit), self._clock)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = httpcore.ConnectError(error)
        raise problem

    def _checked(self, host: str, port: int) -> list[str]:
        """Every address of the name; one that is closed closes the name, for a mixed answer is an attack."""
        addresses = list(dict.fromkeys(_looked_up(self._wire.resolve, host, port, self._clock)))
        if not all(may_connect(address, port, self._wire.allowed) for address in addresses):
            raise AddressRefused
        return addresses


def _looked_up(resolve: Resolve, host: str, port: int, clock: Clock) -> list[str]:
    """Every address of the name, within the time that is left: the system's resolver knows no limit of its own."""
    answers: SimpleQueue[list[str]] = SimpleQueue()

    def look() -> None:
        try:
            answers.put(resolve(host, port))
        except (OSError, UnicodeError):
            answers.put([])

    threading.Thread(target=look, daemon=True).start()
    while True:
        try:
            found = answers.get(timeout=min(_POLL, clock.left()))
        except Empty:
            continue
        if not found:
            raise PageUnread(f"There is no site named {host}. Check how the address is written.")
        return found


class _Timed(httpcore.NetworkStream):
    """A stream whose every wait ends with the page's time, or when its reader leaves."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            try:
                return self._stream.read(max_bytes, min(_POLL, self._clock.left()))
            except httpcore.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = min(settings().connect_timeout, self._clock.left())
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, limit), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


# --- the body ---------------------------------------------------------------------------------------------------------


def _body(chunks: Iterable[bytes], headers: dict[str, str]) -> bytes:
    """The whole body, decompressed. Raises PageUnread as soon as either form of it grows over the limit."""
    limit = settings().page_megabytes
    most, body, came = round(limit * 1_000_000), bytearray(), 0
    inflate = _inflater(headers.get("content-encoding", ""))
    for chunk in chunks:
        came += len(chunk)
        for piece in inflate(chunk, most + 1 - len(body)):
            body += piece
            if len(body) > most:
                break
        if came > most or len(body) > most:
            raise PageUnread(TOO_LARGE.format(limit=limit))
    return bytes(body)


def _inflater(encoding: str) -> Callable[[bytes, int], Iterator[bytes]]:
    """How the chunks of a body are decompressed, never to more than is still allowed."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda chunk, _: iter((chunk,))
    if name not in ("gzip", "x-gzip", "deflate"):
        raise PageUnread("The page could not be read: it is compressed in a way that was not asked for.")
    return partial(_inflated, _Inflate(raw_allowed=name == "deflate"))


class _Inflate:
    """The decompressor of one body. "deflate" comes with a zlib header, as written down, or without, as often sent."""

    def __init__(self, raw_allowed: bool) -> None:
        self.raw_allowed, self.members = raw_allowed, 0
        self.renew()

    def renew(self) -> None:
        """Begin the next member of a gzip body. Raises PageUnread when there are absurdly many."""
        self.members += 1
        if self.members > _MEMBERS:
            raise PageUnread(UNREADABLE)
        self.member = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def feed(self, data: bytes, most: int) -> bytes:
        try:
            return self.member.decompress(data, most)
        except zlib.error:
            if not self.raw_allowed:
                raise
            self.member = zlib.decompressobj(-zlib.MAX_WBITS)
            return self.member.decompress(data, most)
        finally:
            self.raw_allowed = False


def _inflated(state: _Inflate, data: bytes, most: int) -> Iterator[bytes]:
    """What `data` inflates to, stopping above `most` bytes; a gzip body may have several members."""
    while data and most > 0:
        piece = state.feed(data, most)
        most -= len(piece)
        yield piece
        if state.member.eof:
            data = state.member.unused_data
            state.renew()
        else:
            data = state.member.unconsumed_tail
