"""How fast the web is read: `python -m bench.web` prints ratios, each with its promise. Seconds vary, ratios less.

1. Six pages of a site side by side take at most 1.5 times as long as one of them.
2. A page is parsed and its text extracted at 0.8 times the speed of the bare libraries, or faster, for all that is done
   besides: charset, limits against hostile markup, hidden text, links, and what is odd about the page.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bs4 import BeautifulSoup
from resiliparse.extract.html2text import extract_plain_text

from core.web import Page, Visit, Wire, fetch_all
from core.web.page import page

KILOBYTES, LATENCY, PAGES, ROUNDS = 200, 0.1, 6, 7
_RANDOM = random.Random(5)
_WORDS = (
    "the",
    "company",
    "makes",
    "quiet",
    "boats",
    "for",
    "rivers",
    "and",
    "lakes",
    "with",
    "care",
    "team",
    "service",
)


def words(count: int) -> str:
    """So many words of prose."""
    return " ".join(_RANDOM.choice(_WORDS) for _ in range(count))


def html(kilobytes_of_text: int) -> bytes:
    """A page of 200 kB: so much prose in its markup, and the rest the scripts, styles and drawings of a modern site."""
    body = ""
    while len(body) < kilobytes_of_text * 1000:
        row = f"<li>{words(6)}</li>" * 3
        link = f"<a href='/{len(body)}'>{words(3)}</a>"
        body += f"<section class='card'><h2>{words(4)}</h2><p>{words(50)} {link}</p><ul>{row}</ul></section>"
    rest = KILOBYTES * 1000 - len(body)
    script = "window.data=[" + "{a:1,b:'text'}," * (rest * 2 // 3 // 15) + "];"
    drawing = "<svg viewBox='0 0 24 24'><path d='" + "M1 2l3 4" * 60 + "'/></svg>"
    drawings = drawing * (rest // 3 // len(drawing))
    head = f"<head><title>A page</title><script>{script}</script></head>"
    return f"<html>{head}<body>{drawings}<main>{body}</main></body></html>".encode()


class Handler(BaseHTTPRequestHandler):
    """Answers each request after the latency."""

    body = html(20)

    def do_GET(self) -> None:
        """Any page; no rules for robots."""
        time.sleep(LATENCY)
        robots = self.path == "/robots.txt"
        self.send_response(404 if robots else 200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"" if robots else self.body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


async def seconds(port: int, count: int) -> float:
    """How long so many pages take in a new visit."""
    visit = Visit(Wire(allowed=frozenset({("127.0.0.1", port)})))
    urls = [f"http://127.0.0.1:{port}/{number}" for number in range(count)]
    started = time.perf_counter()
    async with aclosing(fetch_all(urls, visit)) as outcomes:
        read = [outcome async for _, outcome in outcomes]
    taken = time.perf_counter() - started
    if not all(isinstance(outcome, Page) and len(outcome.text) > 10_000 for outcome in read):
        sys.exit(f"The pages were not read: {read}")
    return taken


def side_by_side() -> float:
    """The time of six pages over the time of one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    port = server.server_address[1]
    asyncio.run(seconds(port, 1))
    one = min(asyncio.run(seconds(port, 1)) for _ in range(ROUNDS))
    six = min(asyncio.run(seconds(port, PAGES)) for _ in range(ROUNDS))
    server.shutdown()
    server.server_close()
    print(f"{PAGES} pages of {KILOBYTES} kB, {LATENCY * 1000:.0f} ms latency: {six:.3f} s; one: {one:.3f} s", end="  ")
    return six / one


def quickest(*works: Callable[[], object]) -> list[float]:
    """The least processor time of each, taken in turns: what the work takes when nothing else is in its way."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS * 6):
        for work, taken in zip(works, times, strict=True):
            gc.collect()
            started = time.process_time()
            work()
            taken.append(time.process_time() - started)
    return [min(taken) for taken in times]


def parsing(kilobytes_of_text: int) -> float:
    """The speed of our reading over that of the bare libraries."""
    body = html(kilobytes_of_text)

    def bare() -> None:
        text = body.decode()
        BeautifulSoup(text, "lxml")
        extract_plain_text(text, main_content=True)

    ours, theirs = quickest(lambda: page("http://a.example/", "http://a.example/", body, "text/html", ""), bare)
    print(
        f"{kilobytes_of_text} kB of prose in {KILOBYTES} kB: ours {ours * 1000:.1f} ms, bare {theirs * 1000:.1f} ms",
        end="  ",
    )
    return theirs / ours


def main() -> int:
    """Print each ratio with its promise; 1 when one is broken."""
    kept = []
    for name, ratio, promise, is_kept in (
        ("six over one", side := side_by_side(), "at most 1.5", side <= 1.5),
        ("speed, modern page", modern := parsing(20), "at least 0.8", modern >= 0.8),
        ("speed, dense page", dense := parsing(190), "at least 0.8", dense >= 0.8),
    ):
        print(f"\n  {name}: {ratio:.2f}  ({promise}) {'kept' if is_kept else 'BROKEN'}")
        kept.append(is_kept)
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
