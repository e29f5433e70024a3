"""Markdown that can do no harm: what a model, a page or a document says, made fit to be rendered.

Browsers' sanitizers let remote images, overlays and forms through, so raw HTML is shown as text and images become
links before Gradio sees them. Where this reading of Markdown and the renderer's could differ, it escapes too much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})([^`]*)$")
# In the order in which a renderer looks: a formula, an escaped character, a code span; then what must not get through.
_PARTS = re.compile(
    r"(?P<math>\$\$.+?\$\$|\\\(.+?\\\)|\\\[.+?\\\])"
    r"|(?P<escaped>\\[\\`*_{}\[<>!$])"
    r"|(?P<code>(?<!`)(?P<ticks>`+)(?!`)[^\n]+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<tag><(?=[A-Za-z/!?]))"
    r"|(?P<image>!+(?=\[))",
    re.DOTALL,
)


def harmless(text: str) -> str:
    """`text` as Markdown that runs nothing and loads nothing: HTML shown as text, images as links, code as it was."""
    blocks: list[str] = []
    prose: list[str] = []
    lines = iter(text.split("\n"))
    for line in lines:
        opening = None if _in_formula(prose) else _FENCE.match(line)
        if opening is None:
            prose.append(line)
        else:
            blocks += [*_prose(prose), *_fenced(opening, lines)]
            prose = []
    return "\n".join([*blocks, *_prose(prose)])


def _in_formula(prose: list[str]) -> bool:
    """Whether a formula is still open: a fence inside it would be no fence to the renderer."""
    so_far = "\n".join(prose)
    return so_far.count("$$") % 2 == 1 or so_far.count("\\[") > so_far.count("\\]")


def _fenced(opening: re.Match[str], lines: Iterator[str]) -> list[str]:
    """A fenced block, moved to the left margin: there no list or quotation can end it before its own fence does."""
    indent, fence, info = opening.groups()
    end = re.compile(rf" {{0,3}}{fence[0]}{{{len(fence)},}}\s*")
    block = [fence + info.replace("<", "")]
    for line in lines:
        body = line.removeprefix(indent)
        if end.fullmatch(body):
            return [*block, fence]
        block.append(body)
    return block


def _prose(lines: list[str]) -> list[str]:
    """Lines outside fences, escaped. A formula may span lines, a code span not, and cells of a table end at bars."""
    text = "\n".join(lines)
    parts = [text] if "$$" in text or "\\[" in text else lines
    return [_PARTS.sub(_escape_all if "|" in part else _escape, part) for part in parts]


def _escape(part: re.Match[str]) -> str:
    return part[0] if part["code"] else _escape_all(part)


def _escape_all(part: re.Match[str]) -> str:
    if part["math"]:
        return part[0].replace("<", r"\lt ")
    if part["image"]:
        return ""
    return part[0].replace("<", "&lt;").replace("\\!", "&#33;")
