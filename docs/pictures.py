"""Takes the pictures of README and the film in it, with the built-in model and no network: `make pictures`."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.browsing import CHROMIUM
from tests.live import launched

HERE = Path(__file__).parent
QUESTION = "What does the blue light on a Teal mean?"
PASSAGE = "#knowledge-bot [data-testid=bot] a[href^='#passage']"
FILM = (960, 645)
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
    box.fill(QUESTION)
    box.press("Enter")
    link = page.locator(PASSAGE).first
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


def settings(page: Page) -> None:
    """What is ready, and what is not."""
    expect(page.locator("#providers")).to_contain_text("✓", timeout=SLOW)


# --- the film ---------------------------------------------------------------------------------------------------------


class Film:
    """Pictures of a page as it is used, and for how many milliseconds each is shown."""

    def __init__(self, page: Page) -> None:
        self.page, self.pictures, self.shown = page, list[Image.Image](), list[int]()

    def take(self, milliseconds: int = 120) -> None:
        """One picture of the page as it is. One like the last prolongs that."""
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB").resize(FILM, Image.Resampling.LANCZOS)
        if self.pictures and picture.tobytes() == self.pictures[-1].tobytes():
            self.shown[-1] += milliseconds
        else:
            self.pictures.append(picture)
            self.shown.append(milliseconds)

    def types(self, box: Locator, text: str) -> None:
        """Enter `text`, a few letters at a time, and send it."""
        for end in range(0, len(text), 4):
            box.fill(text[: end + 4])
            self.take(80)
        self.take(400)
        box.press("Enter")

    def until(self, there: Locator) -> None:
        """Take pictures until this is on the page."""
        for _ in range(400):
            self.take()
            if there.is_visible():
                return
            self.page.wait_for_timeout(100)
        raise TimeoutError(there)

    def keep(self, path: Path) -> None:
        """Write it; what was waited for longer than a moment is cut."""
        shown = [*(min(one, 1500) for one in self.shown[:-1]), 3000]
        self.pictures[0].save(
            path, save_all=True, append_images=self.pictures[1:], duration=shown, loop=0, quality=70, method=4
        )  # fmt: skip


def film(page: Page) -> Film:
    """The flight tool is called, the models are looked through, and the documents answer with their source."""
    reel = Film(page)
    reel.types(page.locator("#message textarea"), "How much is a flight from Delhi to Paris?")
    reel.until(page.locator("#bot").get_by_text("tokens/s"))
    page.locator("#bot").get_by_text("get_ticket_price(Delhi, Paris)").click()
    page.wait_for_timeout(500)
    reel.take(1500)
    page.locator("#model input").click()
    page.wait_for_timeout(500)
    reel.take(1500)
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Knowledge").click()
    box = page.locator("#knowledge-question textarea")
    expect(box).to_be_visible(timeout=SLOW)
    reel.take(300)
    reel.types(box, QUESTION)
    reel.until(page.locator(PASSAGE).first)
    expect(page.locator("#knowledge-question button.submit-button")).to_be_visible(timeout=SLOW)
    page.wait_for_timeout(800)
    reel.take(1500)
    page.locator(PASSAGE).first.click()
    expect(page.locator("#knowledge-document-title")).to_be_visible(timeout=SLOW)
    page.wait_for_timeout(800)
    reel.take(1500)
    return reel


def opened(browser: Browser, url: str) -> Page:
    """The chat, when its model is known."""
    page = browser.new_page(viewport={"width": 1280, "height": 860}, locale="en-US")
    page.set_default_timeout(SLOW)
    page.goto(f"{url}?__theme=light")
    expect(page.locator("#model-facts")).to_contain_text("context", timeout=SLOW)
    return page


def main() -> None:
    """Open each tab, do what its function does, and keep the picture beside this file; then the film."""
    folder = Path(tempfile.mkdtemp())
    with launched(folder, HF_HUB_OFFLINE="1") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for act in (chat, brochure, knowledge, pipelines, sampling, compare, tokens, settings):
            page = opened(browser, url)
            page.get_by_role("tab", name=act.__name__.capitalize()).first.click()
            page.wait_for_timeout(1000)
            act(page)
            page.wait_for_timeout(1500)
            page.screenshot(path=HERE / f"{act.__name__}.png")
            page.close()
        film(opened(browser, url)).keep(HERE / "switchboard.webp")


if __name__ == "__main__":
    main()
