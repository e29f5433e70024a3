"""The document beside an answer: a click on a citation opens it at its passage."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr

from core.errors import AppError, BadSetting
from core.rag.answer import Answer
from tabs import Page
from tabs.knowledge_bases import opened
from tabs.knowledge_view import Talk, marked, where
from tabs.parts import QUIET, warning

# A link in Markdown is no widget: it presses a hidden button, whose handler is told which link it was.
_LISTEN = """() => {
    if (window.passagesOpen) return;
    window.passagesOpen = true;
    document.addEventListener("click", (event) => {
        const link = event.target.closest?.('a[href^="#passage-"]');
        if (!link) return;
        event.preventDefault();
        window.passageClicked = link.getAttribute("href").slice(9);
        document.querySelector("#knowledge-open")?.click();
    }, true);
}"""
_CLICKED = "(clicked, talk, base) => [window.passageClicked ?? '', talk, base]"
_SHOW = """() => setTimeout(() => {
    const panel = document.querySelector("#knowledge-document");
    panel?.scrollIntoView({block: "nearest"});
    const mark = panel?.querySelector(".highlighted");
    mark?.scrollIntoView({block: "center"});
}, 200)"""
_COLORS = {"passage": "#facc15", "sentence": "#fb923c"}


def document(page: Page, talk: gr.State, base: gr.State) -> None:
    """Draw the panel, empty, and open it wherever a citation is clicked."""
    clicked = gr.Textbox(visible="hidden")
    press = gr.Button("Open a passage", visible="hidden", elem_id="knowledge-open")
    with gr.Column(visible=False, elem_id="knowledge-document") as panel:
        title = gr.Markdown(elem_id="knowledge-document-title")
        shown = gr.HighlightedText(
            show_label=False, label="Document", color_map=_COLORS, show_legend=False, show_inline_category=False,
            elem_id="knowledge-document-text", elem_classes="words",
        )  # fmt: skip
        close = gr.Button("Close", size="sm", elem_id="knowledge-document-close")
    page.load(None, None, None, js=_LISTEN, **QUIET)
    found = press.click(_opened, [clicked, talk, base], [panel, title, shown], js=_CLICKED, **QUIET)
    found.success(None, None, None, js=_SHOW, **QUIET)
    close.click(lambda: gr.update(visible=False), None, panel, **QUIET)


def _opened(clicked: str, talk: Talk, base: str) -> list[Any]:
    try:
        answer, number = _asked(clicked, talk)
        hit = answer.hits[number - 1]
        there = opened(base)
        if isinstance(there, str):
            raise BadSetting(there)
        document = there.corpus().documents.get(hit.passage.source)
        if document is None or document.text[hit.start : hit.end] != hit.text:
            raise BadSetting("This document was changed or removed after the answer. Ask again.")
    except AppError as error:
        raise warning(error) from error
    title = f"**[{number}] {where(hit)}**"
    pieces = marked(document.text, (hit.start, hit.end), _sentence(answer, number))
    return [gr.update(visible=True), title, pieces]


def _asked(clicked: str, talk: Talk) -> tuple[Answer, int]:
    match = re.fullmatch(r"(\d{1,4})-(\d{1,4})", clicked or "")
    place, number = (int(match[1]), int(match[2])) if match else (-1, 0)
    if not 0 <= place < len(talk) or not 0 < number <= len(talk[place].hits):
        raise BadSetting("This passage is not known any more. Ask again.")
    return talk[place], number


def _sentence(answer: Answer, number: int) -> tuple[int, int] | None:
    """The sentence that the first citation of this passage is most alike."""
    return next((mark.sentence for mark in answer.support.citations if mark.found and mark.number == number), None)
