"""The page's head: its name, the model of the open tab with its price, and light or dark."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from core.errors import AppError
from core.markdown import harmless
from tabs.parts import QUIET, capabilities, price
from tabs.texts.errors import spoken

_KEY = "switchboard-theme"
# Gradio's own settings and the address can ask for one of the two; what they ask for goes before what was chosen here.
CHOSEN = f"""() => {{
    const asked = new URLSearchParams(location.search).get("__theme"), chosen = localStorage.getItem({_KEY!r});
    if (chosen && !asked) document.body.classList.toggle("dark", chosen === "dark");
}}"""
_SWITCH = f"() => localStorage.setItem({_KEY!r}, document.body.classList.toggle('dark') ? 'dark' : 'light')"
_NONE = "() => ''"
_IF_OPEN = """(told, shown) => {
    const open = document.querySelector("[role=tab][aria-selected=true]");
    return !open || open.dataset.tabId === "%s" ? told : shown;
}"""


def head() -> gr.Markdown:
    """Draw it; the result is the line about the model."""
    with gr.Row(elem_id="head", equal_height=True):
        gr.Markdown("# Switchboard", elem_id="title")
        line = gr.Markdown(elem_id="in-use", elem_classes="facts")
        switch = gr.Button("Light or dark", size="sm", scale=0, min_width=40, elem_id="light-or-dark")
    switch.click(None, None, None, js=_SWITCH)
    return line


def following(page: gr.Blocks, tab: gr.Tab, line: gr.Markdown) -> Callable[[gr.Dropdown], None]:
    """What has the head name the model of a dropdown while `tab` is open."""

    def follow(dropdown: gr.Dropdown) -> None:
        told = gr.Textbox(visible=False)
        events = [page.load, tab.select, dropdown.change]
        asked = gr.on(events, _in_use, dropdown, told, trigger_mode="always_last", **QUIET)
        # By then another tab may be open, whose model or none is named.
        asked.success(None, [told, line], line, js=_IF_OPEN % tab._id, **QUIET)

    return follow


def clears(tabs: gr.Tabs, line: gr.Markdown) -> None:
    """With another tab, the model is another, or there is none."""
    tabs.select(None, None, line, js=_NONE, **QUIET)


def _in_use(choice: str | None) -> str:
    if not choice or choice.endswith("/"):
        return ""
    try:
        return f"{harmless(choice)} · {spoken(price(capabilities(choice).price))}"
    except AppError:
        return harmless(choice)
