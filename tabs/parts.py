"""Widgets that several tabs share: the model picker, the sampling knobs, and how an error is told."""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import Field, dataclass, fields
from functools import partial
from typing import Any, Literal, TypeVar

import gradio as gr

from backends import choices, find
from core.errors import AppError, BadSetting, SetupNeeded
from core.llm import Capabilities, Prepares, Price, Sampling
from core.markdown import harmless
from core.settings import settings
from core.streams import ticks
from tabs import Page
from tabs.texts import _

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
        self.over = over

    def leave(self) -> None:
        """The visitor goes on to something else: what this answer would still say is not to be shown."""
        self.over = self.over or "left"

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
        return str(error)
    log.error("an error that nothing foresaw", exc_info=error)
    return "Something went wrong inside Switchboard. The log tells what; try again, or choose another model."


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
    return ready + [(f"{row.label} ✕ {row.reason}", row.choice) for row in found if not row.available]


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
        return f"⚠️ {harmless(str(error))}", gr.update(visible=False)
    variants = [(_("as stored"), ""), *((name, name) for name in can.variants)]
    chosen = choice.partition("@")[2]
    return harmless(" · ".join(_facts(can))), gr.update(choices=variants, value=chosen, visible=bool(can.variants))


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


# --- knobs ------------------------------------------------------------------------------------------------------------


Knob = gr.Slider | gr.Dropdown | gr.Textbox


@dataclass(frozen=True)
class Knobs:
    """A widget for each field of Sampling; `given` holds those that the user has moved: only they are sent."""

    given: gr.State
    widgets: dict[str, Knob]

    def fit(self, choice: str) -> list[Any]:
        """An update for each widget: a knob that the chosen model does not take is off, with the reason."""
        try:
            can = capabilities(choice)
        except AppError:
            return [gr.update() for _ in self.widgets]
        return [_fitted(knob, can) for knob in fields(Sampling)]


def knobs() -> Knobs:
    """Draw a knob for each field of Sampling, and a button that sets all of them back."""
    given = gr.State({})
    gr.Markdown("Only knobs that you move are sent; the others keep the provider's own defaults.", elem_classes="hint")
    widgets = {knob.name: _widget(knob) for knob in fields(Sampling)}
    for name, widget in widgets.items():
        # A slider that is being drawn along sends more than is handled; the last of it is what counts.
        moved = widget.change if isinstance(widget, gr.Textbox) else widget.input  # Pasting is a change, and no input.
        moved(partial(_moved, name), [given, widget], given, trigger_mode="always_last", **QUIET)
    reset = gr.Button("Set all knobs back", size="sm")
    reset.click(partial(holding, {}), None, [given, *widgets.values()], **QUIET)
    return Knobs(given, widgets)


def _widget(knob: Field[Any]) -> Knob:
    meta, label, info = knob.metadata, _label(knob.name), knob.metadata["help"]
    if "choices" in meta:
        return gr.Dropdown([("as the provider does", ""), *meta["choices"]], value="", label=label, info=info)
    if knob.name == "stop":
        return gr.Textbox(label="Stop sequences", info=f"{info} One a line.", lines=2, max_lines=4)
    if meta["neutral"] is None:
        # An empty gr.Number shows 0, which looks like a setting.
        return gr.Textbox(label=label, info=info, max_lines=1, max_length=12, placeholder="as the provider does")
    return gr.Slider(meta["low"], meta["high"], meta["neutral"], step=meta["step"], label=label, info=info)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _moved(name: str, given: dict[str, Any], value: Any) -> Any:
    """The knobs to send after one of them was moved; an emptied one is no longer sent."""
    if name == "stop":
        value = [line for line in (value or "").splitlines() if line]
    elif isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    rest = {key: kept for key, kept in given.items() if key != name}
    if value in (None, "", []):
        return rest
    try:
        Sampling.of({name: value})
    except BadSetting as error:
        return toast(error)
    return rest | {name: value}


def holding(given: dict[str, Any]) -> list[Any]:
    """Values for `given` and for each widget of Knobs, so that exactly these knobs are set."""
    return [given, *(_value(knob, given.get(knob.name)) for knob in fields(Sampling))]


def _value(knob: Field[Any], given: Any) -> Any:
    """What a widget shows for a knob, set or not."""
    if knob.name == "stop":
        return "\n".join(given or ())
    return given if given is not None else "" if "choices" in knob.metadata else knob.metadata["neutral"]


def _fitted(knob: Field[Any], can: Capabilities) -> Any:
    taken = knob.name in can.sampling
    reason = can.reasons.get(knob.name, "This model does not take it.")
    return gr.update(interactive=taken, info=_(knob.metadata["help"] if taken else reason))
