"""A small web site of an invented company, served on loopback so that the brochure can be shown without a network.

It runs from when it is first asked for to the end of the process, and opens one address: its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMPANY = "Marlow Kettle Works"
# What stands for its address, which is another one each time the app starts.
NAME = "sample"


@dataclass(frozen=True, slots=True)
class Running:
    """The site as it runs: its address, and the one exception to the address rule that it needs."""

    url: str
    allowed: frozenset[tuple[str, int]]


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what a visitor reads is not logged."""

    def list_directory(self, path: Any) -> None:
        self.send_error(404)


@cache
def running() -> Running:
    """The site, started when it is asked for first."""
    handler = partial(_Files, directory=str(Path(__file__).parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="sample site").start()
    port = server.server_address[1]
    return Running(f"http://127.0.0.1:{port}/", frozenset({("127.0.0.1", port)}))


def opened(url: str) -> tuple[str, frozenset[tuple[str, int]]]:
    """The address to read for `url`, and what must be allowed for it: nothing, unless it is the sample site."""
    if url.strip() == NAME:
        return running().url, running().allowed
    started = running.cache_info().currsize and url.strip().startswith(running().url)
    return url, running().allowed if started else frozenset()
