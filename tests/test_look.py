"""How the page looks and is used: contrast, names, keyboard, narrow screens, light and dark, and that nothing jumps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tabs.theme import theme
from tests.browsing import answer, finished, needs_browser, opened, send, visitor
from tests.services import Provider, Say

pytestmark = needs_browser

ENVIRONMENT = {"SWITCHBOARD_MODEL": "openai/gpt-4.1"}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What stays, nearly all of it in Gradio's own widgets: the rule, what its element has, and why.
KNOWN = {
    ("aria-required-children", 'class="examples'): "the examples of an empty chat are buttons in a list, not its items",
    ("aria-prohibited-attr", 'aria-label="Empty value"'): "an empty chart or text names itself without a role",
}
TABS = ("Chat", "Brochure", "Knowledge", "Sampling", "Compare", "Pipelines", "Tokens", "Settings")
SIZES = {"wide": {"width": 1280, "height": 860}, "narrow": {"width": 390, "height": 844}}


@contextmanager
def looking(browser: Browser, url: str, theme: str = "light", size: str = "wide") -> Iterator[Page]:
    """The chat in a page of this size; warnings in its console are wrong as well."""
    warned = list[str]()
    with visitor(browser) as page:
        page.on("console", lambda said: warned.append(said.text) if said.type == "warning" else None)
        page.set_viewport_size(SIZES[size])
        opened(page, f"{url}?__theme={theme}")
        yield page
    assert not warned


def tab(page: Page, name: str) -> None:
    """Open this tab, which on a narrow page may be in the menu, and wait until it is quiet."""
    button = page.get_by_role("tab", name=name, exact=True).first
    if button.count() and button.is_visible():
        button.click()
    else:
        page.locator(".overflow-menu > button").first.click()
        page.locator(".overflow-dropdown button", has_text=name).first.click()
    expect(shown(page).locator("button:visible, input:visible").first).to_be_visible(timeout=20_000)
    page.wait_for_timeout(1500)


def shown(page: Page) -> Locator:
    """What the open tab holds."""
    return page.locator("[role=tabpanel]:visible").first


# --- what axe-core finds ----------------------------------------------------------------------------------------------


def violations(page: Page) -> list[str]:
    """What breaks WCAG 2.2 AA on the page as it is, but for what is known and stays."""
    found = page.evaluate("(rules) => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", STANDARD)
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in found["violations"]
        for node in rule["nodes"]
        if not any(rule["id"] == known and part in node["html"] for known, part in KNOWN)
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tab_is_accessible_and_as_wide_as_its_page(browser: Browser, url: str, theme: str, size: str) -> None:
    wrong: dict[str, Any] = {}
    with looking(browser, url, theme, size) as page:
        page.evaluate(AXE)
        for name in TABS:
            tab(page, name)
            wrong[name] = violations(page)
            if page.evaluate("document.documentElement.scrollWidth") > SIZES[size]["width"]:
                wrong[name].append("scrolls sideways")
    assert not {name: found for name, found in wrong.items() if found}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_answer_is_accessible(browser: Browser, url: str, theme: str, service: Provider) -> None:
    text = "# Fares\n\nA *list*:\n\n- one `code`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1  # one\n```\n"
    service.say(Say((text,), thinking=("Hm",)))
    with looking(browser, url, theme) as page:
        send(page, "How much?")
        answer(page, "Fares")
        finished(page)
        page.evaluate(AXE)
        assert violations(page) == []


# --- by keyboard ------------------------------------------------------------------------------------------------------


def reach(page: Page, selector: str, key: str = "Tab") -> None:
    """Go on by this key until what has the focus is meant; each stop on the way can be seen."""
    for _ in range(80):
        page.keyboard.press(key)
        held = page.evaluate(
            """(selector) => {
                const here = document.activeElement, drawn = getComputedStyle(here);
                return [here.matches(selector), drawn.outlineStyle + drawn.outlineWidth, here.outerHTML.slice(0, 120)];
            }""",
            selector,
        )
        if held[0]:
            assert held[1] == "solid2px", held
            return
    raise AssertionError(f"no {key} leads to {selector}")


def test_a_chat_by_keyboard_alone(browser: Browser, url: str, service: Provider) -> None:
    service.say(Say(("started",), then="silence"), Say(("again",)))
    service.hung_up.clear()
    with looking(browser, url) as page:
        page.locator("body").evaluate("() => document.activeElement.blur()")
        # The list of models comes a moment after the page.
        expect(page.locator("#model-facts")).to_contain_text("tokens of context", timeout=20_000)
        reach(page, "#model input")
        page.keyboard.press("Control+A")
        page.keyboard.type("starter")
        expect(page.get_by_role("option", name=re.compile("starter"))).to_be_visible(timeout=20_000)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("#in-use")).to_have_text("local/starter · free", timeout=20_000)
        reach(page, "#model input", "Shift+Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("openai/gpt-4.1")
        page.keyboard.press("Enter")
        expect(page.locator("#in-use")).to_contain_text("openai/gpt-4.1", timeout=20_000)
        reach(page, "#message textarea")
        page.keyboard.type("Hello")
        page.keyboard.press("Enter")
        answer(page, "started")
        reach(page, "#message .stop-button")
        page.keyboard.press("Enter")
        assert service.hung_up.wait(5)
        finished(page)


def test_every_tab_is_reached_and_entered_by_keyboard(browser: Browser, url: str) -> None:
    with looking(browser, url) as page:
        for name in TABS[1:]:
            page.evaluate("() => document.activeElement.blur()")
            page.locator("#title").click()
            place = page.get_by_role("tab", name=name, exact=True).first.get_attribute("data-tab-id")
            reach(page, f"[role=tab][data-tab-id='{place}']")
            page.keyboard.press("Enter")
            expect(shown(page).locator("button:visible, input:visible").first).to_be_visible(timeout=20_000)
            reach(page, "[role=tabpanel] :is(input, textarea, button:not([role=tab]))")


# --- the head ---------------------------------------------------------------------------------------------------------


def test_the_head_names_the_model_of_the_open_tab_and_its_price(browser: Browser, url: str) -> None:
    with looking(browser, url) as page:
        line = page.locator("#in-use")
        expect(line).to_have_text(re.compile(r"openai/gpt-4.1 · \$2 in, \$8 out a million tokens"))
        tab(page, "Compare")
        expect(line).to_have_text("")
        tab(page, "Sampling")
        expect(line).to_contain_text("openai/gpt-4.1")
        box = page.locator("#sampling-model input")
        box.fill("local/starter")
        box.press("Enter")
        expect(line).to_have_text("local/starter · free")
        tab(page, "Chat")
        expect(line).to_contain_text("openai/gpt-4.1")


def test_light_or_dark_is_kept(browser: Browser, url: str) -> None:
    with visitor(browser) as page:
        page.emulate_media(color_scheme="light")
        opened(page, url)
        ground = "() => getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.get_by_role("button", name="Light or dark").click()
        expect(page.locator("body")).to_have_class(re.compile(r"\bdark\b"))
        dark = page.evaluate(ground)
        assert dark != light
        opened(page, url)
        expect(page.locator("body")).to_have_class(re.compile(r"\bdark\b"))
        assert page.evaluate(ground) == dark


def test_the_theme_loads_nothing() -> None:
    css = theme()._get_theme_css()
    assert not re.search(r"url\((?!['\"]?data:)", css)
    assert "@import" not in css


# --- that nothing jumps -----------------------------------------------------------------------------------------------

_SHIFTS = """() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
    }).observe({type: "layout-shift"});
}"""


def test_nothing_jumps_while_an_answer_comes(browser: Browser, url: str, service: Provider) -> None:
    words = tuple(f"word{number} " for number in range(40))
    service.say(Say(("Let me see. ", *words, "\n\n- a\n- b\n\nThe end."), pace=0.08))
    with looking(browser, url) as page:
        page.evaluate(_SHIFTS)
        send(page, "Talk")
        answer(page, "The end.")
        finished(page)
        page.wait_for_timeout(500)
        assert page.evaluate("window.shifted") < 0.02


# --- tabs that come later ---------------------------------------------------------------------------------------------


def test_a_tab_comes_once_and_asks_no_more_than_once(browser: Browser, url: str) -> None:
    asked = list[str]()
    with looking(browser, url) as page:
        page.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
        tab(page, "Compare")
        box = page.locator("#compare-prompt textarea")
        box.fill("What I have typed")
        tab(page, "Chat")
        tab(page, "Compare")
        expect(box).to_have_value("What I have typed")
        page.wait_for_timeout(1500)
        before = len(asked)
        page.wait_for_timeout(2000)
        assert len(asked) == before < 20


def test_the_page_is_told_of_the_first_tab_alone(browser: Browser, url: str) -> None:
    with visitor(browser) as page:
        config = page.request.get(f"{url}/config").json()
        known = {one["props"].get("elem_id") for one in config["components"]}
        assert "message" in known
        assert not known & {"compare-prompt", "knowledge-question", "sampling-model", "providers"}
        assert {"chat", "ask", "compare"} <= {one["api_name"] for one in config["dependencies"]}


def test_a_closed_accordion_comes_when_it_is_opened_as_it_was_set_before(browser: Browser, url: str) -> None:
    with visitor(browser) as page:
        page.add_init_script(
            """localStorage.setItem("switchboard-start", JSON.stringify({knobs: {temperature: 0.3}}))"""
        )
        opened(page, url)
        slider = page.get_by_label("number input for Temperature")
        expect(slider).to_have_count(0)
        for _ in range(2):
            page.get_by_role("button", name=re.compile("^Sampling")).click()
            expect(slider).to_be_enabled(timeout=20_000)
            expect(slider).to_have_value("0.3")
            page.get_by_role("button", name=re.compile("^Sampling")).click()


def test_what_the_first_page_needs_is_asked_for_at_once_and_kept(browser: Browser, url: str) -> None:
    asked = dict[str, dict[str, str]]()
    with visitor(browser) as page:
        page.on("response", lambda told: asked.update({told.url.split("/assets/")[-1]: told.headers}))
        opened(page, url)
        needed = {name: headers for name, headers in asked.items() if "/" not in name}
        listed = set(re.findall(r'(?:href|src)="\./assets/([^"]+)"', page.request.get(url).text()))
    assert len(needed) > 40
    assert set(needed) - listed == set()
    # One sheet for the page's shell, which Gradio's page names itself, and one for all that is on it.
    assert len([name for name in needed if name.endswith(".css")]) == 2
    assert {"immutable" in headers.get("cache-control", "") for headers in needed.values()} == {True}
    assert {headers.get("content-encoding") for headers in needed.values()} == {"br"}
