"""What the user sees. One file per tab: TITLE, ORDER, build(page). Gradio is known only here and in app.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from core.plugins import modules


@dataclass(frozen=True)
class Page:
    """A tab's part of the page. `load` is the event of its being shown: a tab that nobody opens asks for nothing.

    `jobs(event)` has the list of jobs at the page's head show what the event's handler has started; `model(dropdown)`
    has the head name the model that the dropdown holds. `later(accordion)`, in the first tab: what the block draws
    comes to the page when the accordion is first opened, and `load` is then.
    """

    load: Callable[..., Any]
    jobs: Callable[[Any], Any]
    model: Callable[[Any], None]
    later: Callable[[Any], AbstractContextManager[None]]


def tabs() -> list[ModuleType]:
    """Every tab of this folder, in the order in which they stand on the page."""
    found = [module for module in modules(sys.modules[__name__]) if hasattr(module, "TITLE")]
    return sorted(found, key=lambda tab: (tab.ORDER, tab.TITLE))
