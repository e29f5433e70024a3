"""What small models do besides conversing: sentiment, entities, translation and pictures, each in a tab of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from core.markdown import plain
from core.pipelines.kept import listed, unload
from core.settings import settings
from tabs import Page
from tabs.parts import QUIET
from tabs.pipelines_api import endpoints
from tabs.pipelines_entities import entities
from tabs.pipelines_pictures import pictures
from tabs.pipelines_sentiment import sentiment
from tabs.pipelines_translation import translation

TITLE = "Pipelines"
ORDER = 60


def build(page: Page) -> None:
    """Draw the tab and wire it."""
    with gr.Tabs():
        for place, (title, draw) in enumerate(VIEWS.items()):
            with gr.Tab(title) as here:
                # The first one is shown when the tab is; the event of being chosen is the others'.
                draw(page, here.select if place else page.load)
    _memory(page)
    endpoints()


View = Callable[[Page, Callable[..., Any]], None]
VIEWS: dict[str, View] = {
    "Sentiment": sentiment, "Entities": entities, "Translation": translation, "Pictures": pictures,
}  # fmt: skip


def _memory(page: Page) -> None:
    """The models in memory, which all visitors share, and letting one go."""
    with gr.Accordion("Models in memory", open=False) as box:
        table = gr.Markdown(elem_id="pipelines-memory")
        with gr.Row(visible=not settings().public):
            chosen = gr.Dropdown([], show_label=False, label="Model", container=False, scale=4, elem_id="kept-model")
            drop = gr.Button("Unload", size="sm", scale=0, min_width=100, elem_id="kept-unload")
        again = gr.Button("↻ Look again", size="sm", elem_id="kept-look")
    for event in (page.load, box.expand, again.click):
        event(_kept, None, [table, chosen], **QUIET)
    drop.click(_unload, chosen, [table, chosen], **QUIET)


def _kept() -> tuple[str, Any]:
    rows = listed()
    if not rows:
        return "No model is in memory. Each is read when it is first used.", gr.update(choices=[], value=None)
    lines = [f"| {one.task} | {plain(one.name)} | {one.memory / 1e6:,.0f} MB |" for one in rows]
    names = [f"{one.task}: {one.name}" for one in rows]
    return "\n".join(["| task | model | memory |", "|---|---|---:|", *lines]), gr.update(choices=names, value=names[0])


def _unload(chosen: str | None) -> tuple[str, Any]:
    if chosen and not settings().public:
        unload(*chosen.split(": ", 1))
    return _kept()
