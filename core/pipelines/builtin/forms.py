"""Sentences out of forms: "<a|b>" chooses, "{list}" is filled with a word of that list. Knows no language."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

_CHOICE = re.compile(r"<([^<>]*)>")
_SLOT = re.compile(r"\{(\w+)\}")


def lists(file: Path) -> dict[str, list[str]]:
    """The word lists of a file: "name: one, two", a list a line; a name that comes again goes on with its list."""
    found: dict[str, list[str]] = {}
    for line in lines(file):
        name, _, words = line.partition(":")
        found.setdefault(name.strip(), []).extend(word.strip() for word in words.split(",") if word.strip())
    return found


def lines(file: Path) -> list[str]:
    """The lines of a file that are neither empty nor a comment."""
    return [line for line in file.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]


def chosen(form: str, chance: random.Random) -> str:
    """The form with every choice made, the innermost first."""
    while found := _CHOICE.search(form):
        form = form[: found.start()] + chance.choice(found[1].split("|")) + form[found.end() :]
    return form


def filled(form: str, fill: Callable[[str], str]) -> list[tuple[str, str]]:
    """The form in pieces: (text, name of the slot that it fills or "")."""
    pieces, at = list[tuple[str, str]](), 0
    for slot in _SLOT.finditer(form):
        pieces += [(form[at : slot.start()], ""), (fill(slot[1]), slot[1])]
        at = slot.end()
    return [piece for piece in [*pieces, (form[at:], "")] if piece[0]]
