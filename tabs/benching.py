"""The bench: a file of prompts over several models, a table of medians that grows, Stop, and CSV."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr

from backends import choices, find
from core.bench import Row, Summary, as_csv, bench, prompts, summaries
from core.errors import BadSetting
from core.llm import Sampling
from core.markdown import harmless
from core.settings import settings
from tabs import Page
from tabs.bubbles import money
from tabs.chart import quoted
from tabs.parts import QUIET, Turn, toast, told, wanted
from tabs.saving import saves

EXAMPLE = "What time is it in Tokyo?\nWhat is 17.5 % of 2,340?\nWhat can you do?"
MOST_MODELS = 8


def benching(page: Page) -> None:
    """Draw the bench and wire it."""
    rows, turn = gr.State(()), gr.State(Turn("done"))
    chosen = gr.Dropdown(
        [settings().model], value=[settings().model], label=f"Models, at most {MOST_MODELS}", multiselect=True,
        max_choices=MOST_MODELS, allow_custom_value=True, elem_id="bench-models",
    )  # fmt: skip
    text = gr.Textbox(
        EXAMPLE, label="Prompts: one a line, or JSONL with a “prompt” in each", lines=5, max_lines=12,
        elem_id="bench-prompts",
    )  # fmt: skip
    with gr.Row():
        file = gr.UploadButton("Read a file", file_types=[".txt", ".jsonl"], type="binary", size="sm")
        tokens = gr.Number(300, label="Longest answer, in tokens", precision=0, minimum=1, maximum=100_000)
    with gr.Row():
        run = gr.Button("Run", variant="primary", size="sm", elem_id="bench-run")
        stop = gr.Button("Stop", variant="stop", size="sm", elem_id="bench-stop")
        export = gr.Button("Export CSV", size="sm", elem_id="bench-export")
    bar = gr.Markdown(elem_id="bench-bar")
    table = gr.Markdown(elem_classes="wide", elem_id="bench-table")
    page.load(lambda: gr.update(choices=usable()), None, chosen, **QUIET)
    file.upload(_read, file, text, **QUIET)
    run.click(_begin, turn, turn, **QUIET)
    turn.change(
        _run, [turn, chosen, text, tokens], [rows, bar, table], trigger_mode="multiple",
        concurrency_limit=settings().answers_at_once, concurrency_id="answers", **QUIET,
    )  # fmt: skip
    stop.click(Turn.stop, turn, None, **QUIET)
    saves(export, as_csv_of, [rows], "bench.csv")


def usable() -> list[str]:
    """The models that can be asked now."""
    return [row.choice for row in asyncio.run(choices()) if row.available]


def _read(data: bytes) -> Any:
    try:
        prompts(data)
    except BadSetting as error:
        return toast(error)
    return data.decode("utf-8-sig")


def _begin(before: Turn) -> Turn:
    before.leave()
    return Turn()


async def _run(turn: Turn, chosen: list[str] | None, text: str | None, tokens: float | None) -> AsyncGenerator[Any]:
    """Rows, a bar and the table so far; Stop keeps what is there."""
    rows: tuple[Row, ...] = ()
    try:
        asked = prompts((text or "").encode())
        models = [find(choice) for choice in dict.fromkeys(chosen or [])]
        if not 0 < len(models) <= MOST_MODELS:
            raise BadSetting(f"Choose one to {MOST_MODELS} models.")
        total = len(asked) * len(models)
        yield rows, _bar(0, total, ""), ""
        sampling = Sampling(max_tokens=int(tokens or 300))
        async with aclosing(wanted(bench(models, asked, sampling), turn)) as batches:
            async for batch in batches:
                rows = (*rows, *batch)
                yield (rows, _bar(len(rows), total, ""), listed(rows)) if batch else gr.skip()
        if turn.over != "left":
            ended = "stopped, what is done is kept" if turn.over else "done"
            yield rows, _bar(len(rows), total, ended), listed(rows)
    except Exception as error:
        yield rows, f"⚠️ {told(error)}", listed(rows)
    turn.over = turn.over or "done"


def _bar(done: int, total: int, ended: str) -> str:
    filled = round(20 * done / total)
    return f"`{'█' * filled}{'░' * (20 - filled)}` {done} of {total} answers{f' · {ended}' if ended else ''}"


def listed(rows: tuple[Row, ...]) -> str:
    """Medians as a table, and why answers failed."""
    if not rows:
        return ""
    head = "| model | answers | failed | first token after, s | tokens/s | tokens | whole answer, s | cost of all |"
    lines = [head, "|---|" + "---:|" * 7, *map(_line, summaries(rows))]
    failed = sorted({f"- {quoted(row.choice, 80)}: {harmless(row.error)}" for row in rows if row.error})
    return "\n".join([*lines, "", *failed])


def _line(model: Summary) -> str:
    def figure(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    cells = [
        quoted(model.choice, 80), str(model.answers), str(model.failures), figure(model.seconds_to_first_token, ".2f"),
        figure(model.tokens_per_second, ".0f"), figure(model.output_tokens, ".0f"), figure(model.seconds, ".2f"),
        money(model.cost),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def as_csv_of(rows: tuple[Row, ...]) -> str:
    """The file to save, empty where there is nothing yet."""
    return as_csv(rows) if rows else ""
