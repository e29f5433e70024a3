"""Sentences of a Markdown text, with where they stand: what can be quoted, and what a claim is held against.

A row of a table or an item of a list says little alone; `said` is it as it can stand without what is around it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from core.rag.places import Level, Places, Table, places

LONGEST = 600  # characters of one sentence; what is longer is cut between words


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, a list item, a line of code or a table's row: `text[start:end]` of the text it was cut from.

    `said` is it in one line as it can stand alone: a row with the names of its columns. `lead` is what it stands
    under: a heading, or the line that opens its list.
    """

    start: int
    end: int
    said: str
    lead: str = ""


def sentences(text: str, lead: str = "") -> tuple[Sentence, ...]:
    """Every sentence of `text` in order. Headings and a table's head are no sentences but the lead of others.

    `lead` is what belongs before the text and is not in it: the head of the table whose rows it goes on with.
    """
    whole, shift = lead + text, len(lead)
    found = places(whole, 0, len(whole))
    blocks = set(found.cuts[Level.BLOCK])
    heading = opening = ""
    sentences: list[Sentence] = []
    for start, end in _parts(whole, found):
        bare, table = whole[start:end].strip(), _table(found.tables, start)
        if title := _HEADING.match(bare):
            heading, opening = title[1], ""
            bare = bare[title.end() :].strip()
        if table:
            sentences += _rows(whole, table, start, end, heading, shift)
        elif any(char.isalnum() for char in bare) and not bare.startswith(("```", "~~~")):
            item = _ITEM.match(bare)
            above = opening if item and opening else heading
            begin = whole.index(bare, start) + (item.end() if item else 0)
            sentences += _pieces(whole, begin, start + len(whole[start:end].rstrip()), above, shift)
            if not item and (start in blocks or bare.endswith(":")):
                opening = bare if bare.endswith(":") else ""
    return tuple(sentences)


def _parts(text: str, found: Places) -> Iterator[tuple[int, int]]:
    """The spans between places, an item's number never parted from the item."""
    start = 0
    for end in sorted({len(text), *chain(*found.cuts)}):
        if end > start and not _NUMBER.fullmatch(text, start, end):
            yield start, end
            start = end


_NUMBER = re.compile(r"\s*\d{1,3}[.)]\s*")
_HEADING = re.compile(r"#{1,6}[ \t]+([^\n]+?)[ \t#]*(?:\n|$)")
_ITEM = re.compile(r"(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")


def _table(tables: tuple[Table, ...], offset: int) -> Table | None:
    number = bisect_right(tables, offset, key=lambda table: table.start) - 1
    return tables[number] if number >= 0 and offset < tables[number].end else None


def _cells(row: str) -> tuple[str, ...]:
    first = row.strip().partition("\n")[0]
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", first.removeprefix("|").removesuffix("|")))


def _rows(text: str, table: Table, start: int, end: int, lead: str, shift: int) -> Iterator[Sentence]:
    """The row at `start`; none where the head of the table is all there is, or stands before the text itself."""
    head, start = _cells(text[table.start : table.header]), max(start, table.header)
    row = text[start:end].rstrip()
    if row.strip() and start >= shift:
        yield Sentence(start - shift, start - shift + len(row), _row(head, row), lead)


def _row(head: tuple[str, ...], row: str) -> str:
    """A row as "HR-300: range 0.5–30 m; price £1,840"."""
    first, *cells = _cells(row)
    named = [
        f"{name} {cell}".strip() for name, cell in zip((*head[1:], *([""] * len(cells))), cells, strict=False) if cell
    ]
    return _plain(": ".join(filter(None, (first, "; ".join(named)))))


def _plain(text: str) -> str:
    return " ".join(text.replace("**", "").split())


def _pieces(text: str, start: int, end: int, lead: str, shift: int) -> Iterator[Sentence]:
    """The sentence, or parts of it when it is too long to be one."""
    for part in re.finditer(rf"\S.{{0,{LONGEST - 1}}}(?=\s|$)|\S{{1,{LONGEST}}}", text[start:end], re.DOTALL):
        begin = start + part.start() - shift
        yield Sentence(begin, begin + len(part[0].rstrip()), _plain(part[0]), lead)
