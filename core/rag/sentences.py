"""Sentences of a Markdown text, with where they stand: what can be quoted, and what a claim is held against.

A row of a table or an item of a list says little alone; `said` is it as it can stand without what is around it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from core.rag.cutting import Level, Table, places

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
    edges = sorted({0, len(whole), *chain(*found.cuts)})
    heading = opening = ""
    blocks = set(found.cuts[Level.BLOCK])
    sentences: list[Sentence] = []
    for start, end in pairwise(edges):
        bare, table = whole[start:end].strip(), _table(found.tables, start)
        if title := _HEADING.match(bare):
            heading, opening = title[1], ""
            bare = bare[title.end() :].strip()
        if table:
            head = _cells(whole[table.start : table.header])
            rows = whole[max(start, table.header) : end]
            if rows.strip() and max(start, table.header) >= shift:
                start = max(start, table.header)
                sentences.append(Sentence(start - shift, start - shift + len(rows.rstrip()), _row(head, rows), heading))
        elif _says(bare):
            item = _ITEM.match(bare)
            above = opening if item and opening else heading
            begin = whole.index(bare, start) + (item.end() if item else 0)
            sentences += _pieces(whole, begin, start + len(whole[start:end].rstrip()), above, shift)
            if not item and (start in blocks or bare.endswith(":")):
                opening = bare if bare.endswith(":") else ""
    return tuple(sentences)


_HEADING = re.compile(r"#{1,6}[ \t]+([^\n]+?)[ \t#]*(?:\n|$)")
_ITEM = re.compile(r"(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")


def _table(tables: tuple[Table, ...], offset: int) -> Table | None:
    number = bisect_right(tables, offset, key=lambda table: table.start) - 1
    return tables[number] if number >= 0 and offset < tables[number].end else None


def _says(text: str) -> bool:
    """Whether there is a word in it: a rule or a fence is none."""
    return any(char.isalnum() for char in text) and not text.startswith(("```", "~~~"))


def _cells(row: str) -> tuple[str, ...]:
    first = row.strip().partition("\n")[0]
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", first.removeprefix("|").removesuffix("|")))


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
