"""The headings of a Markdown text, and which part of it stands below which. Knows nothing of sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# What is longer stands in the text and nowhere else: the path of headings goes before every passage below it, and
# takes room there.
LONGEST_HEADING = 120  # characters
LONGEST_PATH = 240

_SIGNS = re.compile(
    r"^ {0,3}(?P<hashes>\#{1,6})(?:[ \t]+(?P<atx>[^\n]*))?$"
    r"|^ {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)$"
    # A heading that is underlined; below more than one line it is a rule.
    r"|(?:\A|(?<=\n\n))(?P<setext>[^\s\#>|`~+*-][^\n]{0,200})\n(?P<line>={3,}|-{3,})[ \t]*$",
    re.MULTILINE,
)
_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\s]{0,500}\)")


@dataclass(frozen=True, slots=True)
class Section:
    """What stands between two headings: `text[start:end]`.

    `path` are the headings above it, outermost first. `heads` are the offsets of their lines, -1 where other text
    stands between that line and this section.
    """

    path: tuple[str, ...]
    heads: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Heading:
    """A heading: its line begins at `start`, what stands below it at `end`."""

    level: int
    name: str
    start: int
    end: int


def sections(text: str, title: str) -> list[Section]:
    """The sections of `text` in order, none blank. A heading that repeats the document's title opens none.

    A heading with nothing below it belongs to the text of the section above it; a title alone is text.
    """
    found: list[Section] = []
    above: list[_Heading] = []
    # The headings whose lines stand directly before what comes next.
    near: list[_Heading] = []
    begin = 0
    for heading in [*_headings(text), None]:
        end = heading.start if heading else len(text)
        if text[begin:end].strip():
            found.append(_section(above, near, begin, end))
            near = []
        elif near and (heading is None or heading.level <= near[-1].level):
            # Nothing stands below this heading: its line is the text.
            found.append(_section(above[:-1], near[:-1], near[-1].start, end))
            near = []
        if heading is None:
            break
        above = [h for h in above if h.level < heading.level]
        begin = heading.end
        if heading.name == title:
            continue
        if len(" > ".join((*(h.name for h in above), heading.name))) > LONGEST_PATH:
            begin = heading.start
            continue
        above.append(heading)
        near.append(heading)
    return found if found or not text.strip() else [Section((), (), 0, len(text))]


def first_heading(text: str) -> str:
    """The heading that stands for the whole: the first one, where it is of the first level or nothing is before it."""
    heading = next(_headings(text), None)
    if heading is None or (heading.level > 1 and text[: heading.start].strip()):
        return ""
    return heading.name


def _section(above: list[_Heading], near: list[_Heading], start: int, end: int) -> Section:
    lines = {heading.start for heading in near}
    heads = tuple(heading.start if heading.start in lines else -1 for heading in above)
    return Section(tuple(heading.name for heading in above), heads, start, end)


def _headings(text: str) -> Iterator[_Heading]:
    """Every heading outside of fenced code."""
    fence = ""
    for sign in _SIGNS.finditer(text):
        if mark := sign["fence"]:
            if not fence:
                # An info string with a backtick makes it code within a line (CommonMark 4.5).
                fence = "" if mark[0] == "`" and "`" in sign["info"] else mark
            elif mark.startswith(fence) and not sign["info"].strip():
                fence = ""
        elif not fence:
            level = len(sign["hashes"]) if sign["hashes"] else 1 + (sign["line"][0] == "-")
            line = sign["atx"] or sign["setext"] or ""
            name = named(line)
            if name and len(name) <= LONGEST_HEADING:
                # An address in a heading is not in its name, so the line stays in the text.
                yield _Heading(level, name, sign.start(), sign.start() if "](" in line else sign.end())


def named(line: str) -> str:
    """What a heading says, without Markdown's marks and on one line."""
    name = re.sub(r"(?:^|(?<=[ \t]))#+[ \t]*$", "", line[:1000]) if line.rstrip(" \t").endswith("#") else line
    return " ".join(re.sub(r"[*`]|\\(?=[!-/:-@\[-`{-~])", "", _LINK.sub(r"\1", name[:1000])).split())
