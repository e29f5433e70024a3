"""A form that brings a model to this machine, with its progress and a Stop."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr

from backends import backends, find
from core.errors import AppError
from core.llm import Fetches, Progress
from core.markdown import harmless, plain
from core.streams import ticks
from tabs.parts import QUIET, TICK


def downloads() -> None:
    """Draw the form."""
    provider = gr.Dropdown(_providers(), label="Provider", interactive=True)
    name = gr.Textbox(label="Model", placeholder="Qwen/Qwen3-0.6B, or qwen3:0.6b for Ollama")
    with gr.Row():
        start, stop = gr.Button("Download", size="sm"), gr.Button("Stop", size="sm")
    progress = gr.Markdown()
    run = start.click(_fetch, [provider, name], progress, **QUIET)
    stop.click(lambda: "Stopped. What is here already is kept.", None, progress, cancels=[run], **QUIET)


async def _fetch(provider: str, name: str) -> AsyncGenerator[Any]:
    """The progress of a download, as Markdown."""
    try:
        backend, model = find(f"{provider}/{name.strip()}")
        if isinstance(backend, Fetches):
            async with aclosing(ticks(backend.fetch(model), TICK)) as ticked:
                async for steps in ticked:
                    yield _bar(steps[-1]) if steps else gr.skip()
            yield f"{plain(model)} is here. Choose **{plain(f'{provider}/{model}')}** in the list of models (↻)."
    except AppError as error:
        yield f"⚠️ {harmless(str(error))}"


def _bar(step: Progress) -> str:
    if step.fraction is None:
        return harmless(step.text)
    filled = round(step.fraction * 20)
    return f"{harmless(step.text)}\n\n`{'█' * filled}{'░' * (20 - filled)}` {step.fraction:.0%}"


def _providers() -> list[tuple[str, str]]:
    """The providers that can bring a model to this machine, as (label, name)."""
    return [(backend.label, name) for name, backend in backends().items() if isinstance(backend, Fetches)]
