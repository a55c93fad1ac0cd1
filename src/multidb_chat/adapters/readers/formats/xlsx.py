"""Excel: a sheet is a page under its name; each row says which column a value is in."""

import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any

from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.packages import core_properties, office_facts, opened
from multidb_chat.adapters.readers.source import Source
from multidb_chat.adapters.readers.tables import add_table, looks_like_header
from multidb_chat.domain.reading import ParsedDocument

# How far down a sheet its header may stand, below titles and remarks.
_HEADER_WITHIN = 15


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the workbook; formulas give the values last calculated."""
    with opened(source) as package:
        for member in package.members():
            source.budget.spend(member.file_size)
        facts = office_facts(core_properties(package))
    draft = Draft()
    pages = _add_sheets(draft, source)
    yield finished(source, "xlsx", draft.text, draft.blocks, pages=pages, **facts)


def _add_sheets(draft: Draft, source: Source) -> int:
    import openpyxl

    source.file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns of every extension that it does not know.
        book = openpyxl.load_workbook(source.file, read_only=True, data_only=True)
        try:
            for page, sheet in enumerate(book.worksheets, start=1):
                sheet.reset_dimensions()  # Some writers state too few rows.
                _add_sheet(draft, sheet.title, _rows(sheet), page)
            return len(book.worksheets)
        finally:
            book.close()


def _add_sheet(draft: Draft, title: str, rows: Iterator[list[str]], page: int) -> None:
    filled = (row for row in rows if any(row))
    first = list(islice(filled, _HEADER_WITHIN))
    if first:
        draft.add(title, "heading", level=1, page=page)
    header = _header_row(first)
    for row in first[: header or 0]:
        draft.add(" | ".join(cell for cell in row if cell), page=page)
    add_table(draft, chain(first[header or 0 :], filled), header=header is not None, page=page)


def _header_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Return which of the first rows names the columns: the first that looks so and is as wide as the rows below."""
    for place, row in enumerate(rows[:-1]):
        below = [sum(map(bool, other)) for other in rows[place + 1 :]]
        named = [cell for cell in row if cell]
        if looks_like_header(named) and len(named) + 1 >= sorted(below)[len(below) // 2]:
            return place
    return None


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [_shown(cell) for cell in row]


def _shown(cell: Any) -> str:
    """Return a cell as a person reads it: percentages, whole numbers and dates as they are shown in the sheet."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, float):
        if "%" in (cell.number_format or ""):
            return f"{value * 100:.10g}%"
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes") if value.time() != time.min else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta | bool):
        return str(value).lower()
    return str(value)
