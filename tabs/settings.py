"""The settings of a visitor: which providers are ready, keys, what new chats start with, the page's language."""

from __future__ import annotations

import asyncio

import gradio as gr

from backends import backends, choices
from core.markdown import plain
from tabs.language import chooser
from tabs.later import later
from tabs.parts import QUIET
from tabs.starting import chosen
from tabs.texts.errors import spoken
from tabs.visiting import Keyring, keys_panel


def panel(page: gr.Blocks, keyring: Keyring) -> None:
    """Draw the tab. It is the app's own, no plug-in: it alone holds the keys that visitors bring."""
    with gr.Tab("Settings", elem_id="settings") as here, later(page, here), gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=320):
            gr.Markdown("### Providers")
            listed = gr.Markdown(elem_id="providers")
            refresh = gr.Button("↻ Ask all of them again", size="sm", elem_id="providers-refresh")
            gr.Markdown("### This page")
            chooser(page.load)
        with gr.Column(scale=1, min_width=320):
            brought = keys_panel(page, keyring)
            gr.Markdown("### What new chats start with")
            chosen(page.load)
        page.load(providers, None, listed, **QUIET)
        refresh.click(lambda: providers(fresh=True), None, listed, api_visibility="private")
        for event in brought:
            event.success(providers, None, listed, **QUIET)


def providers(fresh: bool = False) -> str:
    """A line for every provider, those that are ready first: how many models it has, or what to do."""
    found = asyncio.run(choices(fresh))
    ready, missing = [], []
    for name, backend in backends().items():
        own = [row for row in found if row.provider == name]
        label, reason = f"**{plain(backend.label)}**", next((row.reason for row in own if row.reason), "")
        if reason:
            missing.append(f"✕ {label} · {plain(spoken(reason))}")
        else:
            ready.append(f"✓ {label} · {len(own)} model{'s' * (len(own) != 1)}")
    return "\n\n".join([*ready, *missing])


def disclaimer() -> None:
    """Draw what stands below every tab."""
    gr.Markdown(
        "Models can be wrong: check what matters. The fares of the flight table are invented.",
        elem_id="disclaimer", elem_classes="hint",
    )  # fmt: skip
