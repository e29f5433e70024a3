"""Which pages a visitor of a public page has open: with the last of them, the visitor's documents go."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import gradio as gr

from core.rag.own import home, remove
from core.settings import settings
from core.visitors import visitor
from tabs import Page
from tabs.parts import QUIET

FORGOTTEN = 86_400  # seconds after which documents are removed that were left behind when the app was stopped

_guard = threading.Lock()
_present: dict[Path, set[str]] = {}


def presence(page: Page) -> None:
    """Have a visitor's documents removed with the last page that showed this tab. The owner's stay."""
    if settings().public:
        # Gradio forgets a session's state an hour after its page was closed.
        here = gr.State(("", ""), delete_callback=left)
        page.load(arrived, None, here, **QUIET)


def arrived(request: gr.Request) -> tuple[str, str]:
    """Note that a visitor has opened a page; what `left` is to be told."""
    own, session = home(visitor().owner), request.session_hash or ""
    with _guard:
        _present.setdefault(own, set()).add(session)
        _sweep(own.parent)
    return str(own), session


def left(here: tuple[str, str]) -> None:
    """Note that a page is closed, and remove the documents with the visitor's last one."""
    own, session = Path(here[0]), here[1]
    with _guard:
        pages = _present.get(own, set())
        pages.discard(session)
        if here[0] and not pages:
            _present.pop(own, None)
            remove(own)


def _sweep(visitors: Path) -> None:
    """Remove what an earlier run of the app has left."""
    for folder in visitors.iterdir() if visitors.is_dir() else ():
        if folder not in _present and folder.stat().st_mtime < time.time() - FORGOTTEN:
            shutil.rmtree(folder, ignore_errors=True)
