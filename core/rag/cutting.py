"""Where a text may be cut, and how well: between blocks, rows, items, sentences, words. Knows nothing of headings."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

# A part below this is not cut off, be it the end of a section or what stands before a table that fits.
LEAST = 150  # characters
# No bound makes a piece smaller than this.
SMALLEST = 80


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


# --- looking for places -----------------------------------------------------------------------------------------------

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


# --- cutting ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """`text[start:end]`, with the span of the table header that belongs to it, empty where none does."""

    start: int
    end: int
    header: tuple[int, int] = (0, 0)


def cut(
    text: str, start: int, end: int, size: int, overlap: int, fits: Callable[[Piece], float]
) -> list[Piece]:  # fmt: skip
    """`text[start:end]` in pieces of at most `size` characters, about equal, each cut where it reads best.

    `fits` tells how full a piece is, for a bound besides `size`: above 1 it is cut shorter. Pieces share up to
    `overlap` characters where they were cut inside running text, as whole sentences where there are any.
    """
    start = _solid(text, start, end)
    whole = Piece(start, start + len(text[start:end].rstrip()))
    if whole.end - start <= size and fits(whole) <= 1:
        return [whole]
    where = places(text, start, end)
    pieces: list[Piece] = []
    while start < end:
        piece = _piece(text, start, end, size, where, fits)
        pieces.append(piece)
        start = _solid(text, _again(text, piece, end, overlap, where), end)
    return pieces


def _piece(
    text: str, start: int, end: int, size: int, where: Places, fits: Callable[[Piece], float]
) -> Piece:  # fmt: skip
    header = where.header(start)
    if header[1] - header[0] > size // 2:
        header = (0, 0)
    most = size - (header[1] - header[0])
    while True:
        piece = Piece(start, _end(text, start, end, most, where), header)
        full = fits(piece)
        if full <= 1 or most <= SMALLEST:
            return piece
        most = max(SMALLEST, min(int(most * 0.9), int((piece.end - start) / full)))


def _end(text: str, start: int, end: int, most: int, where: Places) -> int:
    """Where a piece that begins at `start` ends, blank lines after it not counted."""
    left = end - start
    if left <= most:
        return start + len(text[start:end].rstrip())
    # As many pieces as there must be, and no small one at the end.
    aim = left // -(-left // most)
    lowest, highest = start + aim // 2, min(start + most, end - min(LEAST, aim // 2))
    best = _nearest(where.cuts[Level.BLOCK], lowest, highest, start + aim)
    if best is None:
        best = _before_whole(where, start, lowest, most)
    for level in (Level.ITEM, Level.LINE, Level.SENTENCE):
        if best is None:
            best = _nearest(where.cuts[level], lowest, highest, start + aim)
    if best is None:
        best = _word(text, lowest, highest)
    return start + len(text[start:best].rstrip())


def _nearest(cuts: tuple[int, ...], lowest: int, highest: int, aim: int) -> int | None:
    within = cuts[bisect_right(cuts, lowest) : bisect_right(cuts, highest)]
    return min(within, key=lambda offset: abs(offset - aim), default=None)


def _before_whole(where: Places, start: int, lowest: int, most: int) -> int | None:
    """The place before a table, a list or code that would be cut although it fits into a piece of its own."""
    blocks = where.cuts[Level.BLOCK]
    number = bisect_right(blocks, lowest) - 1
    if number < 0 or blocks[number] < start + LEAST or number + 1 == len(blocks):
        return None
    block, after = blocks[number], blocks[number + 1]
    if after - block > most:
        return None
    parted = (_nearest(where.cuts[level], block, after, block) for level in (Level.ITEM, Level.LINE))
    return None if all(cut is None for cut in parted) else block


def _word(text: str, lowest: int, highest: int) -> int:
    """The end of the last word before `highest`; `highest` where there is no space."""
    for place in range(highest, lowest, -1):
        if text[place].isspace() or text[place - 1].isspace():
            return place
    return highest


def _again(text: str, piece: Piece, end: int, overlap: int, where: Places) -> int:
    """Where the piece after this one begins: a little earlier when this one ends inside running text."""
    rest = _solid(text, piece.end, end)
    if rest >= end or any(_is_in(where.cuts[level], rest) for level in (Level.BLOCK, Level.ITEM, Level.LINE)):
        return rest
    lowest = max(piece.end - overlap, piece.start + (piece.end - piece.start) // 2)
    blocks = where.cuts[Level.BLOCK]
    number = bisect_right(blocks, piece.end) - 1
    lowest = max(lowest, blocks[number] if number >= 0 else lowest)
    sentences = where.cuts[Level.SENTENCE]
    number = bisect_left(sentences, lowest)
    if number < len(sentences) and sentences[number] < rest:
        return sentences[number]
    if _is_in(sentences, rest):
        return rest
    spaces = [place for place in range(lowest, piece.end) if text[place].isspace()]
    return spaces[0] + 1 if spaces else rest


def _is_in(cuts: tuple[int, ...], offset: int) -> bool:
    number = bisect_left(cuts, offset)
    return number < len(cuts) and cuts[number] == offset


_INK = re.compile(r"\S")
_INDENT = 16  # characters of indentation that a piece keeps before its first line


def _solid(text: str, start: int, end: int) -> int:
    """The first offset from `start` that is not blank, with the indentation of its line where that is whole."""
    ink = _INK.search(text, start, end)
    if ink is None:
        return end
    line = max(text.rfind("\n", start, ink.start()) + 1, start)
    whole = line == 0 or text[line - 1] == "\n"
    return line if whole and ink.start() - line <= _INDENT else ink.start()
