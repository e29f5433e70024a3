"""Reading pages: redirects, robots.txt, what counts as a page, one more try, and several pages of a site at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin

from core.errors import AddressRefused, PageUnread
from core.web.address import Target, target
from core.web.page import Page, Reading, page
from core.web.robots import Robots, robots
from core.web.wire import Answer, Clock, Wire, exchange

HOPS = 5
AT_ONCE = 6  # connections to one host, of all visitors together
_KINDS = ("text/html", "application/xhtml+xml", "text/plain")
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Visit:
    """One run over a site: how it is reached and read, and what it has said already. Not shared between visitors."""

    wire: Wire = field(default_factory=Wire)
    how: Reading = field(default_factory=Reading)
    pages: dict[str, Page] = field(default_factory=dict)
    rules: dict[str, Robots] = field(default_factory=dict)
    # Six pages side by side ask for robots.txt once.
    asking: threading.Lock = field(default_factory=threading.Lock)


def fetch(url: str, visit: Visit | None = None) -> Page:
    """The page at `url`, read once in a visit. It blocks, up to the page timeout: call it through a thread.

    Raises AddressRefused for an address that is closed, here or behind a redirect, and PageUnread for a page that
    cannot be read.
    """
    visit = visit or Visit()
    first = target(url, visit.wire.allowed)
    if first.url not in visit.pages:
        with _turn(first.host, visit.wire.stop):
            visit.pages[first.url] = _read(first, visit)
    return visit.pages[first.url]


async def fetch_all(urls: Sequence[str], visit: Visit) -> AsyncGenerator[tuple[str, Page | PageUnread]]:
    """Each page as it is read, or why it was not, side by side. Closing the generator ends all requests."""
    tasks = [asyncio.create_task(_outcome(url, visit)) for url in urls]
    try:
        for finished in asyncio.as_completed(tasks):
            yield await finished
    finally:
        if not all(task.done() for task in tasks):
            visit.wire.stop.set()
        for task in tasks:
            task.cancel()


async def _outcome(url: str, visit: Visit) -> tuple[str, Page | PageUnread]:
    try:
        return url, await asyncio.to_thread(fetch, url, visit)
    except PageUnread as problem:
        return url, problem


# --- one page ---------------------------------------------------------------------------------------------------------


def _read(first: Target, visit: Visit) -> Page:
    started, clock = time.monotonic(), Clock(visit.wire.stop)
    last, answer = _followed(first, visit, clock)
    if answer.status >= 500:
        clock.left()
        time.sleep(min(0.5, clock.left()))
        last, answer = _followed(first, visit, clock)
    if answer.status != 200:
        raise PageUnread(f"The site answered with status {answer.status} instead of a page.")
    read = page(first.url, last.url, answer.body, _kind(answer), answer.headers.get("content-type", ""), visit.how)
    return replace(read, seconds=time.monotonic() - started)


def _kind(answer: Answer) -> str:
    """The content type, where it is one of a page. Without any, HTML is taken for granted unless it is binary."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind and b"\0" not in answer.body[:1000]:
        return "text/html"
    if kind not in _KINDS:
        raise PageUnread(f"This is not a web page (content type {kind[:60] or 'unknown'}).")
    return kind


def _followed(there: Target, visit: Visit, clock: Clock) -> tuple[Target, Answer]:
    """The answer at the end of at most five redirects, each checked as the first address was."""
    for _ in range(HOPS + 1):
        if not _rules(there, visit, clock).allow(there.url):
            raise PageUnread("The site asks programs not to read this page (robots.txt).")
        answer = exchange(there, visit.wire, clock)
        onward = _location(there, answer, visit)
        if onward is None:
            return there, answer
        there = onward
    raise PageUnread(f"The page redirects more than {HOPS} times.")


def _location(there: Target, answer: Answer, visit: Visit) -> Target | None:
    """Where a redirect leads. Raises AddressRefused."""
    location = answer.headers.get("location", "")
    if answer.status not in _REDIRECTS or not location:
        return None
    # Servers send UTF-8 in this header, which HTTP reads as Latin-1.
    try:
        location = location.encode("latin-1").decode()
        return target(urljoin(there.url, location.replace(" ", "%20")), visit.wire.allowed)
    except ValueError as error:
        raise AddressRefused from error


def _rules(there: Target, visit: Visit, clock: Clock) -> Robots:
    """The site's robots.txt, asked for once in a visit, redirects included."""
    with visit.asking:
        if there.origin not in visit.rules:
            visit.rules[there.origin] = _asked(there, visit, clock)
    return visit.rules[there.origin]


def _asked(there: Target, visit: Visit, clock: Clock) -> Robots:
    place: Target | None = replace(there, path="/robots.txt")
    answer = Answer(404, {}, b"")
    for _ in range(HOPS + 1):
        if place is None:
            break
        answer = exchange(place, visit.wire, clock)
        place = _location(place, answer, visit)
    return robots(answer.status, answer.body)


# --- politeness -------------------------------------------------------------------------------------------------------

# How many connections are open to each host: a limit towards the host holds for all visitors together.
_open: Counter[str] = Counter()
_changed = threading.Condition()


@contextmanager
def _turn(host: str, stop: threading.Event) -> Iterator[None]:
    """Wait until fewer than six pages of `host` are being read. Raises PageUnread when the reader leaves first."""
    with _changed:
        while _open[host] >= AT_ONCE:
            if stop.is_set():
                raise PageUnread("Stopped.")
            _changed.wait(0.1)
        _open[host] += 1
    try:
        yield
    finally:
        with _changed:
            _open[host] -= 1
            if not _open[host]:
                del _open[host]
            _changed.notify_all()
