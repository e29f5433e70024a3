"""Text of others before a model: data between markers, cut to what the model can read, never an instruction to it."""

from __future__ import annotations

import re
import unicodedata

from core.llm import Capabilities

SMALL = 4096  # tokens of context, up to which a model is asked in the short forms that the built-in one has learnt


def is_small(can: Capabilities) -> bool:
    """Whether a model is too small for rules, examples and long material."""
    return can.context_window is not None and can.context_window <= SMALL


def tokens(text: str) -> int:
    """About how many tokens a text has, on the safe side: three characters of English each, other letters one."""
    ascii_letters = sum(char.isascii() for char in text)
    return ascii_letters // 3 + (len(text) - ascii_letters) + 1


def between(label: str, about: str, text: str) -> str:
    """`text` between markers that say what it is."""
    return f"<<<{label} {about}>>>\n{text}\n<<<END {label.split()[0]}>>>"


def marked(text: str) -> str:
    """`text` such that it cannot end its own markers."""
    return re.sub(r"<{3,}|>{3,}", "«", text)


_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn")


def visible(text: str) -> str:
    """`text` without characters that no reader sees: tags (U+E0000), zero widths, bidi controls, private use."""
    unseen = {ord(char): None for char in set(text) if unicodedata.category(char) in _UNSEEN and char not in "\n\t"}
    return text.translate(unseen)
