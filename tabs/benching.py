"""The bench: a file of prompts over several models, a table of medians that grows, Stop, and CSV.

It runs as a job, so it goes on when the page is left, and its table is there when the page is opened again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

import gradio as gr

from backends import choices, find
from core import jobs
from core.bench import Row, Summary, as_csv, bench, line_of, prompts, rows_of, summaries
from core.errors import AppError, BadSetting
from core.jobs import Job, Report
from core.llm import Backend, Sampling
from core.markdown import harmless
from core.settings import settings
from tabs import Page
from tabs.bubbles import money
from tabs.chart import quoted
from tabs.jobs import bar, state_of, stop_job
from tabs.parts import QUIET, Turn, toast, told
from tabs.saving import saves

ROWS = "rows.jsonl"  # in the job's folder, an answer a line
EXAMPLE = "What time is it in Tokyo?\nWhat is 17.5 % of 2,340?\nWhat can you do?"
MOST_MODELS = 8


def benching(page: Page) -> None:
    """Draw the bench and wire it."""
    rows, current, turn = gr.State(()), gr.State(""), gr.State(Turn("done"))
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
    line = gr.Markdown(elem_id="bench-bar")
    table = gr.Markdown(elem_classes="wide", elem_id="bench-table")
    page.load(lambda: gr.update(choices=usable()), None, chosen, **QUIET)
    file.upload(_read, file, text, **QUIET)
    page.load(_latest, current, [current, turn], **QUIET)
    page.jobs(run.click(_begin, [turn, chosen, text, tokens], [current, turn, line], **QUIET))
    # A look at another job puts a new Turn into `turn`, and the one before is over.
    current.change(_watched, [current, turn], [rows, line, table], trigger_mode="multiple", **QUIET)
    stop.click(stop_job, current, None, **QUIET)
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


def _latest(current: str) -> Any:
    """The visitor's last bench, unless one is looked at already."""
    if current:
        return gr.skip(), gr.skip()
    return next((job.id for job in jobs.jobs() if job.kind == "bench"), ""), Turn()


def _begin(before: Turn, chosen: list[str] | None, text: str | None, tokens: float | None) -> Any:
    """Start the job; its id, and a new turn for those who look at it."""
    try:
        asked = prompts((text or "").encode())
        models = [find(choice) for choice in dict.fromkeys(chosen or [])]
        if not 0 < len(models) <= MOST_MODELS:
            raise BadSetting(f"Choose one to {MOST_MODELS} models.")
        work = partial(_work, models, asked, Sampling(max_tokens=int(tokens or 300)))
        job = jobs.start("bench", f"A bench of {len(models)} models", work)
    except AppError as error:
        return gr.skip(), gr.skip(), f"⚠️ {harmless(told(error))}"
    before.leave()
    return job.id, Turn(), bar(job)


def _work(models: list[tuple[Backend, str]], asked: list[str], sampling: Sampling, report: Report) -> int:
    """Ask all, and keep each answer in the job's folder as it comes; how many there are."""
    done, total = 0, len(models) * len(asked)

    def keep(row: Row) -> None:
        nonlocal done
        done += 1
        with (report.folder / ROWS).open("a", encoding="utf-8") as file:
            file.write(line_of(row))
        report(done / total, f"{done} of {total} answers")

    report(0.0, f"0 of {total} answers")
    jobs.follow(bench(models, asked, sampling), report, keep)
    return total


async def _watched(id: str, turn: Turn) -> AsyncGenerator[Any]:
    """Rows, a bar and the table so far, for as long as this job is the one that is looked at."""
    shown: tuple[Row, ...] | None = None
    with suppress(BadSetting):  # Jobs of long ago are forgotten.
        async with aclosing(jobs.watch(id)) as seen:
            async for job in seen:
                if turn.over:
                    return
                rows = await asyncio.to_thread(_rows, job)
                news = rows != shown or job.state != "running"
                shown = rows
                line = state_of(job, f"{bar(job)} · stopped, what is done is kept")
                yield (rows, line, listed(rows)) if news else gr.skip()


def _rows(job: Job) -> tuple[Row, ...]:
    file = job.folder / ROWS
    return rows_of(file.read_text("utf-8")) if file.is_file() else ()


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
