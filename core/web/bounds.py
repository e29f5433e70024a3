"""How much markup is parsed: 5 MB of HTML can be made to cost gigabytes and minutes, in any parser."""

from __future__ import annotations

import re
from collections import Counter

# A tag costs a kilobyte in a tree and each attribute a third of that, in at least four bytes of markup. Large real
# pages have 20,000 tags.
MOST_TAGS = 30_000
_BYTES_A_TAG = 25
MOST_DEEP = 500
_TAG = re.compile(rb"<(/?)([A-Za-z][^\s/>]*)?([^<>]*)")
# A tag this long is a picture written into the page, or an attack: a parser compares each attribute with all others.
_LONG_TAG = re.compile(rb"<[A-Za-z/!?][^<>]{4000,}>?")
# Each of these would be a text of its own to a parser.
_NO_TAG = re.compile(rb"<(?![A-Za-z/!?])")
# Elements without an end, or whose end may be left out: they make no page deep.
_SHALLOW = frozenset(
    b"area base br col embed hr img input link meta param source track wbr p li dt dd tr td th option tbody".split()
)


def bounded(html: bytes) -> tuple[bytes, bool]:
    """The beginning of `html` that is cheap to parse, mostly all of it, and whether it is nested absurdly deep."""
    html = _LONG_TAG.sub(b"", html)
    tags, html = _affordable(html)
    return _NO_TAG.sub(b" ", html), _is_deep(tags)


def _affordable(html: bytes) -> tuple[list[tuple[bytes, bool]], bytes]:
    """The tags that make a page deep, each with whether it is an end, and the page up to where it costs too much."""
    cost, tags = 0, list[tuple[bytes, bool]]()
    for tag in _TAG.finditer(html):
        name = (tag[2] or b"").lower()
        cost += 1 + (len(name) + len(tag[3]) if name else 0) // _BYTES_A_TAG
        if cost > MOST_TAGS:
            return tags, html[: tag.start()]
        if name and name not in _SHALLOW and not tag[3].endswith(b"/"):
            tags.append((name, bool(tag[1])))
    return tags, html


def _is_deep(tags: list[tuple[bytes, bool]]) -> bool:
    depth, inside = 0, Counter[bytes]()
    for name, is_end in tags:
        step = -min(1, inside[name]) if is_end else 1
        inside[name] += step
        depth += step
        if depth > MOST_DEEP:
            return True
    return False
