"""A text in pieces of about one size, each cut where it reads best: between blocks, rows, items, sentences, words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from core.rag.places import Level, Places, places

# A part below this is not cut off, be it the end of a section or what stands before a table that fits.
LEAST = 150  # characters
# No bound makes a piece smaller than this.
SMALLEST = 80


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
