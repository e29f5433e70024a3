"""Tables that are wider than their place can be scrolled by keyboard: whatever scrolls must be able to have the focus.

Gradio's Markdown gives a table no attributes, and our tables come and go with what handlers say.
"""

from __future__ import annotations

REACHED = """() => {
    const reach = () => document.querySelectorAll(".wide table:not([tabindex])").forEach((table) => table.tabIndex = 0);
    new MutationObserver(reach).observe(document.body, {childList: true, subtree: true});
    reach();
}"""
