"""Sampling to be seen: presets, what each knob does to the next token, and one prompt under several settings."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr
from gradio.events import api

from backends import find
from core.errors import AppError, RequestRefused
from core.llm import Sampling
from core.snippets import Coded
from tabs import Page
from tabs.knobs import Knobs, knobs
from tabs.next_token import PROMPT, endpoint, next_token
from tabs.parts import QUIET, picker, told
from tabs.presets import presets
from tabs.side_by_side import side_by_side

TITLE = "Sampling"
ORDER = 50


def build(page: Page) -> None:
    """Draw the tab and wire it."""
    picked = picker(page, "sampling-model")
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=300, elem_classes="knobs"), gr.Accordion("Knobs", open=True):
            above = gr.Column()
            drawn = knobs(page, picked.dropdown)
            with above:  # Presets stand over the knobs that they set.
                kept = presets(page, drawn)
        with gr.Column(scale=2, min_width=340), gr.Tabs():
            with gr.Tab("Next token"):
                next_token(picked.dropdown, drawn)
            with gr.Tab("Side by side"):
                side_by_side(page, picked.dropdown, drawn, kept)
            with gr.Tab("As Python") as tab:
                _program(tab, picked.dropdown, drawn)
    api(endpoint, api_name="next_token")


def _program(tab: gr.Tab, choice: gr.Dropdown, drawn: Knobs) -> None:
    """The request as a program, written anew whenever what it holds has changed."""
    prompt = gr.Textbox(PROMPT, label="Prompt", lines=2, elem_id="python-prompt")
    code = gr.Code(language="python", label="The same request without this app", elem_id="python-code")
    triggers = [tab.select, choice.change, drawn.given.change, prompt.change]
    gr.on(triggers, _written, [choice, prompt, drawn.given], code, trigger_mode="always_last", **QUIET)


def _written(choice: str, prompt: str | None, given: dict[str, Any]) -> str:
    try:
        backend, model = find(choice)
        if not isinstance(backend, Coded):
            raise RequestRefused(backend.label, "Choose another model.", "{provider} has no SDK to show.")
        return asyncio.run(backend.python(model, prompt or PROMPT, Sampling.of(given)))
    except AppError as error:
        return f"# {told(error)}"
