"""A chat as a model reads it: written by its chat template, cut into tokens, special ones marked."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from backends import find
from core.errors import AppError, RequestRefused
from core.llm import Conversation, Message
from core.tokens import Renders
from core.tools import tools
from tabs import Page
from tabs.parts import QUIET, told
from tabs.tokenizing import coloured, facts, pieces_box, tokenizers, tokens

TURNS = "user: How much is Delhi to Paris?\nassistant: 499 USD.\nuser: And back?"

MOST_ROWS = 400


def template(page: Page, opened: gr.Tab) -> None:
    """Draw the view and wire it."""
    choice = gr.Dropdown(
        ["local/starter"], value="local/starter", label="Model", allow_custom_value=True, elem_id="template-model"
    )
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            system = gr.Textbox("You are brief.", label="System prompt", lines=2, elem_id="template-system")
            turns = gr.Textbox(TURNS, label="Turns, each beginning with user: or assistant:", lines=5)
            allowed = gr.CheckboxGroup(sorted(tools()), label="Tools on offer", elem_id="template-tools")
        with gr.Column(min_width=300):
            told = gr.Markdown(elem_classes="facts", elem_id="template-facts")
            pieces = pieces_box("template-pieces")
    asked = [choice, system, turns, allowed]
    triggers = [opened.select, choice.change, system.change, turns.change, allowed.change]
    gr.on(triggers, render, asked, [pieces, told], trigger_mode="always_last", **QUIET)
    page.load(lambda: gr.update(choices=tokenizers()[1:]), None, choice, **QUIET)


def render(choice: str, system: str | None, turns: str | None, allowed: list[str] | None) -> list[Any]:
    """The prompt as tokens, special ones marked, and a line of figures."""
    try:
        text = rendered(choice, conversation(system or "", turns or ""), allowed or [])
        found = tokens(choice, text, added=False)
    except AppError as error:
        return [[], f"⚠️ {told(error)}"]
    return [coloured(found), f"{facts(found, text)} · the answer begins after the last one"]


def conversation(system: str, turns: str) -> Conversation:
    """Turns written as "user: …" and "assistant: …"; a line without either goes on with the turn before it."""
    said: list[Message] = [Message("system", system.strip())] if system.strip() else []
    for line in turns.splitlines():
        role, colon, text = line.partition(":")
        if colon and role.strip() in ("user", "assistant"):
            said.append(Message("user" if role.strip() == "user" else "assistant", text.strip()))
        elif said and said[-1].role != "system":
            said[-1] = Message(said[-1].role, f"{said[-1].text}\n{line}".strip())
        elif line.strip():
            said.append(Message("user", line.strip()))
    return tuple(said)


def rendered(choice: str, said: Conversation, allowed: list[str]) -> str:
    """The prompt as the model's chat template writes it. Raises AppError."""
    backend, model = find(choice)
    if not isinstance(backend, Renders):
        raise RequestRefused(
            backend.label, "Choose a model in this process.", "{provider} does not publish its chat templates."
        )
    specs = tuple(spec for name, spec in tools().items() if name in allowed)
    return asyncio.run(backend.rendered(model, said, specs))
