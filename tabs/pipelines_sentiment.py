"""Sentiment on the page: texts in, labels with scores out, as a table, a chart and CSV."""

from __future__ import annotations

import html
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import gradio as gr
from gradio.components.plot import PlotData

from core.bench import table_of
from core.llm import Progress
from core.pipelines.sentiment import TASK, ZERO_SHOT, Scored
from core.pipelines.sentiment import sentiment as work
from tabs import Page
from tabs.parts import QUIET, Turn, told
from tabs.pipelines_model import itself, model_box, wire
from tabs.pipelines_run import ended, lines, problem, read_file, run_buttons, steps, wire_run
from tabs.saving import saves

EXAMPLE = "The staff were friendly and the room was spotless.\nMy suitcase came two days late, and broken.\nNot bad!"
LABELS = "travel, food, money, health"
SHOWN = 500  # rows of the table; the file has all of them
COLOURS = ("#6366f1", "#f59e0b", "#10b981", "#ef4444", "#06b6d4", "#a855f7", "#84cc16", "#64748b")


def sentiment(page: Page, opened: Callable[..., Any]) -> None:
    """Draw the view and wire it."""
    rows = gr.State(())
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=300):
            text = gr.Textbox(EXAMPLE, label="Texts, one a line", lines=6, max_lines=14, elem_id="sentiment-text")
            file = gr.UploadButton("Read a CSV or TXT file", file_types=[".csv", ".txt"], size="sm")
            box = model_box(TASK, ZERO_SHOT)
            own = gr.Checkbox(label="My own labels instead (zero-shot)", container=False, elem_id="sentiment-own")
            labels = gr.Textbox(
                LABELS, label="Labels, parted by commas", visible=False, elem_id="sentiment-labels",
                info="They need a model of inference, such as the last two of the list.",
            )  # fmt: skip
            run = run_buttons("sentiment", "Find the sentiment")
        with gr.Column(scale=2, min_width=340):
            chart = gr.Plot(show_label=False, label="Labels", elem_id="sentiment-chart")
            table = gr.Dataframe(
                headers=["text", "labels"], interactive=False, wrap=True, max_height=420,
                column_widths=["60%", "40%"], elem_id="sentiment-table",
            )  # fmt: skip
            export = gr.Button("↓ CSV", size="sm", elem_id="sentiment-csv")
    wire(page, opened, box, TASK, [box.dropdown], itself)
    file.upload(read_file, file, text, **QUIET)
    own.change(lambda on: gr.update(visible=bool(on)), own, labels, **QUIET)
    wire_run(run, _run, [text, box.dropdown, own, labels], [rows, chart, table])
    saves(export, as_csv, [rows], "sentiment.csv")


async def _run(
    turn: Turn, text: str | None, name: str, own: bool, labels: str | None
) -> AsyncGenerator[tuple[Any, ...]]:
    given, found = lines(text), dict[int, Scored]()
    wanted = (labels or LABELS).split(",") if own else []
    job: Any = partial(work, itself(name), given, labels=wanted)
    try:
        async with aclosing(steps(turn, job)) as batches:
            async for batch in batches:
                found |= {one.number: one for item in batch if isinstance(item, list) for one in item}
                said = next((item.text for item in reversed(batch) if isinstance(item, Progress)), "")
                done = f"{len(found):,} of {len(given):,} texts" if found else said
                yield (done, gr.skip(), gr.skip(), gr.skip()) if batch else (gr.skip(),) * 4
        if turn.over != "left":
            rows = tuple(found[number] for number in sorted(found))
            lost = sum(bool(row.error) for row in rows)
            said = f"{len(rows) - lost:,} of {len(given):,} texts" + (f" · {lost} failed" if lost else "")
            yield ended(turn, said), rows, chart_of(rows), table_rows(rows)
    except Exception as error:
        turn.over = turn.over or "done"
        yield problem(error, told), gr.skip(), gr.skip(), gr.skip()


def table_rows(rows: tuple[Scored, ...]) -> list[list[str]]:
    """What the table shows."""
    return [_row(row) for row in rows[:SHOWN]]


def _row(row: Scored) -> list[str]:
    # Two columns, for a telephone has no room for more.
    return [row.text[:300], row.error or ", ".join(f"{name} {share:.2f}" for name, share in row.scores[:6])]


def chart_of(rows: tuple[Scored, ...]) -> PlotData | None:
    """The mean score of each label over all texts."""
    scored = [row for row in rows if row.scores]
    if not scored:
        return None
    names = list(dict.fromkeys(label for row in scored for label, _ in row.scores))
    means = {name: sum(dict(row.scores).get(name, 0.0) for row in scored) / len(scored) for name in names}
    ranked = sorted(names, key=lambda name: -means[name])[: len(COLOURS)]
    bars = {
        "type": "bar", "orientation": "h", "x": [means[name] for name in ranked],
        "y": [html.escape(name[:40], quote=False) for name in ranked],
        "text": [f" {means[name]:.1%}" for name in ranked], "textposition": "outside", "cliponaxis": False,
        "marker": {"color": list(COLOURS[: len(ranked)])}, "hoverinfo": "none",
    }  # fmt: skip
    axis = {"gridcolor": "rgba(128,128,128,0.2)", "zeroline": False, "fixedrange": True}
    layout = {
        "height": 70 + 34 * len(ranked), "margin": {"l": 8, "r": 24, "t": 28, "b": 28}, "bargap": 0.3,
        "title": {"text": "Mean score" if len(scored) > 1 else "Score", "font": {"size": 13}},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": "#7f8797", "size": 13},
        "xaxis": {**axis, "range": [0, 1.15], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%"},
        "yaxis": {**axis, "autorange": "reversed", "automargin": True, "type": "category"},
    }  # fmt: skip
    return PlotData(type="plotly", plot=json.dumps({"data": [bars], "layout": layout}))


def as_csv(rows: tuple[Scored, ...]) -> str:
    """The file to save, empty where there is nothing yet."""
    if not rows:
        return ""
    names = list(dict.fromkeys(label for row in rows for label, _ in row.scores))
    told_rows = (
        {"text": row.text, "label": row.scores[0][0] if row.scores else "", "error": row.error}
        | {name: f"{share:.6f}" for name, share in row.scores}
        for row in rows
    )
    return table_of(["text", "label", *names, "error"], told_rows)
