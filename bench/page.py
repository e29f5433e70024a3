"""How soon the page is there: `python -m bench.page` prints a ratio to an empty Gradio app. Seconds vary, ratios less.

1. The first tab can be typed in within 1.3 times what an empty app of the same Gradio needs to show its heading.

Both are loaded by turns in a browser that knows neither, and each pair gives one ratio; the servers have run before.
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


def opened(playwright: Playwright, url: str, drawn: str) -> tuple[float, int, int]:
    """Seconds until `drawn` is on the page, in a browser of its own; requests and bytes by then."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(drawn)
    seconds = time.perf_counter() - started
    requests, size = page.evaluate(COUNTED)
    browser.close()
    return seconds, requests, size


def main() -> None:
    """Load both by turns and print what came of it."""
    folder = Path(tempfile.mkdtemp())
    with empty() as bare, launched(folder, HF_HUB_OFFLINE="1") as ours, sync_playwright() as playwright:
        opened(playwright, bare, "#title h1"), opened(playwright, ours, "#message textarea")
        rows = []
        for _ in range(PAIRS):
            rows.append((opened(playwright, bare, "#title h1"), opened(playwright, ours, "#message textarea")))
    ratio = statistics.median(mine[0] / bare[0] for bare, mine in rows)
    for name, place in (("an empty app", 0), ("Switchboard", 1)):
        seconds = statistics.median(row[place][0] for row in rows)
        print(f"{name:13} {seconds:5.2f} s {rows[-1][place][1]:4} requests {rows[-1][place][2] / 1000:6.0f} kB")
    print(f"ratio {ratio:.2f}, promised {PROMISED}{'' if ratio <= PROMISED else ': NOT KEPT'}")


if __name__ == "__main__":
    main()
