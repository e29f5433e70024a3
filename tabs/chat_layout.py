"""How the chat is laid out: its widgets, where they stand and what they say. Knows no handler."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from core.settings import settings
from core.tools import tools
from tabs import Page
from tabs.downloads import downloads
from tabs.knobs import Knobs, knobs
from tabs.parts import Picker, Turn, picker

EXAMPLES = (
    "How much is a flight from Delhi to Paris?",
    "Flights from Mumbai to London and from Paris to Rome, please",
    "What time is it in Tokyo?",
    "What can you do?",
)
WELCOME = """### What would you like to know?
The built-in model looks up sample fares, tells the time and reckons. For the rest, choose a larger model."""
LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]


@dataclass(frozen=True)
class Chat:
    """The widgets that handlers read and write."""

    conversation: gr.State
    current: gr.State
    decisions: gr.State
    turn: gr.State
    picker: Picker
    bot: gr.Chatbot
    box: gr.Textbox
    status: gr.Markdown
    approval: gr.Column
    question: gr.Markdown
    system: gr.Textbox
    allowed: gr.CheckboxGroup
    ask_first: gr.Checkbox
    knobs: Knobs


def layout(page: Page) -> tuple[Chat, gr.Button, gr.Button]:
    """Draw the tab: its widgets, and the buttons that approve and reject a call."""
    states = gr.State(()), gr.State(""), gr.State({}), gr.State(Turn("done"))
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            picked = picker(page)
            bot = _chatbot()
            approval, question, approve, reject = _approval()
            box = gr.Textbox(
                show_label=False, label="Message", placeholder="Write a message…", submit_btn=True, autofocus=True,
                lines=1, max_lines=8, elem_id="message",
            )  # fmt: skip
            status = gr.Markdown(elem_classes="facts", elem_id="status")
        with gr.Column(scale=1, min_width=300):
            system, allowed, ask_first, drawn = _settings(page, picked)
    chat = Chat(*states, picked, bot, box, status, approval, question, system, allowed, ask_first, drawn)
    return chat, approve, reject


def _chatbot() -> gr.Chatbot:
    return gr.Chatbot(
        show_label=False, label="Conversation", height="max(320px, calc(100dvh - 330px))", editable="user",
        buttons=["copy", "copy_all"], latex_delimiters=LATEX, examples=[{"text": text} for text in EXAMPLES],
        placeholder=WELCOME, elem_id="bot",
    )  # fmt: skip


def _approval() -> tuple[gr.Column, gr.Markdown, gr.Button, gr.Button]:
    with gr.Column(visible=False, elem_id="approval") as approval:
        question = gr.Markdown(container=True)
        with gr.Row():
            approve = gr.Button("Approve", variant="primary", size="sm", elem_id="approve")
            reject = gr.Button("Reject", variant="stop", size="sm", elem_id="reject")
    return approval, question, approve, reject


def _settings(page: Page, picked: Picker) -> tuple[gr.Textbox, gr.CheckboxGroup, gr.Checkbox, Knobs]:
    found = tools()
    with gr.Accordion("Tools", open=True):
        allowed = gr.CheckboxGroup(
            sorted(found), value=sorted(found), show_label=False, label="Tools", container=False, elem_id="tools"
        )
        ask_first = gr.Checkbox(label="Ask me before each call", container=False, elem_id="ask-first")
        notes = [f"{name}: {spec.note}" for name, spec in sorted(found.items()) if spec.note]
        gr.Markdown("\n\n".join(notes), elem_classes="hint")
    with gr.Accordion("System prompt", open=False):
        system = gr.Textbox(
            show_label=False,
            label="System prompt",
            placeholder="What the model is told first.",
            lines=4,
            elem_id="system",
        )
    with gr.Accordion("Sampling", open=False) as sampling, page.later(sampling):
        drawn = knobs(page, picked.dropdown)
    if not settings().public:  # Strangers bring nothing to this machine, and what is not there cannot be called.
        with gr.Accordion("Get another model", open=False) as more, page.later(more):
            downloads(page)
    return system, allowed, ask_first, drawn
