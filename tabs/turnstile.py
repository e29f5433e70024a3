"""Which of a visitor's clicks waits for which: what begins, leaves or opens a conversation is done one at a time.

Each of them reads the conversation as the one before it has left it, and shows its own: a message that is sent in the
moment after “New chat” was pressed would be put under the old ones, and then be wiped away with them.
"""

from __future__ import annotations

# Whoever never says that it is done, because it has failed, is waited for this long.
_PATIENCE = 5000  # milliseconds
_WAIT = f"""async () => {{
    while (performance.now() - (window.switchboardBusy ?? -Infinity) < {_PATIENCE})
        await new Promise(resolve => setTimeout(resolve, 10));
    window.switchboardBusy = performance.now();
}}"""


def one_at_a_time(js: str = "(...given) => given") -> str:
    """`js` for an event that is to wait for the one before it; once it is done, `then_next` is to be run."""
    return f"async (...given) => {{ await ({_WAIT})(); return ({js})(...given); }}"


def then_next(js: str = "(...given) => given") -> str:
    """`js` for what follows such an event: it lets the next one in."""
    return f"(...given) => {{ window.switchboardBusy = undefined; return ({js})(...given); }}"
