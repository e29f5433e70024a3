"""Entities on the page: a text with its names marked, a table of them, and CSV."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import gradio as gr

from core.bench import table_of
from core.llm import Progress
from core.pipelines.entities import STRATEGIES, TASK, Marked
from core.pipelines.entities import entities as work
from tabs import Page
from tabs.parts import QUIET, Turn, told
from tabs.pipelines_model import itself, model_box, wire
from tabs.pipelines_run import ended, problem, read_file, run_buttons, steps, wire_run
from tabs.saving import saves

EXAMPLE = (
    "Angela Merkel met Emmanuel Macron in Paris before she flew to Nairobi.\n"
    "Siemens opened an office in Kraków, and Olena Kovalenko will run it."
)
COLOURS = {
    "PER": "#93c5fd", "LOC": "#86efac", "ORG": "#fde68a", "MISC": "#f0abfc", "DATE": "#fdba74", "GPE": "#86efac",
}  # fmt: skip
MOST_SHOWN = 30_000  # characters of the marked text; the file has all entities
_SETS = {"simple": "simple: as the tokens say", "none": "none: each token by itself"}


def entities(page: Page, opened: Callable[..., Any]) -> None:
    """Draw the view and wire it."""
    rows = gr.State(())
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=300):
            text = gr.Textbox(EXAMPLE, label="Text", lines=6, max_lines=14, elem_id="entities-text")
            file = gr.UploadButton("Read a CSV or TXT file", file_types=[".csv", ".txt"], size="sm")
            box = model_box(TASK)
            way = gr.Dropdown(
                [(_SETS.get(name, f"{name}: one label for a word"), name) for name in STRATEGIES], value="first",
                label="How tokens become entities", elem_id="entities-strategy",
                info="transformers' aggregation_strategy.",
            )  # fmt: skip
            run = run_buttons("entities", "Find the names")
        with gr.Column(scale=2, min_width=340):
            with gr.Row(max_height=480):  # A long text would push the table out of sight.
                marked = gr.HighlightedText(
                    label="Marked", show_label=False, color_map=COLOURS, elem_id="entities-marked", elem_classes="words"
                )
            table = gr.Dataframe(
                headers=["name", "label", "score", "place"], interactive=False, wrap=True, max_height=360,
                column_widths=["36%", "20%", "18%", "26%"], elem_id="entities-table",
            )  # fmt: skip
            export = gr.Button("↓ CSV", size="sm", elem_id="entities-csv")
    wire(page, opened, box, TASK, [box.dropdown], itself)
    file.upload(read_file, file, text, **QUIET)
    wire_run(run, _run, [text, box.dropdown, way], [rows, marked, table])
    saves(export, as_csv, [rows], "entities.csv")


async def _run(turn: Turn, text: str | None, name: str, way: str | None) -> AsyncGenerator[tuple[Any, ...]]:
    found: tuple[Marked, ...] = ()
    job: Any = partial(work, itself(name), [text or ""], strategy=way or "first")
    try:
        async with aclosing(steps(turn, job)) as batches:
            async for batch in batches:
                found = (*found, *(one for item in batch if isinstance(item, list) for one in item))
                said = next((item.text for item in reversed(batch) if isinstance(item, Progress)), None)
                yield (said or gr.skip(), *[gr.skip()] * 3) if batch else (gr.skip(),) * 4
        if turn.over != "left":
            failed = next((one.error for one in found if one.error), "")
            count = sum(len(one.entities) for one in found)
            said = f"⚠️ {failed}" if failed else f"{count:,} {'name' if count == 1 else 'names'}"
            yield ended(turn, said), found, spans(found), table_rows(found)
    except Exception as error:
        turn.over = turn.over or "done"
        yield problem(error, told), gr.skip(), gr.skip(), gr.skip()


def spans(found: tuple[Marked, ...]) -> list[tuple[str, str | None]]:
    """The text in pieces, each with its label or None."""
    pieces = list[tuple[str, str | None]]()
    for one in found:
        at, text = 0, one.text[:MOST_SHOWN]
        for entity in one.entities:
            if entity.start >= at and entity.end <= len(text):
                pieces += [(text[at : entity.start], None), (entity.text, entity.label)]
                at = entity.end
        pieces.append((text[at:], None))
    return [piece for piece in pieces if piece[0]]


def table_rows(found: tuple[Marked, ...]) -> list[list[str]]:
    """What the table shows."""
    rows = [[e.text[:200], e.label, f"{e.score:.2f}", f"{e.start}–{e.end}"] for one in found for e in one.entities]
    return rows[:1000]


def as_csv(found: tuple[Marked, ...]) -> str:
    """The file to save, empty where there is nothing yet."""
    names = ("name", "label", "score", "start", "end")
    told_rows = [
        dict(zip(names, (e.text, e.label, f"{e.score:.6f}", e.start, e.end), strict=True))
        for one in found
        for e in one.entities
    ]
    return table_of(names, told_rows) if told_rows else ""
