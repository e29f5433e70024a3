"""Tables: XLSX workbooks and CSV files. A sheet is a page with a heading, and a table whose first row is its header.

markitdown reads workbooks through pandas, which rounds figures to six digits and fills what is empty with NaN.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

from core.reading.text import Refused, Text, table, whole

MOST_CELLS = 1_000_000


def read_csv(text: str) -> Text:
    """A CSV file, whatever parts its columns. Raises Refused."""
    csv.field_size_limit(1_000_000)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:10_000], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        return whole([table(csv.reader(StringIO(text, newline=""), dialect))])
    except csv.Error as error:
        raise Refused("it is no table") from error


def read_xlsx(data: bytes) -> Text:
    """The sheets of a workbook, formulas as their last results. Raises Refused."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    notes: list[str] = []
    return whole(_sheets(book, notes), str(book.properties.title or ""), notes)


def _sheets(book: Any, notes: list[str]) -> Iterator[str]:
    left = MOST_CELLS
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        # What a sheet says about its own size may be a million rows that are not there.
        sheet.reset_dimensions()
        rows: list[list[str]] = []
        for row in sheet.iter_rows():
            left -= len(row)
            if left < 0:
                notes.append(f"Only the first {MOST_CELLS:,} cells were read.")
                break
            rows.append([_written(cell) for cell in row])
        written = table(rows)
        if written:
            yield f"## {sheet.title}\n\n{written}"


def _written(cell: Any) -> str:
    """A cell as a reader sees it, as far as figures go: a share as per cent, a whole number without a point."""
    value = cell.value
    match value:
        case None:
            return ""
        case datetime.datetime():
            return value.isoformat(" ").removesuffix(" 00:00:00")
        case float() | int() if not isinstance(value, bool):
            share = "%" in str(cell.number_format)
            return f"{value * 100:.10g} %" if share else f"{value:.15g}"
    return str(value)
