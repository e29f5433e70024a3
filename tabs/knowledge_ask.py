"""Asking the documents: question in, cited answer out, follow-ups, and why the answer is as it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from core.errors import AppError, BadSetting
from core.markdown import harmless
from core.rag.answer import Answer
from core.rag.rewrite import Rewritten
from core.rag.search import Search
from core.settings import settings
from tabs import Page
from tabs.knowledge_answering import answers, said_before, wished
from tabs.knowledge_bases import SAMPLE, opened
from tabs.knowledge_document import document
from tabs.knowledge_view import Talk, bubbles, prompt, why
from tabs.parts import QUIET, Turn, picker, toast, told, wanted

EXAMPLES = (
    "When did the Dordrecht office open?",
    "Which gate should a lorry with a delivery go to?",
    "How deep is the towing tank?",
    "What does the blue light on a Teal mean?",
)
WELCOME = """### Ask the documents
Each answer names its passages: click a number to read one. Then ask on: “And the amber one?”"""
LONGEST_TALK = 20  # answers that are shown and kept for follow-ups
_DEFAULTS = Search()


@dataclass(frozen=True)
class Options:
    """The widgets that say how to search. In an accordion that was never opened they have no value."""

    k: gr.Slider
    mode: gr.Radio
    weight: gr.Slider
    budget: gr.Slider
    doc_types: gr.Dropdown
    sources: gr.Dropdown

    def inputs(self) -> list[Any]:
        """The widgets, in the order of `wished`."""
        return [self.k, self.mode, self.weight, self.budget, self.doc_types, self.sources]


# --- layout -----------------------------------------------------------------------------------------------------------


def asking(page: Page, base: gr.State, talk: gr.State) -> Options:
    """Draw the questions' part of the tab and wire it. `talk` holds the answers so far."""
    turn, question = gr.State(Turn("done")), gr.State("")
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=340):
            picked = picker(page, "knowledge-model")
            bot = gr.Chatbot(
                show_label=False, label="Answers", height="max(320px, calc(100dvh - 400px))", latex_delimiters=[],
                buttons=["copy"], examples=[{"text": text} for text in EXAMPLES], placeholder=WELCOME,
                elem_id="knowledge-bot",
            )  # fmt: skip
            box = gr.Textbox(
                show_label=False, label="Question", placeholder="Ask the documents…", submit_btn=True, lines=1,
                max_lines=6, elem_id="knowledge-question",
            )  # fmt: skip
            status = gr.Markdown(elem_classes="facts", elem_id="knowledge-status")
            fresh = gr.Button("New conversation", size="sm", elem_id="knowledge-new")
        with gr.Column(scale=2, min_width=340):
            alone = gr.Checkbox(
                label="Ask no model: quote the best sentences", container=False, elem_id="knowledge-alone"
            )
            options = _options(page, base)
            document(page, talk, base)
    with gr.Accordion("Why this answer", open=False, elem_id="knowledge-why"):
        reasons = gr.Markdown(why(()), elem_classes="wide words", latex_delimiters=[], elem_id="knowledge-reasons")
        with gr.Accordion("The exact prompt", open=False):
            exact = gr.Markdown(prompt(()), latex_delimiters=[], elem_id="knowledge-prompt")
    asked = [base, picked.dropdown, alone, *options.inputs()]
    _wire(asked, (bot, box, status, reasons, exact), (turn, talk, question), fresh)
    return options


def _options(page: Page, base: gr.State) -> Options:
    with gr.Accordion("How to search", open=False, elem_id="knowledge-options"):
        with gr.Row():
            k = gr.Slider(1, 30, _DEFAULTS.k, step=1, label="Passages (k)", min_width=140, elem_id="knowledge-k")
            budget = gr.Slider(
                500, 40_000, _DEFAULTS.budget, step=100, label="Characters in all", min_width=140,
                elem_id="knowledge-room",
            )  # fmt: skip
        mode = gr.Radio(
            [("both", "hybrid"), ("by meaning", "vector"), ("by words", "keyword")], value="hybrid", label="Search",
            elem_id="knowledge-mode",
        )  # fmt: skip
        weight = gr.Slider(
            0, 3, _DEFAULTS.weight, step=0.1, label="Weight of the words", info="Against 1 of the meaning.",
            elem_id="knowledge-weight",
        )  # fmt: skip
        doc_types = gr.Dropdown([], value=[], multiselect=True, label="Only these kinds", elem_id="knowledge-types")
        sources = gr.Dropdown([], value=[], multiselect=True, label="Only these documents", elem_id="knowledge-sources")
    for event in (page.load, base.change):
        event(_filters, base, [doc_types, sources], **QUIET)
    # What can be chosen is known once the documents are there, which may be after the page.
    doc_types.focus(_filters, base, [doc_types, sources], **QUIET)
    sources.focus(_filters, base, [doc_types, sources], **QUIET)
    return Options(k, mode, weight, budget, doc_types, sources)


def _filters(base: str) -> Any:
    try:
        there = opened(base)
        if isinstance(there, str):
            return gr.skip()
        corpus = there.corpus()
    except AppError:
        return gr.update(choices=[]), gr.update(choices=[])  # Whoever asks is told why.
    return gr.update(choices=sorted(filter(None, corpus.by_type))), gr.update(choices=sorted(corpus.by_source))


def _welcome(base: str) -> Any:
    """The empty chat: examples are for the documents that come with the app."""
    examples = [{"text": text} for text in EXAMPLES] if base == SAMPLE else []
    return gr.update(examples=examples, placeholder=WELCOME)


def _wire(asked: list[Any], shown: tuple[Any, ...], states: tuple[gr.State, ...], fresh: gr.Button) -> None:
    bot, box, status, reasons, exact = shown
    turn, talk, question = states
    # Whatever starts an answer puts a new Turn into `turn`, and there is one event that streams.
    box.submit(_send, [turn, box], [question, box, turn], **QUIET)
    bot.example_select(_send_example, turn, [question, box, turn], **QUIET)
    run = turn.change(
        _answer, [turn, talk, question, *asked], [talk, bot, status], trigger_mode="multiple",
        concurrency_limit=settings().answers_at_once, concurrency_id="answers", **QUIET,
    )  # fmt: skip
    run.success(_finish, [turn, talk], [box, reasons, exact], **QUIET)
    box.stop(_stopped, turn, box, **QUIET)
    started = [talk, bot, status, box, reasons, exact]
    fresh.click(_cleared, turn, started, **QUIET)
    bot.clear(_cleared, turn, started, **QUIET)
    # Follow-ups on other documents would be about nothing.
    asked[0].change(_cleared, turn, started, **QUIET)
    asked[0].change(_welcome, asked[0], bot, **QUIET)


# --- handlers ---------------------------------------------------------------------------------------------------------


def _send(turn: Turn, text: str | None) -> Any:
    if not (text or "").strip():
        return gr.skip()
    question = (text or "").strip()
    if len(question) > settings().longest_message:
        return toast(BadSetting(f"A question may have {settings().longest_message:,} characters at most."))
    turn.leave()
    return question, gr.update(value="", submit_btn=False, stop_btn=True), Turn()


def _send_example(turn: Turn, chosen: gr.SelectData) -> Any:
    return _send(turn, chosen.value["text"])


async def _answer(
    turn: Turn, talk: Talk, question: str, base: str, choice: str, alone: bool, *wish: Any
) -> AsyncGenerator[Any]:  # fmt: skip
    """One answer, some ten times a second: the talk, its bubbles and what is going on."""
    before, answer = talk[-LONGEST_TALK + 1 :], Answer(question, Rewritten(question), "Reading the question")
    try:
        steps = answers(question, said_before(before), base, choice, bool(alone), wished(*wish))
        async with aclosing(wanted(steps, turn)) as batches:
            async for batch in batches:
                if batch:
                    answer = batch[-1]
                # Also a tick without news must yield: Gradio notices only there that the visitor has left.
                yield _drawn(before, answer) if batch else gr.skip()
    except Exception as error:
        answer = replace(answer, error=told(error), step="")
    if turn.over == "left":
        return
    if turn.over == "stopped":
        answer = replace(answer, step="", notes=(*answer.notes, "Stopped."), whole=True)
    turn.over = turn.over or "done"
    yield _drawn(before, answer)


def _drawn(before: Talk, answer: Answer) -> list[Any]:
    talk = (*before, answer)
    return [talk, bubbles(talk), f"⏳ {harmless(answer.step)}" if answer.step else ""]


def _finish(turn: Turn, talk: Talk) -> Any:
    if not turn.over:
        return gr.skip()  # The next answer has begun already, and will come here at its own end.
    return gr.update(submit_btn=True, stop_btn=False), why(talk), prompt(talk)


def _stopped(turn: Turn) -> Any:
    turn.stop()
    return gr.update(submit_btn=True, stop_btn=False)


def _cleared(turn: Turn) -> list[Any]:
    turn.leave()
    return [(), [], "", gr.update(submit_btn=True, stop_btn=False), why(()), prompt(())]
