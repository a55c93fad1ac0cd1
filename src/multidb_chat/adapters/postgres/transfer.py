"""`PostgresTransfer`: the port `Transfer` for the accounts on a PostgreSQL server."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from psycopg import AsyncConnection

from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.errors import Violated
from multidb_chat.domain.transfer import Key, Origin, Page, Row, Table, Value, diverged, micros, moment
from multidb_chat.domain.transfer_tables import ACCOUNTS, ACCOUNTS_TABLES, ATTEMPTS, USAGE

# ruff: noqa: S608 - statements are put together from constants only

_PATIENCE = 60.0
"""Seconds that a page of rows may take: results of tasks may be long."""
_Codec = tuple[Callable[[Any], Value], Callable[[Value], Any]]
_TIME: _Codec = (micros, moment)
_DAY: _Codec = (date.isoformat, str)
_TEXTS: _Codec = (json.loads, lambda value: json.dumps(value, ensure_ascii=False))
_PAIRS: _Codec = (
    lambda stored: tuple(json.loads(stored).items()),
    lambda value: json.dumps(dict(value), ensure_ascii=False),
)
_BESIDES: dict[tuple[str, str], _Codec] = {
    (USAGE.name, "period"): _DAY,
    (ATTEMPTS.name, "last_at"): _TIME,
    (ATTEMPTS.name, "not_before"): _TIME,
}


class PostgresTransfer:
    """Carries the rows of the accounts and of what lies beside them, in order of key. `database` is closed with it."""

    store = "accounts"
    tables = ACCOUNTS_TABLES

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = {table.name: _Statements(table) for table in self.tables}

    async def origin(self) -> Origin | None:
        """Return where the store comes from."""
        return Origin(*(await self._database.fetch("SELECT value, moves FROM identity"))[0])

    async def adopt(self, origin: Origin) -> None:
        """Become what a store is carried to."""
        await self._database.apply("UPDATE identity SET value = %s, moves = %s", *origin)

    async def rows(self, table: Table, after: Key | None = None, limit: int = 500) -> Page:
        """Return rows behind a key, in order of key."""
        rows = await self._read(table, *self._rows[table.name].page(after, limit))
        return Page(rows, table.key_of(rows[-1]) if len(rows) == limit else None)

    async def find(self, table: Table, keys: Sequence[Key]) -> list[Row]:
        """Return the rows of these keys."""
        statements = self._rows[table.name]

        async def work(connection: AsyncConnection) -> list[tuple[Any, ...]]:
            async with connection.pipeline():  # one exchange for all of them
                cursors = [await connection.execute(statements.one, key) for key in keys]
            return [row for cursor in cursors for row in await cursor.fetchall()]

        return [statements.read(row) for row in await self._database.read(work, _PATIENCE)]

    async def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Add or replace rows, all at once where none stands in the way of another. Raises `Conflict`."""
        rows = await self._new(table, rows) if table.appended else rows
        statements = self._rows[table.name]
        values = [statements.written(row) for row in rows]

        async def work(connection: AsyncConnection) -> None:
            await connection.cursor().executemany(statements.put, values)

        try:
            if values:
                await self._database.write(work, _PATIENCE)
        except Violated:
            for one in values:
                await self._put_if_possible(statements.put, one)

    async def remove(self, table: Table, keys: Sequence[Key]) -> None:
        """Remove rows at once. Raises `Conflict`."""
        if table.appended:
            raise diverged(table)
        statement = self._rows[table.name].remove

        async def work(connection: AsyncConnection) -> None:
            await connection.cursor().executemany(statement, keys)

        await self._database.write(work, _PATIENCE)

    async def close(self) -> None:
        """Close all connections."""
        await self._database.close()

    async def _put_if_possible(self, statement: str, values: Sequence[Any]) -> None:
        try:
            await self._database.apply(statement, *values)
        except Violated:  # it refers to what is not there, or something of it is taken
            return

    async def _new(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that are not there yet. Raises `Conflict` for those that are there and others."""
        there = {table.key_of(row): row for row in await self.find(table, [table.key_of(row) for row in rows])}
        if any(there.get(table.key_of(row), row) != row for row in rows):
            raise diverged(table)
        return [row for row in rows if table.key_of(row) not in there]

    async def _read(self, table: Table, query: str, parameters: Sequence[Any]) -> list[Row]:
        async def work(connection: AsyncConnection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(query, parameters)).fetchall()

        return [self._rows[table.name].read(row) for row in await self._database.read(work, _PATIENCE)]


class _Statements:
    """How the rows of a table lie in the columns of the same names."""

    def __init__(self, table: Table) -> None:
        columns, key = ", ".join(table.columns), ", ".join(table.key)
        marks = ", ".join(["%s"] * len(table.key))
        self._table = table
        self._select = f"SELECT {columns} FROM {table.name}"
        self._order = f"ORDER BY {key} LIMIT %s"
        self._behind = f"WHERE ({key}) > ({marks})"
        self._codecs = [(place, codec) for place, codec in enumerate(_codecs(table)) if codec is not None]
        self.one = f"{self._select} WHERE ({key}) = ({marks})"
        self.remove = f"DELETE FROM {table.name} WHERE ({key}) = ({marks})"
        self.put = _put(table)

    def page(self, after: Key | None, limit: int) -> tuple[str, tuple[Any, ...]]:
        """Return the query for rows behind a key, and its parameters."""
        if after is None:
            return f"{self._select} {self._order}", (limit,)
        return f"{self._select} {self._behind} {self._order}", (*after, limit)

    def read(self, row: Sequence[Any]) -> Row:
        """Return a row as it is in every store."""
        values = list(row)
        for place, (read, _) in self._codecs:
            if values[place] is not None:
                values[place] = read(values[place])
        return tuple(values)

    def written(self, row: Row) -> list[Any]:
        """Return the parameters of `put`."""
        values = list(row)
        for place, (_, write) in self._codecs:
            if values[place] is not None:
                values[place] = write(values[place])
        if self._table is ACCOUNTS:
            email = row[ACCOUNTS.columns.index("email")]
            values.append(None if email is None else email.casefold())
        return values


def _put(table: Table) -> str:
    columns = (*table.columns, "email_key") if table is ACCOUNTS else table.columns
    changing = [name for name in columns if name not in table.key]
    replaced = ", ".join(f"{name} = excluded.{name}" for name in changing)
    conflict = "" if table.appended else f"ON CONFLICT ({', '.join(table.key)}) DO"
    otherwise = "" if table.appended else f"UPDATE SET {replaced}" if changing else "NOTHING"
    values = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({values}) {conflict} {otherwise}"


def _codecs(table: Table) -> list[_Codec | None]:
    types = {field.name: field.type for field in fields(table.record)} if table.record else {}
    texts = _PAIRS if table.appended else _TEXTS
    by_type: dict[Any, _Codec] = {datetime: _TIME, datetime | None: _TIME, Mapping[str, str]: texts}
    return [_BESIDES.get((table.name, name), by_type.get(types.get(name))) for name in table.columns]
