"""Settings with a name: three that everybody has, and one's own, kept in the visitor's own browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.errors import BadSetting
from core.llm import Sampling
from tabs import Page
from tabs.knobs import Knobs, holding
from tabs.parts import QUIET, toast
from tabs.remembering import remembered

# Each says something to every provider: what a model does not take is left out, the rest still has the preset's sense.
SHIPPED: Mapping[str, dict[str, Any]] = {
    "Precise": {"temperature": 0.2, "top_k": 20},
    "Balanced": {"temperature": 0.7, "top_k": 50},
    "Creative": {"temperature": 1.0, "min_p": 0.02, "presence_penalty": 0.3},
}
MOST = 20
KEPT = "switchboard-presets"  # the visitor's own are under this name in the browser

Own = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Presets:
    """The widgets. `own` holds the visitor's: name -> knobs."""

    own: gr.State
    chosen: gr.Radio


def presets(page: Page, knobs: Knobs) -> Presets:
    """Draw the presets and wire them to the knobs."""
    own, back = remembered(page.load, KEPT)
    chosen = gr.Radio(list(SHIPPED), label="Presets", elem_id="presets")
    with gr.Accordion("Keep these knobs as a preset", open=False):
        with gr.Row():
            name = gr.Textbox(
                show_label=False, label="Name", placeholder="A name", scale=3, min_width=120, max_length=40,
                elem_id="preset-name",
            )  # fmt: skip
            save = gr.Button("Keep", size="sm", scale=1, min_width=70, elem_id="preset-save")
        delete = gr.Button("Delete the chosen one", size="sm", elem_id="preset-delete")
        gr.Markdown("Kept in this browser only.", elem_classes="hint")
    chosen.input(_apply, [own, chosen], [knobs.given, *knobs.widgets.values()], **QUIET)
    for event in (save.click, name.submit):
        event(_keep, [own, name, knobs.given], [own, chosen, name], **QUIET)
    delete.click(_drop, [own, chosen], [own, chosen], **QUIET)
    for known in (back.success, own.change):
        known(lambda own: gr.update(choices=names(own)), own, chosen, **QUIET)
    return Presets(own, chosen)


def names(own: Own | None) -> list[str]:
    """The presets there are."""
    return [*SHIPPED, *(own or {})]


def knobs_of(own: Own | None, name: str) -> dict[str, Any]:
    """The knobs of a preset. Raises BadSetting for one that is not there or that the browser has spoilt."""
    given = {**(own or {}), **SHIPPED}.get(name)
    if not isinstance(given, dict):
        raise BadSetting("There is no such preset any more. Choose another one.")
    Sampling.of(given)
    return given


def _apply(own: Own | None, name: str) -> Any:
    try:
        return holding(knobs_of(own, name))
    except BadSetting as error:
        return toast(error)


def _keep(own: Own | None, name: str, given: dict[str, Any]) -> Any:
    own, name = own or {}, " ".join((name or "").split())[:40]
    try:
        if not name or name in SHIPPED:
            raise BadSetting("Give the preset a name of its own.")
        if not given:
            raise BadSetting("No knob is moved, so there is nothing to keep.")
        if len(own) >= MOST and name not in own:
            raise BadSetting(f"{MOST} presets are kept. Delete one first.")
    except BadSetting as error:
        return toast(error)
    own = own | {name: given}
    return [own, gr.update(choices=names(own), value=name), ""]


def _drop(own: Own | None, name: str | None) -> list[Any]:
    rest = {kept: given for kept, given in (own or {}).items() if kept != name}
    return [rest, gr.update(choices=names(rest), value=None)]
