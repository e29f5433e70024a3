"""The places at which a text may be cut, by how well that reads. Knows nothing of headings, nor how long a piece is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How well a cut at a place reads, the best first."""

    BLOCK = 0  # between paragraphs, tables, lists and fenced code
    ITEM = 1  # between rows of a table and outer items of a list
    LINE = 2  # between inner items, and lines of code
    SENTENCE = 3


@dataclass(frozen=True, slots=True)
class Table:
    """A table of Markdown: its header, with the line below it, is `text[start:header]`."""

    start: int
    header: int
    end: int


@dataclass(frozen=True, slots=True)
class Places:
    """The offsets at which a text may be cut, sorted, by level; and its tables, in order."""

    cuts: tuple[tuple[int, ...], ...]
    tables: tuple[Table, ...]

    def header(self, offset: int) -> tuple[int, int]:
        """The header of the table that is continued at `offset`; an empty span where none is."""
        number = bisect_right(self.tables, offset, key=lambda table: table.header) - 1
        if number >= 0 and offset < self.tables[number].end:
            return self.tables[number].start, self.tables[number].header
        return 0, 0


_ITEM = re.compile(r"([ \t]*)(?:[-*+•]|\d{1,3}[.)])[ \t]")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*")
# The end of a sentence, and whatever opens the next one. What looks like an end and is none is told apart below.
_END = re.compile(r"(?:[.!?…][\"'”’)\]*_]{0,3}[ \t\n]+(?=[\"'“‘(\[*_¿¡]{0,3}[^\W_a-z])|[。！？]+)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:[^\W\d_]|Mrs?|Ms|Dr|Prof|St|Nos?|Nr|vs|etc|cf|Fig|Inc|Ltd|Co|Corp|approx|ca|e\.g|i\.e|z\.B|d\.h)$"
)


def places(text: str, start: int, end: int) -> Places:
    """Where `text[start:end]` may be cut. Linear in its length."""
    reader = _Reader(text, start, end)
    reader.read()
    sentences = tuple(_sentences(text, reader.prose))
    return Places((*(tuple(cuts) for cuts in reader.cuts), sentences), tuple(reader.tables))


class _Reader:
    """One walk over the lines of a text, from block to block."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.at, self.end = text, start, end
        self.cuts: list[list[int]] = [[], [], []]
        self.tables: list[Table] = []
        self.prose: list[tuple[int, int]] = []

    def read(self) -> None:
        while self.at < self.end:
            line = self._line(self.at)
            if not line.strip():
                self.at += len(line)
                continue
            self.cuts[Level.BLOCK].append(self.at)
            if fence := _FENCE.match(line):
                self._fenced(fence[1])
            elif header := self._header(line):
                self._table(header)
            elif _ITEM.match(line):
                self._list()
            else:
                self._paragraph()

    def _line(self, start: int) -> str:
        stop = self.text.find("\n", start, self.end) + 1
        return self.text[start : stop or self.end]

    def _fenced(self, mark: str) -> None:
        self.at += len(self._line(self.at))
        while self.at < self.end:
            line = self._line(self.at)
            closed = line.strip().startswith(mark) and not line.strip().strip(mark[0])
            if not closed:
                self.cuts[Level.LINE].append(self.at)
            self.at += len(line)
            if closed:
                return

    def _header(self, line: str) -> int:
        """The length of the two lines that open a table, 0 where none begins."""
        rule = self._line(self.at + len(line)) if "|" in line else ""
        return len(line) + len(rule) if "-" in rule[:10] and _is_rule(rule) else 0

    def _table(self, header: int) -> None:
        start, self.at = self.at, self.at + header
        while self.at < self.end and "|" in (line := self._line(self.at)):
            if self.at > start + header:
                self.cuts[Level.ITEM].append(self.at)
            self.at += len(line)
        self.tables.append(Table(start, start + header, self.at))

    def _list(self) -> None:
        """Items, what is indented below them, and blank lines between them."""
        first, begin, blank = self.at, self.at, False
        outer = len(_indent(self._line(self.at)))
        while self.at < self.end:
            line = self._line(self.at)
            item = _ITEM.match(line)
            if blank and not item and not line[:1].isspace():
                break
            if not blank and not item and (_FENCE.match(line) or line.startswith("#")):
                break
            if item and self.at > first:
                self.cuts[Level.ITEM if len(item[1]) <= outer else Level.LINE].append(self.at)
                self.prose.append((begin, self.at))
                begin = self.at
            blank = not line.strip()
            self.at += len(line)
        self.prose.append((begin, self.at))

    def _paragraph(self) -> None:
        begin = self.at
        while self.at < self.end:
            line = self._line(self.at)
            opens = _FENCE.match(line) or _ITEM.match(line) or self._header(line)
            if not line.strip() or (self.at > begin and opens):
                break
            self.at += len(line)
        self.prose.append((begin, self.at))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _is_rule(line: str) -> bool:
    return len(line) < 10_000 and _DELIMITER.fullmatch(line.strip()) is not None


def _sentences(text: str, prose: list[tuple[int, int]]) -> Iterator[int]:
    """Where sentences begin that follow another one in the same paragraph or item."""
    for start, end in prose:
        for found in _END.finditer(text, start, end):
            before = text[max(start, found.start() - 12) : found.start()]
            if found.end() < end and not (found[0][0] == "." and _ABBREVIATION.search(before)):
                yield found.end()
