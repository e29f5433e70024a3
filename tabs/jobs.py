"""The small list at the head of the page: what runs for this visitor, how far it is, and Stop.

It is shown where there is any. Nothing is asked of the server while no job runs: the timer sleeps until a page is
opened or a job is started.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import gradio as gr

from core import jobs
from core.errors import BadSetting
from core.jobs import Job
from core.markdown import harmless
from tabs.parts import QUIET
from tabs.texts.errors import spoken

SHOWN = 4
EVERY = 1.0  # seconds between two looks while a job runs
FRESH = 600  # seconds for which an ended job stays in the list


def header(page: gr.Blocks) -> Callable[[Any], Any]:
    """Draw the list; the result lets it follow what an event has started: `follow(button.click(...))`."""
    timer, ids = gr.Timer(EVERY, active=False), gr.State([])
    lines, stops = [], []
    with gr.Column(visible=False, elem_id="jobs") as box:
        for index in range(SHOWN):
            with gr.Row(elem_classes="job"):
                lines.append(gr.Markdown(elem_id=f"job-{index}"))
                stops.append(gr.Button("Stop", size="sm", variant="stop", visible=False, scale=0, min_width=80))
    shown = [box, timer, ids, *lines, *stops]
    for event in (page.load, timer.tick):
        event(_listed, None, shown, **QUIET)
    for index, button in enumerate(stops):
        button.click(partial(_stop, index), ids, shown, **QUIET)
    return lambda event: event.success(_listed, None, shown, **QUIET)


def _listed() -> list[Any]:
    """Values for the box, the timer, the ids, a line and a button for each row."""
    fresh = [job for job in jobs.jobs() if job.state == "running" or (job.ended or 0) > time.time() - FRESH][:SHOWN]
    spare = SHOWN - len(fresh)
    running = any(job.state == "running" for job in fresh)
    buttons = [gr.update(visible=job.state == "running") for job in fresh]
    return [
        gr.update(visible=bool(fresh)), gr.Timer(EVERY, active=running), [job.id for job in fresh],
        *map(line, fresh), *[""] * spare, *buttons, *[gr.update(visible=False)] * spare,
    ]  # fmt: skip


def _stop(index: int, ids: list[str]) -> list[Any]:
    # It may have ended and left the list in the meantime, as the new list shows.
    with suppress(BadSetting, IndexError):
        jobs.stop(ids[index])
    return _listed()


def line(job: Job) -> str:
    """One job as Markdown: its title, how far it is, and what it does or how it ended."""
    title = f"**{harmless(spoken(job.title))}**"
    match job.state:
        case "running":
            return f"{title} {bar(job)}"
        case "done":
            return f"✓ {title} · {harmless(spoken(job.text))}" if job.text else f"✓ {title}"
        case "stopped":
            return f"{title} · stopped"
        case _:
            return f"⚠️ {title} · {harmless(spoken(job.error))}"


def state_of(job: Job, stopped: str) -> str:
    """One job that a tab looks at, as Markdown: how far it is or how it ended; `stopped` says what Stop has left."""
    match job.state:
        case "running":
            return bar(job)
        case "done":
            return f"✓ {harmless(spoken(job.text))}"
        case "stopped":
            return stopped
        case _:
            return f"⚠️ {harmless(spoken(job.error))}"


def stop_job(id: str) -> None:
    """Stop a job, unless it has ended and been forgotten."""
    with suppress(BadSetting):
        jobs.stop(id)


def bar(job: Job) -> str:
    """How far a running job is."""
    text = harmless(spoken(job.text))
    if job.fraction is None:
        return text
    filled = round(job.fraction * 20)
    return f"`{'█' * filled}{'░' * (20 - filled)}` {job.fraction:.0%} · {text}"
