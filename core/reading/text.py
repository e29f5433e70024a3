"""What was read from a file, in one form: clean Markdown, and where its pages begin."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.material import visible

LONGEST = 5_000_000  # characters of a document: about ten thick books


DAMAGED = "it is damaged, or not what its name says"
TOO_LARGE = "reading it takes too much memory"


class Refused(Exception):
    """A file that is not read. Its text ends a sentence that begins with the file's name: "it is empty"."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a file says. `title` is what its properties call it, `pages` and `note` are as those of a Document."""

    text: str
    title: str = ""
    pages: tuple[int, ...] = ()
    note: str = ""


# Ends of lines that are none to Markdown, and spaces that no one can type when searching for them.
_BREAKS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_SPACES = {0xA0: " ", 0x2007: " ", 0x202F: " "}


def tidy(text: str) -> str:
    """`text` in one spelling: line ends, spaces and accents alike, nothing unseen, no wide gaps."""
    even = unicodedata.normalize("NFC", visible(_BREAKS.sub("\n", text).translate(_SPACES)))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in even.split("\n"))).strip("\n")


def whole(parts: Iterable[str], title: str = "", notes: Sequence[str] = ()) -> Text:
    """Pages in order as one text, as much of them as is kept. Raises Refused when nothing stands in them."""
    kept: list[str] = []
    offsets: list[int] = []
    length = 0
    for part in map(tidy, parts):
        if length + len(part) > LONGEST:
            notes = (*notes, f"Only the first {LONGEST:,} characters were read.")
            part = part[: LONGEST - length]
        offsets.append(length)
        if part:
            kept.append(part)
            length += len(part) + 2
        if length >= LONGEST:
            break
    text = "\n\n".join(kept)
    if not text.strip():
        raise Refused("it holds no text")
    return Text(text, " ".join(tidy(title).split()), tuple(offsets) if len(offsets) > 1 else (), " ".join(notes))


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows as a table of Markdown, the first one as its header, without rows and columns in which nothing stands."""
    cells = [[_cell(value) for value in row] for row in rows]
    used = sorted({number for row in cells for number, value in enumerate(row) if value})
    lines = [[row[number] if number < len(row) else "" for number in used] for row in cells if any(row)]
    if not lines:
        return ""
    lines.insert(1, ["---"] * len(used))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: str) -> str:
    return " ".join(value.replace("|", "\\|").split())
