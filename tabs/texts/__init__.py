"""The page's words in other languages. English is what the code says and the key; each language is a JSON file here.

A tab knows nothing of this: `translate` marks what it has drawn, and the browser shows what is marked in its language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

# How each language is called by those who speak it.
LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}
TEXTS: dict[str, dict[str, str]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(Path(__file__).parent.glob("*.json"))
}
KNOWN = frozenset[str]().union(*TEXTS.values())

# Where the browser keeps which language was chosen in it.
COOKIE = "switchboard-language"

SAID = ("label", "info", "placeholder")
# The values that are words of the page; others are what a visitor enters or chooses.
BY_VALUE = (gr.Button, gr.DownloadButton, gr.Markdown)


def _(text: str) -> Any:
    """What a handler hands to a widget so that the visitor's browser shows it in its language."""
    return str(I18nData(text))


def asked(headers: Mapping[str, str]) -> str:
    """The language for a request: as chosen, else the first that the browser names and we know, else English."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    named = [part.split(";")[0].split("-")[0].strip().lower() for part in headers.get("accept-language", "").split(",")]
    return next((code for code in [cookie.value if cookie else "", *named] if code in LANGUAGES), "en")


def translate(page: gr.Blocks) -> None:
    """Mark every text of `page` that is known in another language. To be called once, when all is drawn."""
    for block, name, text in words(page):
        if text in KNOWN:
            setattr(block, name, _(text))
    for block in page.blocks.values():
        if choices := getattr(block, "choices", None):
            block.choices = [(_(row[0]), *row[1:]) if row[0] in KNOWN else row for row in choices]  # type: ignore[attr-defined]


def words(page: gr.Blocks) -> Iterator[tuple[Any, str, str]]:
    """Every text of the page that a visitor reads: its widget, in which attribute it is, and the text."""
    for block in list(page.blocks.values()):
        for name in (*SAID, *(["value"] if isinstance(block, BY_VALUE) else [])):
            text = getattr(block, name, None)
            if isinstance(text, str) and text:
                yield block, name, text
