"""What comes back with the visitor: kept in the browser, never on the server.

Gradio's own BrowserState would do, but for the time it takes: it encrypts what it keeps, with a script that the page
must read before it is there.
"""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from tabs import Page
from tabs.parts import QUIET

_READ = "() => localStorage.getItem(%s) ?? ''"
_WRITE = "(text) => localStorage.setItem(%s, text)"
_SETTINGS = "switchboard-settings"
# What lies in an accordion that was never opened has no value, and what was kept of it stays.
_NOTE = """(...shown) => {
    const names = %s;
    let kept = {};
    try { kept = { ...JSON.parse(localStorage.getItem(%s)) }; } catch {}
    shown.forEach((value, place) => { if (value != null) kept[names[place]] = value; });
    localStorage.setItem(%s, JSON.stringify(kept));
}"""


def reads(key: str) -> str:
    """JavaScript that gives the text kept under `key`, empty where there is none."""
    return _READ % json.dumps(key)


def writes(key: str) -> str:
    """JavaScript that keeps the text it is given."""
    return _WRITE % json.dumps(key)


def remember(page: Page, **widgets: Any) -> Any:
    """Bring each widget's value back when the page is opened, and keep it whenever the visitor changes it.

    The result is the event of their being back.
    """

    def restore(text: str | None) -> list[Any]:
        values = parsed(text)
        return [gr.update(value=values[name]) if name in values else gr.skip() for name in widgets]

    back = page.load(restore, gr.Textbox(visible=False), list(widgets.values()), js=reads(_SETTINGS), **QUIET)
    # Text is kept when its field is left, not at every key.
    changes = [widget.blur if isinstance(widget, gr.Textbox) else widget.input for widget in widgets.values()]
    note = _NOTE % (json.dumps(list(widgets)), json.dumps(_SETTINGS), json.dumps(_SETTINGS))
    gr.on(changes, None, list(widgets.values()), None, js=note, **QUIET)
    return back


def remembered(load: Any, key: str) -> tuple[gr.State, Any]:
    """A state, an object of JSON that the browser keeps under `key`; and the event of its being read, after `load`."""
    state, text = gr.State({}), gr.Textbox(visible=False)
    back = load(parsed, text, state, js=reads(key), **QUIET)
    state.change(json.dumps, state, text, **QUIET).success(None, text, None, js=writes(key), **QUIET)
    return state, back


def parsed(text: str | None) -> dict[str, Any]:
    """The object that a browser holds as text; an empty one where it holds anything else."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
