"""The choice of a task's model: what the chosen one is, how large where it must be fetched first, and fetching it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from core.download import Plan, download, lookup
from core.errors import AppError, BadSetting
from core.hub import is_hub_id
from core.markdown import harmless, plain
from core.pipelines.files import found
from core.pipelines.task import BUILT_IN, Task
from core.settings import settings
from tabs import Page
from tabs.downloads import fetched
from tabs.parts import QUIET, told

Resolve = Callable[..., str]


@dataclass(frozen=True)
class ModelBox:
    """The dropdown, the line about the chosen model, and the button that fetches it."""

    dropdown: gr.Dropdown
    facts: gr.Markdown
    fetch: gr.Button


def model_box(task: Task, choices: Sequence[str] = ()) -> ModelBox:
    """Draw it; `choices` stand after the task's own."""
    listed = [("built-in · small, works offline" if name == BUILT_IN else name, name) for name in task.choices]
    listed += [(name, name) for name in choices]
    dropdown = gr.Dropdown(
        listed, value=listed[0][1], label="Model", allow_custom_value=not settings().public,
        elem_id=f"{task.name}-model", info="One of the list, any Hub id (owner/name), or a folder of this machine.",
    )  # fmt: skip
    facts = gr.Markdown(elem_classes="facts", elem_id=f"{task.name}-facts")
    fetch = gr.Button("Get the model", size="sm", visible=False, elem_id=f"{task.name}-fetch")
    return ModelBox(dropdown, facts, fetch)


def wire(
    page: Page, opened: Callable[..., Any], box: ModelBox, task: Task, inputs: Sequence[Any], resolve: Resolve
) -> None:
    """Keep the line about the model true; `resolve` makes the model's name of the values of `inputs`."""
    about = partial(_about, task, resolve)
    gr.on(
        [opened, *(widget.change for widget in inputs)], about, list(inputs), [box.facts, box.fetch],
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    page.jobs(box.fetch.click(partial(_fetch, resolve), list(inputs), box.facts, **QUIET))


def itself(name: str | None) -> str:
    """The model's name where nothing but the dropdown tells it."""
    return (name or "").strip()


def _about(task: Task, resolve: Resolve, *values: Any) -> tuple[str, Any]:
    """The line about the model, and whether there is something to fetch."""
    name = resolve(*values)
    if name == BUILT_IN:
        return f"Built-in and small: {harmless(task.built_in)}", gr.update(visible=False)
    try:
        size = sum(file.stat().st_size for file in found(task, name).weights)
        return f"On this machine, {_bytes(size)}.", gr.update(visible=False)
    except AppError as error:
        if not getattr(error, "fetchable", False):
            return f"⚠️ {harmless(told(error))}", gr.update(visible=False)
        return _missing(name, task)


def _missing(name: str, task: Task) -> tuple[str, Any]:
    """What fetching would take, asked of the Hub, or why it cannot be told."""
    try:
        plan: Plan = asyncio.run(lookup(name))
    except AppError as unknown:
        other = " The built-in model works without it." if task.built_in else ""
        said = f"⚠️ {plain(name)} is not on this machine. {harmless(told(unknown))}{other}"
        return said, gr.update(visible=False)
    said = (
        f"{plain(name)} is not on this machine: {_bytes(plan.size)} to download, {_bytes(plan.free)} free on the disk."
    )
    room = plan.free > plan.size
    return said if room else f"⚠️ {said}", gr.update(visible=room, value=f"Download ({_bytes(plan.size)})")


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def _fetch(resolve: Resolve, *values: Any) -> str:
    """Start the job that fetches the model, or say why there is none."""
    name = resolve(*values)
    try:
        if settings().public or not is_hub_id(name):
            raise BadSetting("This model cannot be downloaded here.")
        return fetched(name, download(name), f"{name} is here.")
    except AppError as error:
        return f"⚠️ {harmless(told(error))}"
