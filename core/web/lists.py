"""Lists that are part of what a page says. Resiliparse takes every <ul> for a menu when it looks for the main text."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LIST = re.compile(r"<(/?)ul\b[^<>]*>", re.IGNORECASE)
_ITEM = re.compile(r"<li\b[^<>]*>", re.IGNORECASE)
_END = re.compile(r"</(?:li|ul)\s*>|<ul\b[^<>]*>", re.IGNORECASE)
_LINK = re.compile(r"<a\b[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
# A list whose letters are links for more than this part is a menu.
_MENU = 0.6


def with_lists(html: str) -> str:
    """`html` with each list that is no menu as paragraphs, each after a bullet. Time is linear in its length."""
    parts, last = [], 0
    for start, end in _outermost(html):
        inside = html[start:end]
        if not _is_menu(inside):
            parts += [html[last:start], _END.sub("</p>", _ITEM.sub("<p>• ", inside))]
            last = end
    return "".join((*parts, html[last:]))


def _outermost(html: str) -> Iterator[tuple[int, int]]:
    """Where each <ul> that stands in no other begins and ends."""
    depth = start = 0
    for tag in _LIST.finditer(html):
        if not tag[1]:
            start = start if depth else tag.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield start, tag.end()


def _is_menu(html: str) -> bool:
    said = len("".join(_TAG.sub("", html).split()))
    linked = sum(len("".join(text.split())) for text in _LINK.findall(html))
    return linked > _MENU * said
