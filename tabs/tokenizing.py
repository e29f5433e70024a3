"""Tokens as the page shows them, and which models' tokenizers it can show."""

from __future__ import annotations

import asyncio

import gradio as gr

from backends import backends, choices, find
from core.errors import BadSetting, RequestRefused
from core.settings import settings
from core.tokens import Token, Tokenizes

# Colours alternate, so that neighbours are told apart; what marks structure has its own.
COLORS = {"0": "#93c5fd", "1": "#86efac", "2": "#fde68a", "3": "#f0abfc", "special": "#f87171"}
MOST_SHOWN = 1500


def pieces_box(name: str) -> gr.HighlightedText:
    """The widget for `coloured`."""
    return gr.HighlightedText(
        show_label=False, label="Tokens", show_inline_category=False, color_map=COLORS, elem_id=name,
        elem_classes="words",
    )  # fmt: skip


def tokenizers() -> list[tuple[str, str]]:
    """Models whose tokenizer is known, and nothing for the side that is not used."""
    knowing = {name for name, backend in backends().items() if isinstance(backend, Tokenizes)}
    found = [row for row in asyncio.run(choices()) if row.available and row.provider in knowing]
    return [("none", ""), *((f"{row.label} · {row.model}", row.choice) for row in found)]


def tokens(choice: str, text: str, added: bool = True) -> tuple[Token, ...]:
    """`text` by the tokenizer of `choice`. Raises AppError."""
    backend, model = find(choice)
    if not isinstance(backend, Tokenizes):
        raise RequestRefused(
            backend.label, "Choose a model in this process or of OpenAI.", "{provider} keeps its tokenizers to itself."
        )
    longest = settings().longest_message
    if len(text) > longest:
        raise BadSetting(f"The text is too long: {len(text):,} characters, and at most {longest:,} are taken.")
    return asyncio.run(backend.tokens(model, text, added))


def coloured(found: tuple[Token, ...]) -> list[tuple[str, str | None]]:
    """Each token with its colour; a line's end is to be seen."""
    pieces: list[tuple[str, str | None]] = [
        (token.text.replace("\n", "⏎\n") or " ", "special" if token.special else str(number % 4))
        for number, token in enumerate(found[:MOST_SHOWN])
    ]
    left = len(found) - MOST_SHOWN
    return [*pieces, (f" … and {left:,} more", None)] if left > 0 else pieces


def facts(found: tuple[Token, ...], text: str) -> str:
    """How many tokens, of how many characters."""
    special = sum(token.special for token in found)
    plain = len(found) - special
    each = f" · {len(text) / plain:.2f} characters a token" if plain and text else ""
    return f"**{len(found):,} tokens**{f' ({special} special)' if special else ''} · {len(text):,} characters{each}"
