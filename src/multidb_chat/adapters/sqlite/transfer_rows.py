"""Rows that are carried, as they lie in the tables of the embedded stores.

Every function is a piece of work inside a transaction that the caller began.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

from multidb_chat.domain.transfer import Key, Page, Row, Table, Value, diverged

# ruff: noqa: S608 - statements are put together from constants only

Connection = sqlite3.Connection
Codec = tuple[Callable[[Any], Value], Callable[[Value], Any]]
"""How a value is read from its column, and what is bound to write it; None is None in both."""
_TRUTH: Codec = (bool, int)
_TEXTS: Codec = (json.loads, lambda value: json.dumps(value, ensure_ascii=False))
_PAIRS: Codec = (
    lambda stored: tuple(json.loads(stored).items()),
    lambda value: json.dumps(dict(value), ensure_ascii=False),
)


class Rows(Protocol):
    """The rows of one table; see the port `Transfer`."""

    def page(self, connection: Connection, after: Key | None, limit: int) -> Page:
        """Return rows behind a key, in order of key."""

    def find(self, connection: Connection, keys: Sequence[Key]) -> list[Row]:
        """Return the rows of these keys."""

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add or replace rows, but for those that cannot be there yet."""

    def remove(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Remove rows."""


class PlainRows:
    """Rows that lie in the columns of one SQL table of the same name.

    `codecs` are those of columns whose values lie there otherwise; `derived` gives further columns from the values by
    column; `marks` are put in the place of a question mark where a value is bound. `unique` are the columns by which
    the file tells rows apart, where that is not the table's key.
    """

    def __init__(
        self,
        table: Table,
        codecs: Mapping[str, Codec] | None = None,
        derived: Callable[[Mapping[str, Value]], Mapping[str, Any]] = lambda _: {},
        marks: Mapping[str, str] | None = None,
        unique: tuple[str, ...] = (),
    ) -> None:
        self.table = table
        self._codecs = [
            (place, *codec) for place, codec in enumerate(_codecs(table, codecs or {})) if codec is not None
        ]
        self._derived = derived
        marks = marks or {}
        columns, key = ", ".join(table.columns), ", ".join(table.key)
        asked = ", ".join(marks.get(name, "?") for name in table.key)
        self._select = f"SELECT {columns} FROM {table.name}"
        self._behind = f"WHERE ({key}) > ({asked}) ORDER BY {key} LIMIT ?"
        self._first = f"ORDER BY {key} LIMIT ?"
        self._is = f"WHERE ({key}) = ({asked})"
        self._marks = marks
        self._unique = unique or table.key

    def page(self, connection: Connection, after: Key | None, limit: int) -> Page:
        """Return rows behind a key, in order of key."""
        if after is None:
            found = connection.execute(f"{self._select} {self._first}", (limit,))
        else:
            found = connection.execute(f"{self._select} {self._behind}", (*self._bound_key(after), limit))
        rows = [self._read(row) for row in found]
        return Page(rows, self.table.key_of(rows[-1]) if len(rows) == limit else None)

    def find(self, connection: Connection, keys: Sequence[Key]) -> list[Row]:
        """Return the rows of these keys."""
        query = f"{self._select} {self._is}"
        found = (connection.execute(query, self._bound_key(key)).fetchone() for key in keys)
        return [self._read(row) for row in found if row is not None]

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add or replace rows, but for those that another row or a missing one stands in the way of."""
        for row in rows:
            self._put(connection, row)

    def remove(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Remove rows."""
        statement = f"DELETE FROM {self.table.name} {self._is}"
        connection.executemany(statement, (self._bound_key(key) for key in keys))

    def _put(self, connection: Connection, row: Row) -> bool:
        further = self._derived(dict(zip(self.table.columns, row, strict=True)))
        columns = (*self.table.columns, *further)
        changing = [name for name in columns if name not in self._unique]
        values = ", ".join(self._marks.get(name, "?") for name in columns)
        replaced = ", ".join(f"{name} = excluded.{name}" for name in changing)
        otherwise = f"UPDATE SET {replaced}" if changing else "NOTHING"
        statement = (
            f"INSERT INTO {self.table.name} ({', '.join(columns)}) VALUES ({values})"
            f" ON CONFLICT ({', '.join(self._unique)}) DO {otherwise}"
        )
        try:
            connection.execute(statement, (*self._written(row), *further.values()))
        except sqlite3.IntegrityError:
            return False
        return True

    def _read(self, row: Iterable[Any]) -> Row:
        values = list(row)
        for place, read, _ in self._codecs:
            if values[place] is not None:
                values[place] = read(values[place])
        return tuple(values)

    def _written(self, row: Row) -> list[Any]:
        values = list(row)
        for place, _, write in self._codecs:
            if values[place] is not None:
                values[place] = write(values[place])
        return values

    def _bound_key(self, key: Key) -> list[Any]:
        places = {place: write for place, _, write in self._codecs}
        return [places[place](value) if place in places else value for place, value in enumerate(key)]


class AppendedRows(PlainRows):
    """Rows that are added and never changed."""

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add the rows that are not there. Raises `Conflict` where another one is."""
        there = {self.table.key_of(row): row for row in self.find(connection, [self.table.key_of(row) for row in rows])}
        for row in rows:
            stored = there.get(self.table.key_of(row))
            if stored is None:
                columns = ", ".join(self.table.columns)
                values = ", ".join("?" * len(row))
                statement = f"INSERT INTO {self.table.name} ({columns}) VALUES ({values})"
                connection.execute(statement, self._written(row))
            elif stored != row:
                raise diverged(self.table)

    def remove(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Raise `Conflict`."""
        raise diverged(self.table)


def _codecs(table: Table, given: Mapping[str, Codec]) -> list[Codec | None]:
    types = {field.name: field.type for field in fields(table.record)} if table.record else {}
    texts = _PAIRS if table.appended else _TEXTS
    by_type: dict[Any, Codec] = {bool: _TRUTH, Mapping[str, str]: texts}
    return [given.get(name, by_type.get(types.get(name))) for name in table.columns]
