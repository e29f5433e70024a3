"""Markdown that can do no harm: what a model, a page or a document says, made fit to be rendered.

Browsers' sanitizers let remote images, overlays and forms through, so raw HTML is shown as text and images become
links before Gradio sees them. No reading of Markdown here is trusted to be the renderer's: whatever comes out holds no
tag but the `<code>` and `<pre>` written here, and no image, wherever either reader believes code or formulas to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_LIVE = re.compile(r"<(?=[A-Za-z/!?])|(?<!!)\\?!+(?=\[)")
_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})([^`]*)$")
# The renderer draws these with a library that puts labels into the page as HTML.
_DIAGRAM = re.compile(r"(?<![`~])([`~]{3,}+[ \t]*+)mermaid", re.IGNORECASE)
_MARK = re.compile(r"[!-/:-@\[-`{-~]")
# Lengths are bounded so that no text takes more than linear time.
_PARTS = re.compile(
    r"(?P<formula>\$\$[^$\n]{1,300}\$\$|\\\((?:(?!\\\))[^\n]){1,300}\\\)|\\\[(?:(?!\\\])[^\n]){1,300}\\\])"
    r"|(?P<code>(?<!`)(?P<ticks>`{1,8})(?!`)[^\n]{1,1000}?(?<!`)(?P=ticks)(?!`))"
    rf"|(?P<live>{_LIVE.pattern})"
)


@lru_cache(maxsize=1024)  # A conversation is drawn ten times a second, and all of it but its end is as it was.
def harmless(text: str) -> str:
    """`text` as Markdown that runs nothing and loads nothing: HTML shown as text, images as links, code as it was."""
    lines = iter(_DIAGRAM.sub(r"\1text", re.sub(r"\r\n?", "\n", sound(text))).split("\n"))
    shown: list[str] = []
    in_formula = False
    for line in lines:
        if not in_formula and (opening := _FENCE.match(line)):
            shown += _fenced(opening, lines)
            continue
        shown.append(_formula(line) if in_formula else _PARTS.sub(_part, line))
        in_formula ^= line.count("$$") % 2 == 1 or line.strip() in ("\\[", "\\]")
    return "\n".join(shown)


def plain(text: str) -> str:
    """`text` on one line, as itself wherever Markdown or HTML is rendered: every mark is written as its number."""
    return _written(" ".join(sound(text).split()))


def sound(text: str) -> str:
    """`text` as UTF-8 can carry it: halves of a character that came apart are joined, lone ones replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _fenced(opening: re.Match[str], lines: Iterator[str]) -> list[str]:
    """A fenced block as it is, or in HTML of our own when something in it would be alive outside a block."""
    indent, fence, info = opening.groups()
    end = re.compile(rf"[ \t]*{fence[0]}{{{len(fence)},}}\s*")
    body: list[str] = []
    closed = []
    for line in lines:
        if end.fullmatch(line):
            closed = [line]
            break
        body.append(line)
    if not any(map(_LIVE.search, (info, *body))):
        return [opening[0], *body, *closed]
    code = "&#10;".join(_written(line.removeprefix(indent)) for line in body)
    return [f"{indent}<pre><code>{code}</code></pre>", ""]


def _part(part: re.Match[str]) -> str:
    if part["formula"]:
        return _formula(part[0])
    if part["code"]:
        ticks = len(part["ticks"])
        return f"<code>{_written(part[0][ticks:-ticks])}</code>" if _LIVE.search(part[0]) else part[0]
    return "&lt;" if part[0] == "<" else ""


def _formula(text: str) -> str:
    return re.sub(r"!+(?=\[)", "", text.replace("<", r"\lt "))


def _written(text: str) -> str:
    """`text` with every mark as its number, so that nothing in it is Markdown or HTML."""
    return _MARK.sub(lambda mark: f"&#{ord(mark[0])};", text)
