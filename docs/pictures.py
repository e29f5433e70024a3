"""Takes the pictures of README, with the built-in model and no network: `make pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browsing import CHROMIUM
from tests.live import launched

HERE = Path(__file__).parent
SLOW = 120_000  # milliseconds: a small model on a busy machine


def chat(page: Page) -> None:
    """The built-in model calls a tool and quotes its price."""
    box = page.locator("#message textarea")
    box.fill("How much is a flight from Delhi to Paris?")
    box.press("Enter")
    expect(page.locator("#bot").get_by_text("local/starter")).to_be_visible(timeout=SLOW)
    page.locator("#bot").get_by_text("get_ticket_price(Delhi, Paris)").click()


def brochure(page: Page) -> None:
    """The sample site, read and told."""
    page.get_by_role("button", name="Try it on the sample site").click()
    page.get_by_role("button", name="Make the brochure").click()
    expect(page.get_by_text("↳").first).to_be_visible(timeout=SLOW)
    page.wait_for_timeout(8000)


def knowledge(page: Page) -> None:
    """A question about the sample company, and the passage that answers it."""
    box = page.locator("#knowledge-question textarea")
    box.fill("What is the address of the head office?")
    box.press("Enter")
    link = page.locator("#knowledge-bot [data-testid=bot] a").first
    expect(link).to_be_visible(timeout=4 * SLOW)
    expect(page.locator("#knowledge-question button.submit-button")).to_be_visible(timeout=SLOW)
    link.click()
    expect(page.locator("#knowledge-document-title")).to_be_visible(timeout=SLOW)


def pipelines(page: Page) -> None:
    """The names in a text."""
    page.get_by_role("tab", name="Entities").click()
    page.get_by_role("button", name="Find the names").click()
    page.wait_for_timeout(15_000)


def sampling(page: Page) -> None:
    """What may come after a prompt."""
    page.get_by_role("button", name="Show what may come next").click()
    page.wait_for_timeout(6000)


def compare(page: Page) -> None:
    """The tab as it opens."""
    page.wait_for_timeout(2000)


def tokens(page: Page) -> None:
    """A text as the built-in model reads it."""
    page.wait_for_timeout(2000)


def main() -> None:
    """Open each tab, do what its function does, and keep the picture beside this file."""
    folder = Path(tempfile.mkdtemp())
    with launched(folder, HF_HUB_OFFLINE="1") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for act in (chat, brochure, knowledge, pipelines, sampling, compare, tokens):
            page = browser.new_page(viewport={"width": 1280, "height": 860}, locale="en-US")
            page.goto(f"{url}?__theme=light")
            expect(page.locator("#model-facts")).to_contain_text("context", timeout=SLOW)
            page.get_by_role("tab", name=act.__name__.capitalize()).first.click()
            page.wait_for_timeout(1000)
            act(page)
            page.wait_for_timeout(1500)
            page.screenshot(path=HERE / f"{act.__name__}.png")
            page.close()


if __name__ == "__main__":
    main()
