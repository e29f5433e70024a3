"""A form that brings a model to this machine: a job, which goes on when the page is left."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import gradio as gr

from backends import backends, find
from core import jobs
from core.errors import AppError, BadSetting
from core.jobs import Job, Report
from core.llm import Fetches
from core.markdown import harmless, plain
from tabs import Page
from tabs.jobs import bar
from tabs.parts import QUIET


def downloads(page: Page) -> None:
    """Draw the form."""
    provider = gr.Dropdown(_providers(), label="Provider", interactive=True)
    name = gr.Textbox(label="Model", placeholder="Qwen/Qwen3-0.6B, or qwen3:0.6b for Ollama")
    with gr.Row():
        start, stop = gr.Button("Download", size="sm"), gr.Button("Stop", size="sm")
    progress, current = gr.Markdown(), gr.State("")
    begun = start.click(_begin, [provider, name], [current, progress], **QUIET)
    page.jobs(begun)
    current.change(_watched, current, progress, **QUIET)
    stop.click(_stop, current, None, **QUIET)


def _begin(provider: str | None, name: str | None) -> tuple[Any, str]:
    """The id of the job that fetches the model, or why there is none."""
    try:
        choice = f"{provider or ''}/{(name or '').strip()}"
        backend, model = find(choice)
        if not isinstance(backend, Fetches):
            raise BadSetting(f"{backend.label} has nothing to download.")
        fetching: Fetches = backend

        def work(report: Report) -> str:
            jobs.follow(fetching.fetch(model), report, lambda step: report(step.fraction, step.text))
            return choice

        return jobs.start("download", f"Downloading {model}", work).id, ""
    except AppError as error:
        return gr.skip(), f"⚠️ {harmless(str(error))}"


async def _watched(id: str) -> AsyncGenerator[Any]:
    """The progress of a download, as Markdown, for as long as the page is there."""
    with suppress(BadSetting):  # Jobs of long ago are forgotten.
        async with aclosing(jobs.watch(id)) as seen:
            async for job in seen:
                yield _told(job)


def _told(job: Job) -> str:
    match job.state:
        case "running":
            return bar(job)
        case "done":
            name = plain(job.title.removeprefix("Downloading "))
            return f"{name} is here. Choose **{plain(job.result)}** in the list of models (↻)."
        case "stopped":
            return "Stopped. What is here already is kept."
        case _:
            return f"⚠️ {harmless(job.error)}"


def _stop(id: str) -> None:
    with suppress(BadSetting):
        jobs.stop(id)


def _providers() -> list[tuple[str, str]]:
    """The providers that can bring a model to this machine, as (label, name)."""
    return [(backend.label, name) for name, backend in backends().items() if isinstance(backend, Fetches)]
