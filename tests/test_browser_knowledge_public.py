"""Strangers' documents on a public page: each one's own, bounded, without the machine's folders, and gone with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browsing import needs_browser, visitor

pytestmark = needs_browser

LONG = 300_000  # milliseconds: documents are read, on a busy machine
SOON = 60_000
ENVIRONMENT = {
    "SWITCHBOARD_PUBLIC": "1", "SWITCHBOARD_UPLOAD_FILES": "2", "GRADIO_HEARTBEAT_INTERVAL": "0.3",
    # Gradio forgets a closed page after a second instead of an hour.
    "GRADIO_IS_E2E_TEST": "1",
}  # fmt: skip


@contextmanager
def stranger(browser: Browser, url: str) -> Iterator[Page]:
    """A visitor who looks at the list of his own documents."""
    with visitor(browser) as page:
        page.goto(url)
        page.get_by_role("tab", name="Knowledge").click()
        page.locator("#knowledge-base").get_by_text("My documents").click()
        page.get_by_role("tab", name="Documents", exact=True).click()
        expect(page.locator("#documents-facts")).to_contain_text("You have added no documents yet", timeout=SOON)
        yield page


def add(page: Page, *files: Path) -> None:
    page.locator("#documents-files input[type=file]").set_input_files(files)


def notes(folder: Path, *names: str) -> list[Path]:
    found = [folder / f"{name}.md" for name in names]
    for file in found:
        file.write_text(f"# {file.stem}\n\nThe {file.stem} lives in the north barn.\n")
    return found


def homes(folder: Path) -> list[Path]:
    return list((folder / "data" / "visitors").glob("*/index"))


def test_two_strangers_see_their_own_documents_alone_and_leave_nothing(
    browser: Browser, url: str, folder: Path, tmp_path: Path
) -> None:
    yak, gnu, emu, owl = notes(tmp_path, "yak", "gnu", "emu", "owl")
    with stranger(browser, url) as one:
        with stranger(browser, url) as two:
            add(one, yak)
            expect(one.locator("#documents-table")).to_contain_text("yak.md", timeout=LONG)
            add(two, gnu, emu, owl)
            expect(two.locator("#documents-table")).to_contain_text("gnu.md", timeout=LONG)
            expect(two.locator("#documents-table")).not_to_contain_text("yak.md")
            expect(two.locator("#documents-job")).to_contain_text("owl.md was not added: only 2 files can be added")
            expect(one.locator("#documents-table")).not_to_contain_text("gnu.md")
            one.get_by_role("tab", name="Ask", exact=True).click()
            one.locator("#knowledge-alone input").check()
            one.locator("#knowledge-question textarea").fill("Who lives in the north barn?")
            one.locator("#knowledge-question textarea").press("Enter")
            said = one.locator("#knowledge-bot [data-testid=bot]").last
            expect(said).to_contain_text("The yak lives in the north barn", timeout=SOON)
            expect(said).not_to_contain_text("gnu")
            assert len(homes(folder)) == 2
        one.wait_for_timeout(8_000)
        assert len(homes(folder)) == 1, "what the other one had is gone with the page"
        one.get_by_role("tab", name="Documents", exact=True).click()
        expect(one.locator("#documents-table")).to_contain_text("yak.md")


def test_no_folder_and_no_foreign_model_is_offered_or_taken(browser: Browser, url: str) -> None:
    with stranger(browser, url) as page:
        expect(page.locator("#documents-folder")).to_have_count(0)
        expect(page.locator("#documents-read")).to_have_count(0)
        told = page.request.get(f"{url}/gradio_api/info").json()["named_endpoints"]
    assert "/search" in told
    assert not [name for name in told if "document" in name or "folder" in name]
