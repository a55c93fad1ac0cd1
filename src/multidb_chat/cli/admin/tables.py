"""How lists look in the commands for administrators, and small parts of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import typer

from multidb_chat.cli.console import Console, Styled
from multidb_chat.cli.listing import write_table
from multidb_chat.domain.text import clean_line

_SHORT = 8


def short(identifier: str) -> str:
    """Return the end of an identifier, which tells it from others as the beginning does not: that is its time."""
    return identifier[-_SHORT:]


def when(at: datetime | None) -> str:
    """Return a time to the minute, in UTC; a dash for none."""
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M}"


def entries(number: int) -> str:
    """Return a number of entries in words: `1 entry`, `1,200 entries`."""
    return "1 entry" if number == 1 else f"{number:,} entries"


def write_rows(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]], strong: int = 0) -> None:
    """Write a table for people: names of the columns on a terminal, then the rows."""
    shown = [[clean_line(cell) for cell in row] for row in rows]
    if console.out_is_terminal:
        shown.insert(0, list(heads))
    write_table(console, shown, strong=strong)


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
