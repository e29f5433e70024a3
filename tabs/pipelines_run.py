"""How the pages of the pipelines run their work: one at a time for each page, with Stop, drawn as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from core.budget import admit
from core.errors import AppError
from core.markdown import harmless
from core.pipelines.lines import texts_of
from core.pipelines.task import Tell
from core.pipelines.worker import told as worked
from tabs.parts import QUIET, Turn, toast, wanted

T = TypeVar("T")
Work = Callable[[Tell[T]], None]
_AT_ONCE = 4  # works of all visitors; each uses all processors


@dataclass(frozen=True)
class Run:
    """The buttons that start and stop, the line that says how far it is, and the state that joins them."""

    start: gr.Button
    stop: gr.Button
    status: gr.Markdown
    turn: gr.State


def run_buttons(name: str, label: str) -> Run:
    """Draw them."""
    turn = gr.State(Turn("done"))
    with gr.Row():
        start = gr.Button(label, variant="primary", elem_id=f"{name}-run")
        stop = gr.Button("Stop", variant="stop", scale=0, min_width=100, elem_id=f"{name}-stop")
    return Run(start, stop, gr.Markdown(elem_classes="facts", elem_id=f"{name}-status"), turn)


def wire_run(
    run: Run, handler: Callable[..., AsyncGenerator[Any]], inputs: Sequence[Any], outputs: Sequence[Any]
) -> Any:
    """Have `handler` run on `inputs`, after the turn; its outputs begin with the status. Returns its event."""
    run.start.click(_begin, run.turn, run.turn, **QUIET)
    run.stop.click(Turn.stop, run.turn, None, **QUIET)
    return run.turn.change(
        handler, [run.turn, *inputs], [run.status, *outputs], trigger_mode="multiple",
        concurrency_limit=_AT_ONCE, concurrency_id="pipelines", **QUIET,
    )  # fmt: skip


def _begin(before: Turn) -> Turn:
    before.leave()
    return Turn()


async def steps(turn: Turn, work: Work[T]) -> AsyncGenerator[list[T]]:
    """What the work tells, tick by tick, until it ends or is stopped. Raises what it raises, and LimitReached."""
    admit()
    async with aclosing(wanted(worked(work), turn)) as batches:
        async for batch in batches:
            yield batch


def ended(turn: Turn, said: str) -> str:
    """The last line, and the end of the turn."""
    stopped = turn.over == "stopped"
    turn.over = turn.over or "done"
    return f"Stopped. {said}" if stopped else said


def lines(text: str | None) -> list[str]:
    """What stands in the box, a text a line."""
    return [line for line in (text or "").splitlines() if line.strip()]


def read_file(path: str | None) -> Any:
    """The texts of an uploaded file, for the box."""
    if not path:
        return gr.skip()
    try:
        found = texts_of(Path(path).name, Path(path).read_bytes())
    except AppError as error:
        return toast(error)
    # A text of several lines would be several texts in the box.
    return "\n".join(" ".join(text.split("\n")) for text in found)


def problem(error: Exception, say: Callable[[Exception], str]) -> str:
    """An error as a line of Markdown."""
    return f"⚠️ {harmless(say(error))}"
