"""The quality meter: how well the search finds what is known to be right, and which settings find it better."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

import gradio as gr

from core import jobs
from core.errors import BadSetting
from core.jobs import Job
from core.markdown import harmless
from core.rag.index import Index
from core.settings import settings
from tabs import Page
from tabs.benching import usable
from tabs.jobs import bar, state_of, stop_job
from tabs.knowledge_answering import wished
from tabs.knowledge_ask import Options
from tabs.knowledge_bases import opened
from tabs.knowledge_figures import evaluation, failed, failure, judged, settings_plot, settings_table
from tabs.knowledge_measuring import KINDS, asked, rows_of, start_judging, start_measuring, start_sweep
from tabs.parts import QUIET, Turn, told

_STOPPED = "Stopped; what is done is kept."

HINT = (
    "Questions whose answers are known are searched for with the settings of “Ask”, and what comes back is compared. "
    "The sample brings its questions along; for your own documents, upload a JSONL file with a `question` and "
    "`keywords` in each line (`reference_answer`, `category` and `sources` if you like)."
)
LARGEST = 2_000_000  # bytes of a file of questions
_SIZES, _KS, _MODES = (
    [400, 800, 1200],
    [5, 10, 20],
    [("both", "hybrid"), ("by meaning", "vector"), ("by words", "keyword")],
)


def quality(page: Page, base: gr.State, options: Options) -> None:
    """Draw the meter and wire it."""
    job, turn, rows, text = gr.State(""), gr.State(Turn("done")), gr.State([]), gr.State("")
    gr.Markdown(HINT, elem_classes="hint")
    with gr.Row():
        measure = gr.Button("Measure", variant="primary", size="sm", elem_id="quality-measure")
        upload = gr.UploadButton(
            "Use my questions", file_types=[".jsonl", ".txt"], type="binary", size="sm", elem_id="quality-upload"
        )
        stop = gr.Button("Stop", variant="stop", size="sm", visible=False, elem_id="quality-stop")
    which = gr.Markdown(elem_classes="hint", elem_id="quality-which")
    sweeping, swept = _sweep()
    judging, judges = _judges(page)
    line = gr.Markdown(elem_id="quality-line")
    table = gr.Markdown(elem_classes="wide", elem_id="quality-table")
    plot = gr.Plot(show_label=False, label="Quality against time", visible=False, elem_id="quality-plot")
    misses = gr.Dropdown([], label="Questions that failed", visible=False, elem_id="quality-failed")
    miss = gr.Markdown(latex_delimiters=[], elem_classes="words", elem_id="quality-miss")

    upload.upload(_read, [upload, base], [text, which], **QUIET)
    base.change(lambda: ("", ""), None, [text, which], **QUIET)
    common, started = [turn, base, text], [job, turn, line]
    for button, start, inputs in (
        (measure, _measure, options.inputs()),
        (sweeping, _swept, [*swept, *options.inputs()]),
        (judging, _judge, [*judges, *options.inputs()]),
    ):
        page.jobs(button.click(_begins(start), [*common, *inputs], started, **QUIET))
    page.load(_latest, job, [job, turn], **QUIET)
    # A look at another job puts a new Turn into `turn`, and the one before is over.
    job.change(_watched, [job, turn], [rows, line, stop, table, plot, misses, miss], trigger_mode="multiple", **QUIET)
    stop.click(stop_job, job, None, **QUIET)
    misses.input(lambda rows, place: failure(rows[place]), [rows, misses], miss, **QUIET)


def _sweep() -> tuple[gr.Button, list[Any]]:
    with gr.Accordion("Try other settings", open=False, elem_id="quality-sweep"):
        gr.Markdown("Every combination is measured; for each size the documents are indexed anew.", elem_classes="hint")
        sizes = gr.CheckboxGroup(
            [200, *_SIZES, 2000], value=_SIZES, label="Characters in a passage", elem_id="sweep-sizes"
        )
        ks = gr.CheckboxGroup([3, *_KS], value=[10], label="Passages (k)", elem_id="sweep-ks")
        modes = gr.CheckboxGroup(_MODES, value=[mode for _, mode in _MODES], label="Search", elem_id="sweep-modes")
        button = gr.Button("Measure all of these", size="sm", elem_id="sweep-run")
    return button, [sizes, ks, modes]


def _judges(page: Page) -> tuple[gr.Button, list[Any]]:
    with gr.Accordion("Have answers judged by a model", open=False, elem_id="quality-judged"):
        gr.Markdown(
            "One model answers, another marks each answer from 1 to 5 beside the right one. Choose a large model to "
            "judge; every question costs two requests.",
            elem_classes="hint",
        )
        with gr.Row():
            answers, judge = (
                gr.Dropdown(
                    [settings().model], value=settings().model, label=label, allow_custom_value=True, min_width=200,
                    elem_id=name,
                )
                for label, name in (("Who answers", "judge-answers"), ("Who judges", "judge-judges"))
            )  # fmt: skip
            most = gr.Slider(1, 100, 10, step=1, label="Questions", min_width=160, elem_id="judge-most")
        button = gr.Button("Answer and judge", size="sm", elem_id="judge-run")
    for dropdown in (answers, judge):
        page.load(lambda: gr.update(choices=usable()), None, dropdown, **QUIET)
    return button, [answers, judge, most]


# --- handlers ---------------------------------------------------------------------------------------------------------


def _read(data: bytes, base: str) -> tuple[str, str]:
    """The questions of an uploaded file, and a line about them."""
    try:
        if len(data) > LARGEST:
            raise BadSetting(f"A file of questions may have {LARGEST // 1_000_000} MB at most.")
        text = data.decode("utf-8-sig")
        return text, f"{len(asked(text, base)):,} questions of your own."
    except UnicodeDecodeError:
        return "", "⚠️ This file is not text in UTF-8."
    except Exception as error:
        return "", f"⚠️ {harmless(told(error))}"


def _begins(start: Callable[..., Job]) -> Callable[..., Any]:
    """A handler that starts a job, or tells why not."""

    def handler(before: Turn, base: str, text: str, *given: Any) -> Any:
        try:
            job = start(base, text, *given)
        except Exception as error:
            return gr.skip(), gr.skip(), f"⚠️ {harmless(told(error))}"
        before.leave()
        return job.id, Turn(), bar(job)

    return handler


def _index(base: str) -> Index:
    there = opened(base)
    if isinstance(there, str):
        raise BadSetting(f"{there} Try again in a minute.")
    return there


def _measure(base: str, text: str, *wish: Any) -> Job:
    return start_measuring(_index(base), asked(text, base), wished(*wish))


def _swept(base: str, text: str, sizes: Any, ks: Any, modes: Any, *wish: Any) -> Job:
    chosen = (_SIZES if sizes is None else sizes, [10] if ks is None else ks)
    modes = [mode for _, mode in _MODES] if modes is None else modes
    return start_sweep(_index(base), asked(text, base), wished(*wish), *chosen, modes)


def _judge(base: str, text: str, choice: Any, by: Any, most: Any, *wish: Any) -> Job:
    usual, wanted = settings().model, wished(*wish)
    known = [question for question in asked(text, base) if question.reference_answer]
    number = int(10 if most is None else most)
    # Spread over the file, whose questions stand by category.
    some = known[:: max(1, len(known) // max(1, number))][:number]
    return start_judging(some, base, choice or usual, by or usual, wanted)


def _latest(current: str) -> Any:
    """The visitor's last run, unless one is looked at already."""
    if current:
        return gr.skip(), gr.skip()
    return next((job.id for job in jobs.jobs() if job.kind in KINDS), ""), Turn()


async def _watched(id: str, turn: Turn) -> AsyncGenerator[Any]:
    """What a job finds, for as long as it is the one that is looked at."""
    shown = -1
    with suppress(BadSetting):  # Jobs of long ago are forgotten.
        async with aclosing(jobs.watch(id)) as seen:
            async for job in seen:
                if turn.over:
                    return
                rows = rows_of(job)
                news = len(rows) != shown or job.state != "running"
                shown = len(rows)
                yield _shown(job, rows) if news else (gr.skip(), state_of(job, _STOPPED), *[gr.skip()] * 5)


def _shown(job: Job, rows: list[dict[str, Any]]) -> list[Any]:
    """Values for the rows that can be looked into, the line, Stop, the table, the plot, the failed ones and one."""
    misses = rows[0]["failed"] if rows and job.kind == "evaluate" else []
    return [
        misses,
        state_of(job, _STOPPED),
        gr.update(visible=job.state == "running"),
        _table(job.kind, rows),
        gr.update(value=settings_plot(rows), visible=True)
        if rows and job.kind == "sweep"
        else gr.update(visible=False),
        gr.update(
            choices=failed(misses), value=None, visible=bool(misses), label=f"{len(misses)} questions that failed"
        ),
        "",
    ]


def _table(kind: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    return {"sweep": settings_table, "judge": judged}[kind](rows) if kind != "evaluate" else evaluation(rows[0])
