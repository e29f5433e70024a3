"""A form that brings a model to this machine. It starts a job, whose progress and Stop are at the head of the page."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import gradio as gr

from backends import backends, find
from core import jobs
from core.errors import AppError, BadSetting
from core.jobs import Report
from core.llm import Fetches, Progress
from core.markdown import harmless
from tabs import Page
from tabs.parts import QUIET, told


def downloads(page: Page) -> None:
    """Draw the form."""
    provider = gr.Dropdown(_providers(), label="Provider", interactive=True)
    name = gr.Textbox(label="Model", placeholder="Qwen/Qwen3-0.6B, or qwen3:0.6b for Ollama")
    start = gr.Button("Download", size="sm")
    told = gr.Markdown(elem_classes="hint")
    page.jobs(start.click(_begin, [provider, name], told, **QUIET))


def _begin(provider: str | None, name: str | None) -> str:
    """Start the job that fetches the model, or say why there is none."""
    try:
        choice = f"{provider or ''}/{(name or '').strip()}"
        backend, model = find(choice)
        if not isinstance(backend, Fetches):
            raise BadSetting(f"{backend.label} has nothing to download.")
        fetching: Fetches = backend

        return fetched(model, fetching.fetch(model), f"{model} is here. Choose {choice} in the list of models (↻).")
    except AppError as error:
        return f"⚠️ {harmless(told(error))}"


def fetched(name: str, steps: AsyncGenerator[Progress], end: str) -> str:
    """Start the job that brings `name` here by `steps`, and says `end` when it is there; what the page says of that.

    Raises AppError where no job can be started.
    """

    def work(report: Report) -> str:
        jobs.follow(steps, report, lambda step: report(step.fraction, step.text))
        report(1.0, end)
        return name

    jobs.start("download", f"Downloading {name}", work)
    return "It has begun, and goes on when this page is closed. Its progress is at the head of the page."


def _providers() -> list[tuple[str, str]]:
    """The providers that can bring a model to this machine, as (label, name)."""
    return [(backend.label, name) for name, backend in backends().items() if isinstance(backend, Fetches)]
