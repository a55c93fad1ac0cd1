"""Rows of cells as lines of text that answer questions: each row says by itself which column a value is in."""

import re
from collections.abc import Iterable, Iterator, Sequence

from multidb_chat.adapters.readers.drafting import Draft

# Blocks of long tables end after so many characters: a million rows are no single piece of structure.
_BLOCK = 8000
_VALUE = re.compile(r"[\s\d.,:%€$£¥()/+-]+|(?i:true|false|yes|no|n/?a|null|none)")
_SPACE = re.compile(r"\s+")


def add_table(
    draft: Draft, rows: Iterable[Sequence[str]], *, header: bool | None = None, page: int | None = None
) -> None:
    """Append a table to a draft. `header` tells whether the first row names the columns; None: judge by its looks."""
    lines: list[str] = []
    length = 0
    for line in table_lines(rows, header=header):
        lines.append(line)
        length += len(line)
        if length > _BLOCK:
            draft.add("\n".join(lines), "table", page=page)
            lines, length = [], 0
    draft.add("\n".join(lines), "table", page=page)


def table_lines(rows: Iterable[Sequence[str]], *, header: bool | None = None) -> Iterator[str]:
    """Yield one line a row: `Column: value; Column: value` below a header, else `value | value`. Empty cells go."""
    cleaned = ([_SPACE.sub(" ", cell).strip() for cell in row] for row in rows)
    filled = (cells for cells in cleaned if any(cells))
    first = next(filled, None)
    if first is None:
        return
    second = next(filled, None)
    if second is None or header is False or not (header or looks_like_header(first)):
        yield _line(first, None)
        names = None
    else:
        names = first
    if second is not None:
        yield _line(second, names)
    for cells in filled:
        yield _line(cells, names)


def looks_like_header(cells: Sequence[str]) -> bool:
    """Tell whether a row names columns: two or more different short texts, none of them a figure."""
    named = [cell for cell in cells if cell]
    return (
        len(named) >= 2
        and len(named) >= len(cells) - 1
        and len(set(named)) == len(named)
        and all(len(cell) <= 80 and not _VALUE.fullmatch(cell) for cell in named)
    )


def _line(cells: Sequence[str], names: Sequence[str] | None) -> str:
    if names is None:
        return " | ".join(cell for cell in cells if cell)
    parts = []
    for place, cell in enumerate(cells):
        name = names[place] if place < len(names) else ""
        if cell:
            parts.append(f"{name}: {cell}" if name else cell)
    return "; ".join(parts)
