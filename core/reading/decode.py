"""Bytes of a text file as text: UTF-8 with or without its mark, UTF-16, and what older programs wrote."""

from __future__ import annotations

import codecs

from core.reading.text import Refused
from core.web.charset import decoded

_BINARY = "it is not a text file"


def as_text(data: bytes) -> tuple[str, str]:
    """`data` as text, and a note where some of it could not be read. Raises Refused for what is no text."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return data.decode("utf-32", "replace"), ""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace"), ""
    if b"\0" in data:
        return _wide(data), ""
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    bad = text.count("\ufffd")
    # A few broken characters make a text no other charset, in which all its accents would be wrong.
    if bad and 10 * bad > sum(not char.isascii() for char in text):
        text, bad = decoded(data, ""), 0
    if _is_binary(text):
        raise Refused(_BINARY)
    return text, f"{bad} of its characters could not be read." if bad else ""


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: every other byte of most texts is zero."""
    sample = data[:4000]
    for name, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if zeros.count(0) > len(zeros) // 2:
            try:
                text = data.decode(name)
            except UnicodeDecodeError:
                continue
            if not _is_binary(text):
                return text
    raise Refused(_BINARY)


def _is_binary(text: str) -> bool:
    """Whether there are more control characters in it than any text has, of which old ones may have a few."""
    controls = sum(text.count(chr(code)) for code in range(32) if chr(code) not in "\t\n\v\f\r\x1b")
    return controls > 2 + len(text) // 20
