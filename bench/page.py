"""How soon the page is there: `python -m bench.page` prints a ratio to an empty Gradio app. Seconds vary, ratios less.

1. The first tab can be typed in within 1.3 times what an empty app of the same Gradio needs to show its heading.

Both are loaded by turns in a browser that knows neither, and each pair gives one ratio; the servers have run before.
What else runs on the machine makes both slower, but not alike: the processor time of the page's own thread says more.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

from tests.browsing import CHROMIUM
from tests.live import answering, free_port, launched

PAIRS, PROMISED = 9, 1.3
EMPTY = """
import sys
import gradio as gr
with gr.Blocks() as page:
    gr.Markdown("# Empty", elem_id="title")
page.launch(server_port=int(sys.argv[1]), ssr_mode=False, pwa=False, run_history=False, enable_monitoring=False)
"""
COUNTED = """() => {
    const entries = ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind));
    return [entries.length, entries.reduce((sum, entry) => sum + entry.transferSize, 0)];
}"""


@contextmanager
def empty() -> Iterator[str]:
    """The address of an app that has nothing but a heading."""
    port = free_port()
    app = subprocess.Popen(  # noqa: S603  (our own text)
        [sys.executable, "-c", EMPTY, str(port)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
    )
    try:
        yield answering(f"http://127.0.0.1:{port}", app)
    finally:
        app.terminate()
        app.wait(10)


@dataclass(frozen=True)
class Opened:
    """How long a page took: seconds, of them on a processor in its main thread; requests and bytes by then."""

    seconds: float
    processor: float
    requests: int
    size: int


def opened(playwright: Playwright, url: str, drawn: str) -> Opened:
    """Load a page in a browser of its own until `drawn` is on it."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(drawn)
    seconds = time.perf_counter() - started
    worked = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
    requests, size = page.evaluate(COUNTED)
    browser.close()
    return Opened(seconds, worked, requests, size)


def middle(rows: list[tuple[Opened, Opened]], of: str) -> tuple[float, float, float]:
    """The medians of one figure: of the empty app, of ours, and of the ratios of the pairs."""
    pairs = [(getattr(bare, of), getattr(mine, of)) for bare, mine in rows]
    bare, mine = zip(*pairs, strict=True)
    return statistics.median(bare), statistics.median(mine), statistics.median(ours / none for none, ours in pairs)


def main() -> None:
    """Load both by turns and print what came of it."""
    folder = Path(tempfile.mkdtemp())
    with empty() as bare, launched(folder, HF_HUB_OFFLINE="1") as ours, sync_playwright() as playwright:
        pages = (bare, "#title h1"), (ours, "#message textarea")
        rows = [(opened(playwright, *pages[0]), opened(playwright, *pages[1])) for _ in range(PAIRS + 1)][1:]
    seconds, worked = middle(rows, "seconds"), middle(rows, "processor")
    for place, name in enumerate(("an empty app", "Switchboard")):
        last = f"{rows[-1][place].requests:4} requests {rows[-1][place].size / 1000:6.0f} kB"
        print(f"{name:13} {seconds[place]:5.2f} s, {worked[place]:5.2f} s of processor {last}")
    kept = "" if seconds[2] <= PROMISED else ": NOT KEPT"
    print(f"ratio {seconds[2]:.2f}, promised {PROMISED}{kept}; of processor time {worked[2]:.2f}")


if __name__ == "__main__":
    main()
