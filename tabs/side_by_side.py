"""One prompt under several settings of the same model: same seed, streaming together, differences marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

import gradio as gr

from core.chat import ask
from core.errors import AppError, BadSetting
from core.llm import Conversation
from tabs import Page
from tabs.columns import MOST, Plan, Run, columns, line, prepare
from tabs.knobs import Knobs
from tabs.parts import QUIET, toast
from tabs.presets import SHIPPED, Own, Presets, knobs_of, names

NOW = "As set now"
Marked = list[tuple[str, str | None]]


def side_by_side(page: Page, choice: gr.Dropdown, knobs: Knobs, kept: Presets) -> None:
    """Draw the view and wire it."""
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(
            "Write one sentence about a flight to Paris.", label="Prompt", lines=2, scale=4, min_width=240,
            elem_id="side-prompt",
        )  # fmt: skip
        go = gr.Button("Run", variant="primary", scale=1, min_width=120, elem_id="side-run")
    with gr.Row():
        settings = gr.CheckboxGroup(
            [*SHIPPED, NOW], value=list(SHIPPED), label=f"Settings, at most {MOST}", scale=4, elem_id="side-settings"
        )
        seed = gr.Number(1, label="Seed of all", precision=0, scale=1, min_width=120, elem_id="side-seed")
    drawn = columns("side", _answer, plain, lambda _, conversation: line(conversation))
    gr.Markdown("Marked: where an answer departs from the first one.", elem_classes="hint")
    asked = [drawn.plan, choice, prompt, settings, seed, knobs.given, kept.own]
    for event in (go.click, prompt.submit):
        event(_start, asked, drawn.prepared, **QUIET)
    for done in drawn.done:
        done.success(_compared, [drawn.plan, *drawn.conversations], drawn.answers, **QUIET)
    for known in (page.load, kept.own.change):
        known(lambda own: gr.update(choices=[*names(own), NOW]), kept.own, settings, **QUIET)


def _answer(index: int) -> gr.HighlightedText:
    return gr.HighlightedText(
        label=f"Answer {index + 1}", show_label=False, combine_adjacent=True, show_inline_category=False,
        color_map={"different": "#f59e0b"}, elem_classes="words",
    )  # fmt: skip


def _start(
    before: Plan, choice: str, prompt: str, chosen: list[str], seed: float | None, given: dict[str, Any], own: Own
) -> Any:
    try:
        ask((), prompt or "")
        if not 0 < len(chosen or []) <= MOST:
            raise BadSetting(f"Choose one to {MOST} settings.")
        runs = tuple(_of(name, choice, seed, given if name == NOW else knobs_of(own, name)) for name in chosen)
    except AppError as error:
        return toast(error)
    before.leave()
    return prepare(Plan(prompt, runs), [])


def _of(name: str, choice: str, seed: float | None, given: dict[str, Any]) -> Run:
    knobs = given if seed is None else given | {"seed": int(seed)}
    return Run(f"{name}: {told(given)}", choice, knobs)


def told(given: dict[str, Any]) -> str:
    """Knobs in a line."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in given.items()) or "nothing set"


def _text(conversation: Conversation) -> str:
    """The answer, and why it is incomplete."""
    last = conversation[-1] if conversation else None
    if last is None or last.role != "assistant":
        return ""
    return f"{last.text}\n⚠️ {last.note}".strip() if last.note else last.text


def plain(_: Run, conversation: Conversation) -> Marked:
    """An answer while it streams."""
    return [(_text(conversation), None)]


def _compared(plan: Plan, *conversations: Conversation) -> list[Any]:
    """Every finished answer against the first one; the others are still being drawn."""
    texts = [_text(conversation) for conversation in conversations]
    finished = [bool(run.turn.over) for run in plan.runs] + [False] * (MOST - len(plan.runs))
    if not finished[0]:
        return [gr.skip()] * MOST
    return [
        list(differences(texts[0], text)) if done else gr.skip() for text, done in zip(texts, finished, strict=True)
    ]


def differences(first: str, other: str) -> Iterator[tuple[str, str | None]]:
    """`other` in pieces, those marked "different" whose words do not stand in `first` at that place."""
    before, after = _words(first), _words(other)
    for kind, _, _, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if end > start:
            yield "".join(after[start:end]), None if kind == "equal" else "different"


def _words(text: str) -> list[str]:
    """The words, each with the blanks after it."""
    return re.findall(r"\S+\s*|\s+", text)
