"""What a page holds and does not show: text for search engines, or instructions for models."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

_HIDING = re.compile(r"display:none|visibility:hidden|(?:font-size|opacity):0(?![.\d]*[1-9])")
# Whether it is worth looking: most pages hide nothing by an attribute, and a whole tree takes most of the time.
_STYLE = re.compile(rb"style\s*=\s*(\"[^\"<>]*\"|'[^'<>]*'|[^\s<>]*)")
_ATTRIBUTE = re.compile(rb"[\s\"']hidden(?=[\s=>/])")


def without_hidden(html: bytes) -> bytes:
    """`html`, as UTF-8, without the elements that its attributes hide, and without templates."""
    if not _may_hide(html.lower()):
        return html
    soup = BeautifulSoup(html, "lxml", from_encoding="utf-8")
    for tag in [tag for tag in soup.descendants if isinstance(tag, Tag) and _is_hidden(tag)]:
        if not tag.decomposed:
            tag.decompose()
    return soup.encode("utf-8")


def _may_hide(html: bytes) -> bool:
    if b"<template" in html or (b"hidden" in html and _ATTRIBUTE.search(html)):
        return True
    return any(_hides(style[1].decode("utf-8", "replace")) for style in _STYLE.finditer(html))


def _is_hidden(tag: Tag) -> bool:
    return tag.name == "template" or tag.has_attr("hidden") or _hides(str(tag.get("style", "")))


def _hides(style: str) -> bool:
    return bool(_HIDING.search("".join(style.lower().split())))
