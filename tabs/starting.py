"""What new chats start with: a model and a preset, chosen in the settings and kept in the visitor's own browser."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from core.errors import BadSetting
from core.llm import Sampling
from tabs.knobs import Knobs, holding
from tabs.parts import QUIET, rows
from tabs.presets import KEPT, Own, knobs_of, names
from tabs.remembering import parsed, reads, remembered, writes

_KEY = "switchboard-start"


def starts(event: Any, model: gr.Dropdown, knobs: Knobs) -> None:
    """Have `event`, that of a chat's beginning, set the model and the knobs as they were chosen."""
    kept = gr.Textbox(visible=False)
    event(_begin, kept, [model, knobs.given, *knobs.widgets.values()], js=reads(_KEY), **QUIET)


def chosen(load: Any) -> None:
    """Draw the choice. `load` is the event of its being shown."""
    own, back = remembered(load, KEPT)
    model = gr.Dropdown(
        [("the one used last", "")], value="", label="Model", info="Of a new chat, and when the page is opened.",
        allow_custom_value=True, elem_id="start-model",
    )  # fmt: skip
    preset = gr.Radio([("as they are", "")], value="", label="Knobs", elem_id="start-preset")
    gr.Markdown("Kept in this browser only.", elem_classes="hint")
    kept = gr.Textbox(visible=False)
    back.success(_shown, [kept, own], [model, preset], js=f"(kept, own) => [({reads(_KEY)})(), own]", **QUIET)
    own.change(lambda own: gr.update(choices=_presets(own)), own, preset, **QUIET)
    # One event for both: of two quick choices, the one that comes back last tells both.
    noted = gr.on([model.input, preset.input], _kept, [model, preset, own], kept, trigger_mode="always_last", **QUIET)
    noted.success(None, kept, None, js=writes(_KEY))


def _presets(own: Own | None) -> list[tuple[str, str]]:
    return [("as they are", ""), *((name, name) for name in names(own))]


def _shown(kept: str | None, own: Own | None) -> list[Any]:
    start = _start(kept)
    models = [("the one used last", ""), *rows()]
    return [
        gr.update(choices=models, value=start.get("model", "")),
        gr.update(choices=_presets(own), value=start.get("preset", "")),
    ]


def _kept(model: str | None, preset: str | None, own: Own | None) -> str:
    knobs = knobs_of(own, preset) if preset else {}
    return json.dumps({"model": model or "", "preset": preset or "", "knobs": knobs})


def _begin(kept: str | None) -> list[Any]:
    start = _start(kept)
    knobs = start.get("knobs")
    values = [start.get("model") or gr.skip()]
    return [*values, *(holding(knobs) if knobs else [gr.skip()] * (1 + len(Sampling.__dataclass_fields__)))]


def _start(kept: str | None) -> dict[str, Any]:
    """What the browser holds; nothing where it holds what no choice of ours has put there."""
    try:
        start = parsed(kept)
        Sampling.of(start.get("knobs") or {})
    except (AttributeError, TypeError, BadSetting):
        return {}
    is_text = all(isinstance(start.get(name, ""), str) for name in ("model", "preset"))
    return start if is_text else {}
