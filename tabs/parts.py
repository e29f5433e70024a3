"""Widgets that several tabs share: the model picker, and how an error is told."""

from __future__ import annotations

import asyncio
import html
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import gradio as gr

from backends import choices, find
from core.errors import AppError, SetupNeeded
from core.llm import Capabilities, Prepares, Price
from core.markdown import harmless
from core.settings import settings
from core.streams import ticks
from tabs import Page
from tabs.texts import _
from tabs.texts.errors import spoken

T = TypeVar("T")

log = logging.getLogger(__name__)

# Two draws in this many seconds at the closest: browsers paint a longer answer late when drawn for every token.
TICK = 0.06
# Handlers of the page are not endpoints, and a spinner over the chat at every step would only flicker.
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class Turn:
    """One answer on its way, and whether it is still wanted.

    gr.State hands all handlers of a visitor the same object, so that Stop reaches the handler that streams. Gradio's
    own `cancels` closes the page's event stream, now and then at the moment when the next event is put on it.
    """

    def __init__(self, over: Literal["", "done", "stopped", "left"] = "") -> None:
        self.over, self._drawn = over, False

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """Within this, a handler shows the answer step by step."""
        self._drawn = True
        try:
            yield
        finally:
            self._drawn = False

    def leave(self) -> None:
        """The visitor goes on to something else: what this answer would still say is not to be shown.

        A step that is on its way is waited for: shown later than what comes next, it would take that one's place.
        """
        self.over = self.over or "left"
        until = time.monotonic() + 1
        while self._drawn and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> None:
        """The visitor has heard enough."""
        self.over = self.over or "stopped"


async def wanted(stream: AsyncGenerator[T], turn: Turn) -> AsyncGenerator[list[T]]:
    """What came from `stream`, tick by tick, until it ends or `turn` is over."""
    async with aclosing(ticks(stream, TICK)) as batches:
        async for batch in batches:
            if turn.over:
                return
            yield batch


def told(error: Exception) -> str:
    """What the user reads about an error. What the app did not foresee is logged, never shown: it may hold a key."""
    if isinstance(error, AppError):
        return spoken(str(error))
    log.error("an error that nothing foresaw", exc_info=error)
    return spoken("Something went wrong inside Switchboard. The log tells what; try again, or choose another model.")


def refusal(error: Exception) -> gr.Error:
    """The same for who calls an endpoint: plain text."""
    return gr.Error(told(error), print_exception=False)


def warning(error: Exception) -> gr.Error:
    """The same for the page, where Gradio renders it as HTML, so it is escaped; its widgets show that they failed."""
    return gr.Error(html.escape(told(error)), print_exception=False)


def toast(error: Exception) -> Any:
    """The same as a notice that leaves every widget as it is. Gradio renders it as HTML, so it is escaped."""
    gr.Warning(html.escape(told(error)))
    return gr.skip()


# --- the model picker -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Picker:
    """The dropdown over all providers, a button that asks them again, and a line about the chosen model.

    The precision is part of the choice ("local/starter@nf4"), so that one value says which model answers.
    """

    dropdown: gr.Dropdown
    precision: gr.Dropdown
    refresh: gr.Button
    facts: gr.Markdown


def picker(page: Page, name: str = "model") -> Picker:
    """Draw the model picker. The list is asked for when the page opens, not before: the page must not wait for it.

    `name` begins the ids of its widgets; each tab has its own.
    """
    with gr.Row():
        chosen = settings().model
        dropdown = gr.Dropdown(
            [chosen], value=chosen, label="Model", show_label=False, container=False, allow_custom_value=True, scale=5,
            min_width=200, elem_id=name,
        )  # fmt: skip
        precision = gr.Dropdown(
            [], show_label=False, label="Precision", container=False, visible=False, scale=1, min_width=140,
            elem_id=f"{name}-precision",
        )  # fmt: skip
        refresh = gr.Button(
            "↻ Refresh", size="sm", scale=0, min_width=110, elem_id=f"{name}-refresh", elem_classes="refresh"
        )
    facts = gr.Markdown(elem_classes="facts", elem_id=f"{name}-facts")
    listed = page.load(lambda: gr.update(choices=rows()), None, dropdown, **QUIET)
    listed.success(_prepare, dropdown, None, **QUIET)
    refresh.click(lambda: gr.update(choices=rows(fresh=True)), None, dropdown, **QUIET)
    for event in (page.load, dropdown.change, refresh.click):
        event(about, dropdown, [facts, precision], **QUIET)
    precision.input(_at, [dropdown, precision], dropdown, **QUIET)
    page.model(dropdown)
    return Picker(dropdown, precision, refresh, facts)


def _prepare(choice: str) -> None:
    """Make the model that the page opens with ready while the visitor is still typing."""
    try:
        backend, model = find(choice)
        if isinstance(backend, Prepares):
            asyncio.run(backend.prepare(model))
    except AppError as error:
        # Nobody has asked this model anything yet; who does is told the same.
        log.info("%s is not ready: %s", choice, error)


def _at(choice: str, variant: str) -> str:
    """The choice, in another precision."""
    return f"{choice.partition('@')[0]}@{variant}" if variant else choice.partition("@")[0]


def rows(fresh: bool = False) -> list[tuple[str, str]]:
    """What the dropdown lists: models that can be used, then providers that cannot and what to do about it."""
    found = asyncio.run(choices(fresh))
    ready = [(f"{row.label} · {row.model}", row.choice) for row in found if row.available]
    return ready + [(f"{row.label} ✕ {spoken(row.reason)}", row.choice) for row in found if not row.available]


def capabilities(choice: str) -> Capabilities:
    """What the chosen model can do. Raises AppError."""
    backend, model = find(choice)
    return asyncio.run(backend.capabilities(model))


def about(choice: str) -> tuple[str, Any]:
    """One line about the chosen model, or what keeps it from being used; and the precisions it can be loaded in."""
    try:
        if choice.endswith("/"):
            raise SetupNeeded(next((row.reason for row in asyncio.run(choices()) if row.choice == choice), ""))
        can = capabilities(choice)
    except AppError as error:
        return f"⚠️ {harmless(told(error))}", gr.update(visible=False)
    variants = [(_("as stored"), ""), *((name, name) for name in can.variants)]
    chosen = choice.partition("@")[2]
    return harmless(" · ".join(map(spoken, _facts(can)))), gr.update(
        choices=variants, value=chosen, visible=bool(can.variants)
    )


def _facts(can: Capabilities) -> list[str]:
    facts = [f"{can.context_window:,} tokens of context"] if can.context_window else []
    facts.append("calls tools" if can.tools else "takes no tools")
    facts += ["thinks first"] if can.thinking else []
    facts.append(price(can.price))
    facts += [f"{can.memory / 2**20:,.0f} MB in memory"] if can.memory else []
    return facts + ([can.note] if can.note else [])


def price(known: Price | None) -> str:
    """What a model costs, in US dollars."""
    if known is None:
        return "price unknown"
    if known == Price(0, 0):
        return "free"
    return f"${known.input:g} in, ${known.output:g} out a million tokens"
