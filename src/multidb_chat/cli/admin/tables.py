"""How lists look in the commands for administrators, and small parts of them."""

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import typer

from multidb_chat.cli.console import Console, Styled
from multidb_chat.cli.listing import write_table
from multidb_chat.domain.ids import made_at
from multidb_chat.domain.text import clean_line

_SHORT = 8
_NARROW = 24  # characters that the last column of a table has at least
_LEAST = 8


def short(identifier: str) -> str:
    """Return the end of an identifier, which tells it from others as the beginning does not: that is its time."""
    return identifier[-_SHORT:]


def when(at: datetime | None) -> str:
    """Return a time to the minute, in UTC; a dash for none."""
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M}"


def brief(target: str) -> str:
    """Return what an entry of the audit log is about, an identifier by its end."""
    return short(target) if made_at(target) else target


def write_rows(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]], strong: int = 0) -> None:
    """Write a table. On a terminal it has a line of names, fits into the width, and the last column is wrapped."""
    shown = [[clean_line(cell) for cell in row] for row in rows]
    if not console.out_is_terminal:
        write_table(console, shown, strong=strong)
        return
    widths = _fitted([list(heads), *shown], shutil.get_terminal_size().columns)
    _write_row(console, heads, widths, ["faint"] * len(heads))
    for row in shown:
        _write_row(console, row, widths, ["strong" if at == strong else "" for at in range(len(row))])


def _fitted(rows: Sequence[Sequence[str]], columns: int) -> list[int]:
    """Return widths that fit: the last column takes what is left, and the widest of the others are cut for it."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    gaps = 2 * (len(widths) - 1)
    last = min(widths[-1], _NARROW)
    while sum(widths[:-1]) + gaps + last > columns and max(widths[:-1]) > _LEAST:
        widths[widths.index(max(widths[:-1]))] -= 1
    return [*widths[:-1], max(last, columns - sum(widths[:-1]) - gaps)]


def _write_row(console: Console, row: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> None:
    parts: list[str | Styled] = []
    for cell, width, style in zip(row[:-1], widths, styles, strict=False):
        cut = cell if len(cell) <= width else cell[: width - 1] + "…"
        parts.append(_styled(f"{cut:<{width}}  ", style))
    indent = sum(widths[:-1]) + 2 * (len(widths) - 1)
    for number, line in enumerate(textwrap.wrap(row[-1], widths[-1]) or [""]):
        console.write(*(parts if not number else [" " * indent]), _styled(line, styles[-1]))


def _styled(text: str, style: str) -> str | Styled:
    return Styled(text, style) if style else text


def write_paragraph(console: Console, first: Sequence[str | Styled], indent: int, text: str, style: str = "") -> None:
    """Write a text behind the beginning of its line, on a terminal wrapped into its width."""
    width = max(_NARROW, shutil.get_terminal_size().columns - indent) if console.out_is_terminal else len(text) + 1
    for number, line in enumerate(textwrap.wrap(clean_line(text), width) or [""]):
        console.write(*(first if not number else [" " * indent]), _styled(line, style))


def write_fields(console: Console, fields: Mapping[str, object]) -> None:
    """Write what is known of one thing, a line a field; what is empty is left out."""
    width = max((len(name) for name in fields), default=0) + 2
    for name, value in fields.items():
        if value not in (None, ""):
            console.write(Styled(f"{name:<{width}}", "faint"), clean_line(str(value)))


def parsed_day(context: typer.Context, option: str, text: str) -> date:
    """Return the day that an option says (2026-11-25). Raises a usage error."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        wrong = f"{text!r} is no day; write it as 2026-11-25"
        raise typer.BadParameter(wrong, ctx=context, param_hint=option) from None
