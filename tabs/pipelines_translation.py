"""Translation on the page: a text in one language, and as it grows in another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import gradio as gr

from core.errors import AppError
from core.llm import Progress
from core.pipelines.languages import LANGUAGES, detected
from core.pipelines.translation import BY_PAIR, TASK, Translated, resolved
from core.pipelines.translation import translate as work
from tabs import Page
from tabs.parts import Turn, told
from tabs.pipelines_model import itself, model_box, wire
from tabs.pipelines_run import ended, problem, run_buttons, steps, wire_run
from tabs.saving import saves

EXAMPLE = "Good morning! Did you sleep well?\n\nThe train to Lyon leaves at nine."
NOTE = (
    "⚠️ The built-in model is very small: it knows everyday phrases in English and French, and may be wrong about any "
    f"other. A good one is 300 MB and more: “{BY_PAIR}” fetches the one for the two languages; NLLB knows 200 at once."
)


def translation(page: Page, opened: Callable[..., Any]) -> None:
    """Draw the view and wire it."""
    languages = sorted((name, code) for code, (name, _) in LANGUAGES.items())
    gr.Markdown(NOTE, elem_classes="hint")
    box = model_box(TASK)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            source = gr.Dropdown(
                [("as detected", ""), *languages], value="", label="From", elem_id="translation-source"
            )
            text = gr.Textbox(EXAMPLE, label="Text", lines=8, max_lines=24, elem_id="translation-text")
        with gr.Column(min_width=300):
            target = gr.Dropdown(languages, value="fr", label="To", elem_id="translation-target")
            out = gr.Textbox(
                label="Translation", lines=8, max_lines=24, interactive=False, buttons=["copy"],
                elem_id="translation-out",
            )  # fmt: skip
    run = run_buttons("translation", "Translate")
    export = gr.Button("↓ TXT", size="sm", elem_id="translation-save")
    wire(page, opened, box, TASK, [box.dropdown, source, target, text], _named)
    wire_run(run, _run, [text, box.dropdown, source, target], [out])
    saves(export, lambda written: written or "", [out], "translation.txt")


def _named(name: str | None, source: str | None, target: str | None, text: str | None) -> str:
    """The model's own name: for a pair of languages it depends on them."""
    if itself(name) != BY_PAIR:
        return itself(name)
    try:
        return resolved(BY_PAIR, source or detected(text or ""), target or "fr")
    except AppError:
        return resolved(BY_PAIR, "en", target or "fr")


async def _run(
    turn: Turn, text: str | None, name: str, source: str | None, target: str | None
) -> AsyncGenerator[tuple[Any, ...]]:
    last: Translated | None = None
    job: Any = partial(work, itself(name), [text or ""], target or "fr", source=source or "")
    try:
        async with aclosing(steps(turn, job)) as batches:
            async for batch in batches:
                said = next((item.text for item in reversed(batch) if isinstance(item, Progress)), None)
                last = next((item[-1] for item in reversed(batch) if isinstance(item, list) and item), last)
                yield (_line(last, said), last.text if last else gr.skip()) if batch else (gr.skip(), gr.skip())
        if turn.over != "left":
            yield ended(turn, _line(last, None)), last.text if last else gr.skip()
    except Exception as error:
        turn.over = turn.over or "done"
        yield problem(error, told), gr.skip()


def _line(last: Translated | None, said: str | None) -> str:
    if last is None:
        return said or ""
    done = f"From {LANGUAGES[last.source][0]} · {last.done} of {last.total} sentences"
    return f"{done} · ⚠️ {last.error}" if last.error else done
