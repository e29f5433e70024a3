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

# A link in Markdown is no widget: what is clicked is written into a hidden box, whose change is an event.
_LISTEN = """() => {
    if (window.passagesOpen) return;
    window.passagesOpen = true;
    document.addEventListener("click", (event) => {
        const link = event.target.closest?.('a[href^="#passage-"]');
        const box = document.querySelector("#knowledge-clicked textarea, #knowledge-clicked input");
        if (!link || !box) return;
        event.preventDefault();
        box.value = link.getAttribute("href").slice(9) + "-" + Date.now();
        box.dispatchEvent(new Event("input", {bubbles: true}));
    }, true);
}"""
_SHOW = """() => setTimeout(() => {
    const panel = document.querySelector("#knowledge-document");
    panel?.scrollIntoView({block: "nearest"});
    const mark = panel?.querySelector(".hl, [data-label], mark");
    mark?.scrollIntoView({block: "center"});
}, 200)"""
_COLORS = {"passage": "#facc15", "sentence": "#fb923c"}


def document(page: Page, talk: gr.State, base: gr.State) -> None:
    """Draw the panel, empty, and open it wherever a citation is clicked."""
    clicked = gr.Textbox(visible="hidden", elem_id="knowledge-clicked")
    with gr.Column(visible=False, elem_id="knowledge-document") as panel:
        title = gr.Markdown(elem_id="knowledge-document-title")
        shown = gr.HighlightedText(
            show_label=False, label="Document", color_map=_COLORS, show_legend=False, show_inline_category=False,
            elem_id="knowledge-document-text", elem_classes="document",
        )  # fmt: skip
        close = gr.Button("Close", size="sm", elem_id="knowledge-document-close")
    page.load(None, None, None, js=_LISTEN, **QUIET)
    found = clicked.input(_opened, [clicked, talk, base], [panel, title, shown], **QUIET)
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
    match = re.fullmatch(r"(\d{1,4})-(\d{1,4})-\d+", clicked or "")
    place, number = (int(match[1]), int(match[2])) if match else (-1, 0)
    if not 0 <= place < len(talk) or not 0 < number <= len(talk[place].hits):
        raise BadSetting("This passage is not known any more. Ask again.")
    return talk[place], number


def _sentence(answer: Answer, number: int) -> tuple[int, int] | None:
    """The sentence that the first citation of this passage is most alike."""
    return next((mark.sentence for mark in answer.support.citations if mark.found and mark.number == number), None)
