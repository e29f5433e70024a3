"""The sampling knobs: a widget for each field of Sampling, fitted to a model. Only those that were moved are sent."""

from __future__ import annotations

from dataclasses import Field, dataclass, fields
from functools import partial
from typing import Any

import gradio as gr

from core.errors import AppError, BadSetting
from core.llm import Capabilities, Sampling
from tabs import Page
from tabs.parts import QUIET, capabilities, toast
from tabs.texts import _

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
            return [gr.update(interactive=True) for _ in self.widgets]
        return [_fitted(knob, can) for knob in fields(Sampling)]

    def show(self, choice: str, given: dict[str, Any], *shown: Any) -> list[Any]:
        """The same when the knobs are drawn, which may have been set before that: each shows what is given.

        Until then they are off, so that nothing is set back that somebody has moved.
        """
        updates = zip(self.fit(choice), holding(given)[1:], shown, strict=True)
        return [update | ({} if _same(value, old) else {"value": value}) for update, value, old in updates]


def knobs(page: Page, dropdown: gr.Dropdown) -> Knobs:
    """Draw them, fitted to the dropdown's model, and a button that sets all of them back."""
    given = gr.State({})
    gr.Markdown("Only knobs that you move are sent; the others keep the provider's own defaults.", elem_classes="hint")
    drawn = Knobs(given, {knob.name: _widget(knob) for knob in fields(Sampling)})
    widgets = list(drawn.widgets.values())
    # Pasting is a change of a text, and no input.
    moves = [widget.change if isinstance(widget, gr.Textbox) else widget.input for widget in widgets]
    # One event for all: two knobs that are moved at once would each be added to what was given before. A slider that
    # is being drawn along sends more than is handled; the last of it is what counts.
    gr.on(moves, _moved, [given, *widgets], given, trigger_mode="always_last", **QUIET)
    reset = gr.Button("Set all knobs back", size="sm")
    reset.click(partial(holding, {}), None, [given, *widgets], **QUIET)
    page.load(drawn.show, [dropdown, given, *widgets], widgets, **QUIET)
    dropdown.change(drawn.fit, dropdown, widgets, **QUIET)
    return drawn


def _widget(knob: Field[Any]) -> Knob:
    meta = knob.metadata
    # It is off until what it is to show is known.
    said: dict[str, Any] = {"label": _label(knob.name), "info": meta["help"], "interactive": False}
    if "choices" in meta:
        return gr.Dropdown([("as the provider does", ""), *meta["choices"]], value="", **said)
    if knob.name == "stop":
        return gr.Textbox(
            **said | {"label": "Stop sequences", "info": f"{meta['help']} One a line."}, lines=2, max_lines=4
        )
    if meta["neutral"] is None:
        # An empty gr.Number shows 0, which looks like a setting.
        return gr.Textbox(**said, max_lines=1, max_length=12, placeholder="as the provider does")
    return gr.Slider(meta["low"], meta["high"], meta["neutral"], step=meta["step"], **said)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _moved(given: dict[str, Any], *shown: Any) -> dict[str, Any]:
    """The knobs to send, by what all of them show after one was moved; an emptied one is no longer sent."""
    sent = {}
    for knob, value in zip(fields(Sampling), shown, strict=True):
        entered = _entered(knob, value)
        if entered is None or (knob.name not in given and _same(entered, knob.metadata["neutral"])):
            continue
        try:
            Sampling.of({knob.name: entered})
            sent[knob.name] = entered
        except BadSetting as error:
            toast(error)
            sent |= {knob.name: given[knob.name]} if knob.name in given else {}
    return sent


def _entered(knob: Field[Any], value: Any) -> Any:
    """What a widget shows as a value of Sampling, None where it is empty."""
    if knob.name == "stop":
        value = [line for line in (value or "").splitlines() if line]
    elif isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return None if value in ("", []) else value


def _same(one: Any, other: Any) -> bool:
    """Whether two values look the same in a widget, where numbers may be text."""
    return bool(one == other or str(one) == str(other))


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
