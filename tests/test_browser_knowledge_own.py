"""One's own documents in a real browser: a folder, another embedding model, and an app that is killed at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browsing import needs_browser, visitor
from tests.live import ROOT, answering, free_port

pytestmark = needs_browser

LONG = 300_000  # milliseconds: documents are read, on a busy machine
SOON = 60_000


@contextmanager
def app(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The app on the data of `folder`, and its process, which may be dead at the end."""
    port = free_port()
    own = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "gradio")}
    with (folder / "app.log").open("a") as log:
        command = [sys.executable, str(ROOT / "app.py")]
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            yield answering(f"http://127.0.0.1:{port}", process), process
        finally:
            process.kill()
            process.wait(10)


def documents(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("tab", name="Knowledge").click()
    page.locator("#knowledge-base").get_by_text("My documents").click()
    page.get_by_role("tab", name="Documents", exact=True).click()
    expect(page.locator("#documents-files")).to_be_visible(timeout=SOON)


def test_a_folder_is_read_and_another_model_takes_it_over_with_consent_alone(
    browser: Browser, url: str, tmp_path: Path
) -> None:
    (tmp_path / "yak.md").write_text("# Yaks\n\nThe yak lives in the north barn.\n")
    with visitor(browser) as page:
        documents(page, url)
        page.locator("#documents-folder input, #documents-folder textarea").fill(str(tmp_path))
        page.locator("#documents-read").click()
        expect(page.locator("#documents-table")).to_contain_text("yak.md", timeout=LONG)
        facts = page.locator("#documents-facts")
        expect(facts).to_contain_text("Embedding model minilm,")
        page.locator("#documents-manner button").first.click()
        page.locator("#documents-model input").click()
        page.get_by_role("option", name="in 8 bits").click()
        page.locator("#documents-remake").click()
        expect(page.locator("#documents-question")).to_contain_text("Rebuild it for minilm-int8?", timeout=SOON)
        expect(facts).to_contain_text("Embedding model minilm,")
        page.locator("#documents-agreed").click()
        expect(facts).to_contain_text("Embedding model minilm-int8,", timeout=LONG)
        expect(page.locator("#documents-question")).to_be_hidden()
        expect(page.locator("#documents-table")).to_contain_text("yak.md")


def test_what_was_being_added_when_the_app_was_killed_is_added_by_itself(browser: Browser, tmp_path: Path) -> None:
    barns = "\n\n".join(
        f"## Barn {n}\n\nIn barn number {n} lives yak {n * 7}, who eats hay and {n}." for n in range(900)
    )
    (tmp_path / "barns.md").write_text(f"# Barns\n\n{barns}\n")
    with app(tmp_path) as (url, process), visitor(browser) as page:
        documents(page, url)
        page.locator("#documents-files input[type=file]").set_input_files(tmp_path / "barns.md")
        expect(page.locator("#documents-job")).to_contain_text("Embedding", timeout=LONG)
        page.goto("about:blank")
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with app(tmp_path) as (url, _), visitor(browser) as page:
        documents(page, url)
        expect(page.locator("#documents-table")).to_contain_text("barns.md", timeout=LONG)
        expect(page.locator("#jobs")).to_contain_text("✓ Adding 1 file")


def test_adding_stops_when_it_is_told_to(browser: Browser, url: str, tmp_path: Path) -> None:
    barns = "\n\n".join(f"## Shed {n}\n\nIn shed {n} stands cart {n * 3}, which is {n} years old." for n in range(900))
    (tmp_path / "sheds.md").write_text(f"# Sheds\n\n{barns}\n")
    with visitor(browser) as page:
        documents(page, url)
        page.locator("#documents-files input[type=file]").set_input_files(tmp_path / "sheds.md")
        expect(page.locator("#documents-job")).to_contain_text("Embedding", timeout=LONG)
        page.locator("#documents-stop").click()
        expect(page.locator("#documents-job")).to_contain_text("Stopped. Nothing was changed.", timeout=SOON)
        expect(page.locator("#documents-table")).not_to_contain_text("sheds.md")
