"""Pages of the web as documents: one page, or those of a site that links lead to. All through core.web's rules."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal
from urllib.parse import urlsplit

from core.errors import AddressRefused, BadSetting, PageUnread
from core.rag.outline import first_heading
from core.rag.passages import Document
from core.reading.text import tidy
from core.settings import settings
from core.web import Page, Reading, Visit, fetch_all, same_site, target

DEEPEST = 5  # links from the first page
# All at once would wait in threads that others need.
_SIDE_BY_SIDE = 6


@dataclass(frozen=True, slots=True)
class Row:
    """A page of a site. `depth` is how many links lead to it, `note` says why it cannot be a document."""

    url: str
    depth: int
    title: str = ""
    state: Literal["waiting", "read", "failed"] = "waiting"
    characters: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Crawl:
    """How far a crawl is. `whole`: it has come to its end. `more`: the site has pages beyond the limit."""

    rows: tuple[Row, ...] = ()
    whole: bool = False
    more: bool = False

    @property
    def step(self) -> str:
        """What is being done, in a line."""
        done = sum(row.state != "waiting" for row in self.rows)
        return f"{done} of {len(self.rows)} pages looked at" if not self.whole else f"{len(self.good)} pages found"

    @property
    def good(self) -> tuple[str, ...]:
        """The addresses of the pages that can be documents."""
        return tuple(row.url for row in self.rows if row.state == "read")


async def crawl(url: str, depth: int, most: int, visit: Visit) -> AsyncGenerator[Crawl]:
    """The pages of a site, breadth first: up to `depth` links from `url`, and `most` of them. Closing it ends it.

    Only links to the same site are followed. The pages stay in `visit`, so that `documents` reads none of them again.
    Raises BadSetting, and AddressRefused or PageUnread where the first page cannot be read.
    """
    limit = settings().crawl_pages
    if not 0 <= depth <= DEEPEST or not 1 <= most <= limit:
        raise BadSetting(f"A crawl goes 0 to {DEEPEST} links deep and reads 1 to {limit:,} pages.")
    first = target(url, visit.wire.allowed).url
    walk = _Walk(first, depth, most, visit)
    yield walk.crawl()
    while waiting := walk.waiting():
        async with aclosing(fetch_all(waiting, _for_documents(visit))) as outcomes:
            async for asked, outcome in outcomes:
                if asked == first:
                    walk.home = _page(outcome).final_url
                walk.take(asked, outcome)
                yield walk.crawl()
    yield walk.crawl(whole=True)


async def documents(urls: Sequence[str], visit: Visit) -> AsyncGenerator[tuple[str, Document | PageUnread]]:
    """Each page as a document, or why it is none, in the order in which they are read. Closing it ends it."""
    said: dict[str, str] = {}
    for start in range(0, len(urls), _SIDE_BY_SIDE):
        async with aclosing(fetch_all(urls[start : start + _SIDE_BY_SIDE], _for_documents(visit))) as outcomes:
            async for url, outcome in outcomes:
                try:
                    document = _document(_page(outcome))
                    same = said.setdefault(document.digest, document.source)
                    if same != document.source:
                        raise PageUnread(f"This page says the same as {same}.")
                    yield url, document
                except PageUnread as problem:
                    yield url, problem


def _for_documents(visit: Visit) -> Visit:
    """The same visit, reading pages with their structure."""
    return replace(visit, how=Reading(structured=True))


def _page(outcome: Page | PageUnread) -> Page:
    if isinstance(outcome, PageUnread):
        raise outcome
    return outcome


class _Walk:
    """What is known of a site while it is crawled: the pages in the order in which links to them were found."""

    def __init__(self, first: str, depth: int, most: int, visit: Visit) -> None:
        self.home, self._depth, self._most, self._visit = first, depth, most, visit
        self._rows = {first: Row(first, 0)}
        self._reached: set[str] = set()
        self._more = False

    def crawl(self, whole: bool = False) -> Crawl:
        return Crawl(tuple(self._rows.values()), whole, self._more)

    def waiting(self) -> list[str]:
        """The pages that come next."""
        return [row.url for row in self._rows.values() if row.state == "waiting"][:_SIDE_BY_SIDE]

    def take(self, asked: str, outcome: Page | PageUnread) -> None:
        """Note what became of a page. Two addresses that lead to one page are one page."""
        if isinstance(outcome, PageUnread):
            self._rows[asked] = replace(self._rows[asked], state="failed", note=str(outcome))
        elif outcome.final_url in self._reached:
            del self._rows[asked]
        elif not same_site(outcome.final_url, self.home):
            self._rows[asked] = replace(self._rows[asked], state="failed", note="This page leads to another site.")
        else:
            self._reached.add(outcome.final_url)
            row = self._rows[asked] = _looked_at(self._rows[asked], outcome)
            if row.depth < self._depth:
                self._follow(outcome, row.depth + 1)

    def _follow(self, page: Page, depth: int) -> None:
        for link in _links(page, self.home, self._visit):
            if link in self._rows or link in self._reached:
                continue
            if len(self._rows) >= self._most:
                self._more = True
                return
            self._rows[link] = Row(link, depth)


def _looked_at(row: Row, page: Page) -> Row:
    try:
        document = _document(page)
    except PageUnread as problem:
        return replace(row, state="failed", title=page.title, note=str(problem))
    return replace(row, state="read", title=document.title, characters=len(document.text))


def _links(page: Page, home: str, visit: Visit) -> Iterator[str]:
    """The addresses of the site to which a page leads, each in one spelling."""
    for link in page.links:
        if same_site(link.url, home):
            with suppress(AddressRefused):
                yield target(link.url, visit.wire.allowed).url


def _document(page: Page) -> Document:
    """A page as a document: its source is the address at which it was found at last. Raises PageUnread."""
    text = tidy(page.markdown or page.text)
    if page.note or not text.strip():
        raise PageUnread(page.note or "This page holds no text.")
    title = first_heading(text) or page.title or page.final_url
    host = (urlsplit(page.final_url).hostname or "").removeprefix("www.")
    return Document(page.final_url, title[:120], text, host, digest=sha256(text.encode()).hexdigest())
