"""Which characters the bytes of a page are: by byte order mark, content, header and meta, in that order of trust."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

# Charsets of web pages (https://encoding.spec.whatwg.org). Python knows others that are no charsets, and some that
# take quadratic time.
_KNOWN = re.compile(
    r"utf-?8|utf-?16(le|be)?|us-ascii|ascii|latin-?1|iso-?8859-?\d{1,2}|(windows|cp)-?\d{3,4}|koi8-[ru]|mac-?roman"
    r"|gbk|gb-?2312|gb-?18030|big5(-?hkscs)?|euc-?(jp|kr)|shift[_-]?jis|sjis|iso-2022-jp|tis-620",
    re.IGNORECASE,
)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NAMED = re.compile(r"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)


def decoded(body: bytes, content_type: str) -> str:
    """`body` as text, always: what cannot be read becomes U+FFFD."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    head = body[:2048]
    declared = [name for name in (_named(content_type, head), _named(head.decode("latin-1"), head)) if name]
    # Bytes that are valid UTF-8 beyond ASCII are nothing else but by a very rare accident, whatever is declared.
    names = declared if body.isascii() else ["utf-8", *declared]
    for name in [*names, *_guessed(body, names)]:
        try:
            return body.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode(declared[0] if declared else "utf-8", "replace")


def _named(text: str, head: bytes) -> str:
    """The charset that a header or a meta element declares, where it is one that the page can be in."""
    found = _NAMED.search(text)
    if not found or not _KNOWN.fullmatch(found[1]):
        return ""
    try:
        name = codecs.lookup(found[1]).name
    except LookupError:
        return ""
    if name in ("iso8859-1", "ascii"):
        return "cp1252"  # what browsers read, and servers mean, by both
    # In UTF-16 every other byte of markup is zero; without one the declaration is a known slip.
    return "" if name.startswith("utf-16") and b"\0" not in head else name


def _guessed(body: bytes, tried: list[str]) -> list[str]:
    """What the bytes look like, when nothing declared fits them."""
    if body.isascii():
        return ["ascii"]
    best = from_bytes(body[:32_768]).best() if len(tried) == 1 else None
    return [best.encoding] if best else []
