"""Texts as people hand them in: one a line, or a file with one a row. Says what is too much, and where."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from core.errors import BadSetting
from core.markdown import sound
from core.pipelines.task import BUILT_IN
from core.settings import settings

MOST = 20_000  # texts at once
_LATIN = re.compile("[A-Za-z0-9]")
_COLUMNS = ("text", "review", "comment", "sentence", "content", "message", "body")


def checked(texts: Sequence[str]) -> list[str]:
    """The texts as models take them: no half characters, no NUL bytes. Raises BadSetting.

    Every character keeps its place, so that offsets in the result hold for what was handed in.
    """
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise BadSetting("A text or a list of texts is needed.")
    if not any(text.strip() for text in texts):
        raise BadSetting("There is no text. Write some, or open a file.")
    if len(texts) > MOST:
        raise BadSetting(f"These are {len(texts):,} texts, and at most {MOST:,} are taken at once.")
    longest = settings().longest_message
    for number, text in enumerate(texts, 1):
        if len(text) > longest:
            which = f"Text {number}" if len(texts) > 1 else "The text"
            raise BadSetting(f"{which} has {len(text):,} characters, and at most {longest:,} are taken.")
    return [_clean(text) for text in texts]


def readable(name: str, text: str) -> bool:
    """Whether the model has ever seen such letters: the built-in ones would take a guess at any other."""
    return name != BUILT_IN or _LATIN.search(text) is not None


def _clean(text: str) -> str:
    # Half of a character pair is one place in Python, as its replacement is.
    whole = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text) if not _sound(text) else text
    return whole.replace("\0", " ")


def _sound(text: str) -> bool:
    return sound(text) == text


def texts_of(name: str, data: bytes) -> list[str]:
    """The texts of a file: of a .csv the column called text (or the widest one), else one a line. Raises BadSetting."""
    try:
        content = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSetting("The file is not UTF-8 text.") from error
    found = _column(content) if name.lower().endswith(".csv") else content.splitlines()
    found = [text for text in found if text.strip()]
    if not found:
        raise BadSetting("The file holds no texts.")
    return found


def _column(content: str) -> list[str]:
    try:
        rows = [row for row in csv.reader(io.StringIO(content.replace("\0", " ")), strict=True) if row]
    except csv.Error as error:
        raise BadSetting("The file is no CSV that can be read: a quotation mark may be missing.") from error
    if not rows:
        return []
    head = [cell.strip().lower() for cell in rows[0]]
    named = next((head.index(name) for name in _COLUMNS if name in head), None)
    if named is not None:
        return [row[named] for row in rows[1:] if len(row) > named]
    width = max(map(len, rows))
    widest = max(range(width), key=lambda column: sum(len(row[column]) for row in rows if len(row) > column))
    return [row[widest] for row in rows if len(row) > widest]
