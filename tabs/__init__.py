"""What the user sees. One file per tab: TITLE, ORDER, build(page). Gradio is known only here and in app.py."""

from __future__ import annotations

import sys
from types import ModuleType

from core.plugins import modules


def tabs() -> list[ModuleType]:
    """Every tab of this folder, in the order in which they stand on the page."""
    found = [module for module in modules(sys.modules[__name__]) if hasattr(module, "TITLE")]
    return sorted(found, key=lambda tab: (tab.ORDER, tab.TITLE))
