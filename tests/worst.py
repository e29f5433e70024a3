"""The worst pages that fit into 5 MB, each read in a process of its own: how much memory and time it takes.

python -m tests.worst NAME      prints the growth of the peak in MB, seconds, and what was read
"""

from __future__ import annotations

import gzip
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
_RANDOM = random.Random(7)
MAKE: dict[str, Callable[[], bytes]] = {
    "an ordinary page of 200 kB": lambda: b"<html><body><main>" + b"<p>One <b>more</b> line of text.</p>" * 5700,
    "one tag, as often as it fits": lambda: b"<b>" * (5 * MB // 3),
    "links": lambda: b"".join(b"<a href=/%d>x</a>" % i for i in range(5 * MB // 21)),
    "nested boxes": lambda: b"<div>" * MB,
    "tables in tables": lambda: b"<table><tr><td>" * (5 * MB // 15),
    "formatting that is never closed": lambda: b"<a><b><i><p>" * (5 * MB // 12),
    "a tag with a million attributes": lambda: b"<p " + b" ".join(b"a%x" % i for i in range(600_000)) + b">x</p>",
    "tags with many attributes": lambda: (b"<p " + b" ".join(b"a%x=1" % i for i in range(500)) + b">") * 1400,
    "an open comment": lambda: b"<!--" + b"x<b>" * (5 * MB // 4 - 9),
    "brackets": lambda: b"<" * (5 * MB - 9),
    "brackets and spaces": lambda: b"< " * (5 * MB // 2 - 9),
    "entities": lambda: b"&amp;&lt;&#128512;" * (5 * MB // 19),
    "emoji": lambda: ("<p>" + "\U0001f600" * (5 * MB // 4 - 9)).encode(),
    "noise without charset": lambda: bytes(_RANDOM.randrange(128, 256) for _ in range(2 * MB)),
    "one line of spaces": lambda: b"<p>" + b" " * (5 * MB - 9),
    "styles": lambda: b"<p style='display : none ; opacity:0.5'>x" * (5 * MB // 41),
    "hidden elements": lambda: b"<p hidden>x" * (5 * MB // 11 - 9),
    "hidden in hidden": lambda: b"<div style='display:none'>" * (5 * MB // 26 - 9),
    "a gzip bomb": lambda: gzip.compress(b" " * (300 * MB), 1),
    "empty gzip members": lambda: gzip.compress(b"") * 240_000,
}
_PACKED = ("a gzip bomb", "empty gzip members")


@dataclass(frozen=True)
class Cost:
    """What reading one page took: growth of the process's peak in MB, and seconds."""

    page: str
    megabytes: float
    seconds: float
    outcome: str


def measured(page: str) -> Cost:
    """Read `page` in a new process."""
    command = [sys.executable, "-m", "tests.worst", "gzip" if page in _PACKED else ""]
    # The page is made here, so that making it is not in the peak of the process that reads it.
    done = subprocess.run(
        command, input=MAKE[page](), cwd=Path(__file__).parent.parent, capture_output=True, check=True, timeout=120
    )
    return Cost(page, **json.loads(done.stdout.splitlines()[-1]))


def _read(body: bytes, encoding: str) -> dict[str, object]:
    from core.errors import PageUnread
    from core.web import fetch
    from tests.site import Site

    with Site() as site:
        fetch(site.at("/about"), site.visit())  # what is loaded once is no page's fault
        site.put("/worst", body, kind="text/html", headers={"content_encoding": encoding})
        before, started = _peak(), time.perf_counter()
        try:
            read = fetch(site.at("/worst"), site.visit())
            outcome = f"{len(read.text)} characters, {len(read.links)} links"
        except PageUnread as problem:
            outcome = str(problem)
        return {
            "megabytes": _peak() - before, "seconds": time.perf_counter() - started, "outcome": outcome,
        }  # fmt: skip


def _peak() -> float:
    """The largest this process has been, in MB. Linux counts a parent's memory to `ru_maxrss`, but not to VmHWM."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_read(sys.stdin.buffer.read(), sys.argv[1])))
