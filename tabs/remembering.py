"""Settings of a tab that come back with the visitor: kept in the browser, never on the server."""

from __future__ import annotations

from typing import Any

import gradio as gr

from tabs import Page
from tabs.parts import QUIET


def remember(page: Page, **widgets: Any) -> Any:
    """Bring each widget's value back when the page is opened, and keep it whenever the visitor changes it.

    The result is the event of their being back.
    The tab must be the first one: Gradio reads what a browser keeps only for widgets that are on the page at once.
    """
    kept = gr.BrowserState({}, storage_key="switchboard-settings", secret="no secret: it goes to the browser")  # noqa: S106

    def restore(values: dict[str, Any]) -> list[Any]:
        return [gr.update(value=values[name]) if name in (values or {}) else gr.skip() for name in widgets]

    def note(values: dict[str, Any], *shown: Any) -> dict[str, Any]:
        # What lies in an accordion that was never opened sends nothing.
        known = {name: value for name, value in zip(widgets, shown, strict=True) if value is not None}
        return (values or {}) | known

    back = page.load(restore, kept, list(widgets.values()), **QUIET)
    # Text is kept when its field is left, not at every key.
    changes = [widget.blur if isinstance(widget, gr.Textbox) else widget.input for widget in widgets.values()]
    # One event for all: of two quick changes, the one that comes back last tells both.
    gr.on(changes, note, [kept, *widgets.values()], kept, trigger_mode="always_last", **QUIET)
    return back
