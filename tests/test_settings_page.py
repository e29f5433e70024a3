"""The settings in a real browser: what is ready, keys for one session, what new chats start with, the language."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import answer, choose, finished, needs_browser, opened, send, visitor
from tests.services import Provider, Say

pytestmark = needs_browser

# The owner's own page: one provider has its key, the others have none.
ENVIRONMENT = {"OPENAI_API_KEY": "", "GRADIO_HEARTBEAT_INTERVAL": "0.3"}
CANARY = "sk-canary-0815"
OPENAI, OLLAMA = "openai/gpt-4.1", "ollama/llama3.2:3b"
SETTINGS = re.compile("Settings|Einstellungen|Ajustes|Réglages")
# All that can be read on the page, titles and placeholders among it.
SHOWN = """[document.body.innerText, ...[...document.querySelectorAll("body *:not(script)")].flatMap(
    (element) => [element.value ?? "", ...[...element.attributes].map((one) => one.value)].map(String))]"""


def settings(page: Page) -> None:
    page.get_by_role("tab", name=SETTINGS).click()
    expect(page.locator("#providers")).to_contain_text("Groq", timeout=20_000)


# --- what is ready, and keys ------------------------------------------------------------------------------------------


def test_a_key_typed_at_home_is_this_pages_alone(browser: Browser, url: str, service: Provider, folder: Path) -> None:
    service.say(Say(("Hello", " there")))
    with visitor(browser) as page, visitor(browser) as other:
        opened(page, url)
        opened(other, url)
        settings(page)
        settings(other)
        expect(page.locator("#providers")).to_contain_text("✕ OpenAI · Set OPENAI_API_KEY to use OpenAI.")
        expect(page.locator("#providers")).to_contain_text("✓ This machine · 1 model")
        page.get_by_role("textbox", name="OpenAI").fill(CANARY)
        page.locator("#use-keys").click()
        expect(page.locator("#keys-held")).to_contain_text("Held for this page: OpenAI", timeout=20_000)
        expect(page.locator("#providers")).to_contain_text("✓ OpenAI")
        other.locator("#providers-refresh").click()
        expect(other.locator("#providers")).to_contain_text("✕ OpenAI")
        page.get_by_role("tab", name="Chat").click()
        choose(page, OPENAI)
        send(page, "With a key")
        answer(page, "Hello there")
        assert service.asked()[-1].headers["authorization"] == f"Bearer {CANARY}"
        stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        public = "".join(page.request.get(f"{url}{path}").text() for path in ("/", "/config", "/gradio_api/info"))
        files = [path.read_text("latin-1") for path in folder.rglob("*") if path.is_file()]
        for place in (stored, public, page.content(), other.content(), *files):
            assert "canary" not in place
        settings(page)
        page.locator("#forget-keys").click()
        expect(page.locator("#providers")).to_contain_text("✕ OpenAI")


# --- what the browser remembers ---------------------------------------------------------------------------------------


def test_the_model_that_was_used_last_comes_back(browser: Browser, url: str) -> None:
    with visitor(browser) as page:
        opened(page, url)
        choose(page, OLLAMA)
        page.wait_for_function("localStorage.getItem('switchboard-settings')?.includes('llama3.2:3b')")
        page.reload()
        expect(page.locator("#model input")).to_have_value(re.compile("llama3.2:3b"), timeout=20_000)


@pytest.mark.parametrize("spoilt", ["{", "[1]", "null", "3", '"text"'])
def test_a_spoilt_memory_is_begun_anew(browser: Browser, url: str, spoilt: str) -> None:
    with visitor(browser) as page:
        opened(page, url)
        page.evaluate("(text) => localStorage.setItem('switchboard-settings', text)", spoilt)
        page.reload()
        expect(page.locator("#model input")).to_have_value(re.compile("starter"), timeout=20_000)
        choose(page, OLLAMA)
        page.wait_for_function("localStorage.getItem('switchboard-settings')?.includes('llama3.2:3b')")
        kept = json.loads(page.evaluate("localStorage.getItem('switchboard-settings')"))
        assert kept["model"].endswith("llama3.2:3b")


# --- what new chats start with ----------------------------------------------------------------------------------------


def test_new_chats_start_as_chosen(browser: Browser, url: str, service: Provider) -> None:
    service.say(Say(("Fine.",)))
    with visitor(browser) as page:
        opened(page, url)
        settings(page)
        choose(page, OLLAMA, "start-model")
        page.locator("#start-preset").get_by_text("Creative").click()
        page.locator("#start-preset").get_by_text("Precise").click()
        page.wait_for_function("localStorage.getItem('switchboard-start')?.includes('Precise')")
        page.reload()
        expect(page.locator("#model input")).to_have_value(re.compile("llama3.2:3b"), timeout=20_000)
        page.wait_for_timeout(1_000)
        send(page, "How are you?")
        answer(page, "Fine.")
        finished(page)
        asked = service.asked()[-1]
        assert (asked.wire, asked.body["options"]["temperature"], asked.body["options"]["top_k"]) == ("ollama", 0.2, 20)
        # Another model for this chat; the next one starts with the chosen one again.
        choose(page, "local/starter")
        page.locator(".sidebar .toggle-button").click()
        page.locator("#new-chat").click()
        expect(page.locator("#model input")).to_have_value(re.compile("llama3.2:3b"))
        # The settings show what was chosen.
        settings(page)
        expect(page.locator("#start-model input")).to_have_value(re.compile("llama3.2:3b"))
        expect(page.locator("#start-preset").get_by_role("radio", checked=True)).to_have_value("Precise")


@pytest.mark.parametrize("spoilt", ["{", "[1]", '{"model": 3}', '{"knobs": {"temperature": 99}}', '{"knobs": [1]}'])
def test_what_the_browser_has_spoilt_changes_nothing(browser: Browser, url: str, spoilt: str) -> None:
    with visitor(browser) as page:
        page.add_init_script(f"localStorage.setItem('switchboard-start', {json.dumps(spoilt)})")
        opened(page, url)
        expect(page.locator("#model input")).to_have_value(re.compile("starter"))


# --- the language -----------------------------------------------------------------------------------------------------


def tabs(page: Page) -> list[str]:
    return page.locator("button[role=tab]:visible").all_inner_texts()


@pytest.mark.parametrize(
    ("locale", "language", "title", "placeholder"),
    [
        ("de-CH", "de", "Broschüre", "Nachricht schreiben…"),
        ("es-MX", "es", "Folleto", "Escriba un mensaje…"),
        ("fr-FR", "fr", "Connaissances", "Écrivez un message…"),
        ("ja-JP", "en", "Brochure", "Write a message…"),
    ],
)
def test_the_page_speaks_the_browsers_language(
    browser: Browser, url: str, locale: str, language: str, title: str, placeholder: str
) -> None:
    with visitor(browser, locale) as page:
        opened(page, url)
        assert page.evaluate("document.documentElement.lang") == language
        assert title in tabs(page)
        expect(page.locator("#message textarea")).to_have_attribute("placeholder", placeholder)
        assert [text for text in page.evaluate(SHOWN) if "__i18n__" in text] == []


@pytest.mark.parametrize("title", ["Folleto", "Comparar", "Tokens"])
def test_a_tab_that_is_opened_later_speaks_it_too(browser: Browser, url: str, title: str) -> None:
    with visitor(browser, "es-ES") as page:
        opened(page, url)
        page.get_by_role("tab", name=title, exact=True).click()
        words = {"Folleto": "Crear el folleto", "Comparar": "Preguntar a todos", "Tokens": "Palabras raras"}
        expect(page.get_by_role("button", name=words[title])).to_be_visible(timeout=30_000)
        assert [text for text in page.evaluate(SHOWN) if "__i18n__" in text] == []


def test_a_language_can_be_chosen_and_stays(browser: Browser, url: str) -> None:
    with visitor(browser) as page:
        opened(page, url)
        settings(page)
        page.locator("#language").get_by_text("Français").click()
        expect(page.locator("#message textarea")).to_have_attribute(
            "placeholder", "Écrivez un message…", timeout=30_000
        )
        # Also on tabs that nobody has opened yet, and in what handlers say.
        assert {"Connaissances", "Réglages"} <= set(tabs(page))
        assert page.evaluate("document.documentElement.lang") == "fr"
        settings(page)
        expect(page.locator("#language").get_by_role("radio", checked=True)).to_have_value("fr")
        page.locator("#forget-keys").click()
        expect(page.locator("#keys-held")).to_contain_text("Aucune clé n'est conservée.")
        page.locator("#language").get_by_text("English").click()
        expect(page.locator("#message textarea")).to_have_attribute("placeholder", "Write a message…", timeout=30_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_holds_the_settings(browser: Browser, url: str, scheme: str) -> None:
    with visitor(browser) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        opened(page, url)
        page.locator(".overflow-menu button").first.click()
        page.get_by_role("tab", name="Settings").or_(
            page.get_by_role("button", name="Settings", exact=True)
        ).last.click()
        expect(page.locator("#providers")).to_contain_text("Groq", timeout=20_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
