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


def bounded(html: bytes, most: int = MOST_TAGS) -> tuple[bytes, bool]:
    """The beginning of `html` that is cheap to parse, mostly all of it, and whether it is nested absurdly deep.

    `most` is how many tags are, of 25 bytes each.
    """
    html = _affordable(_LONG_TAG.sub(b"", html), most)
    return _NO_TAG.sub(b" ", html), _is_deep(html)


def _affordable(html: bytes, most: int) -> bytes:
    """The page up to where its tags cost too much."""
    cost = html.count(b"<") + len(html) // _BYTES_A_TAG
    if cost <= most:
        return html
    cost = 0
    for tag in _TAG.finditer(html):
        cost += 1 + (len(tag[0]) // _BYTES_A_TAG if tag[2] else 0)
        if cost > most:
            return html[: tag.start()]
    return html


def _is_deep(html: bytes) -> bool:
    depth, inside = 0, Counter[bytes]()
    for end, name, rest in _TAG.findall(html):
        name = name.lower()
        if not name or name in _SHALLOW or rest.endswith(b"/"):
            continue
        step = -min(1, inside[name]) if end else 1
        inside[name] += step
        depth += step
        if depth > MOST_DEEP:
            return True
    return False
