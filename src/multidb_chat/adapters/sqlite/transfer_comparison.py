"""`SqliteComparison`: the port `Comparison` in a temporary SQLite database, which nobody else sees."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from multidb_chat.domain.transfer import Counts, Difference, Digest, Key, Mark, Side

# ruff: noqa: S608 - statements are put together from constants only

T = TypeVar("T")
_TABLES = """
DROP TABLE IF EXISTS source;
DROP TABLE IF EXISTS target;
CREATE TABLE source (key TEXT PRIMARY KEY, mark BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE target (key TEXT PRIMARY KEY, mark BLOB NOT NULL) WITHOUT ROWID;
"""
_DIFFERING: dict[Difference, str] = {
    "missing": "source AS one LEFT JOIN target AS other USING (key) WHERE other.key IS NULL",
    "changed": "source AS one JOIN target AS other USING (key) WHERE other.mark != one.mark",
    "vanished": "target AS one LEFT JOIN source AS other USING (key) WHERE other.key IS NULL",
}


class SqliteComparison:
    """Keys and fingerprints lie in a file that the system removes with the process, however that ends."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="comparison")
        self._connection: sqlite3.Connection | None = None

    async def begin(self) -> None:
        """Forget everything."""
        await self._run(lambda c: c.executescript(_TABLES))

    async def note(self, side: Side, marks: Sequence[Mark]) -> None:
        """Remember rows of one side."""
        statement = f"INSERT OR REPLACE INTO {side} VALUES (?, ?)"
        await self._run(lambda c: c.executemany(statement, [(_written(key), mark) for key, mark in marks]))

    async def forget(self, side: Side, keys: Sequence[Key]) -> None:
        """Forget rows of one side."""
        statement = f"DELETE FROM {side} WHERE key = ?"
        await self._run(lambda c: c.executemany(statement, [(_written(key),) for key in keys]))

    async def counts(self) -> Counts:
        """Return how many rows there are and differ."""
        queries = [
            *(f"SELECT count(*) FROM {side}" for side in ("source", "target")),
            *(f"SELECT count(*) FROM {differing}" for differing in _DIFFERING.values()),
        ]
        return await self._run(lambda c: Counts(*(c.execute(query).fetchone()[0] for query in queries)))

    async def keys(self, difference: Difference, after: Key | None, limit: int) -> list[Key]:
        """Return keys of rows that differ, in order of what is kept of them."""
        query = f"SELECT key FROM {_DIFFERING[difference]} AND key > ? ORDER BY key LIMIT ?"
        behind = "" if after is None else _written(after)
        found = await self._run(lambda c: c.execute(query, (behind, limit)).fetchall())
        return [tuple(json.loads(row[0])) for row in found]

    async def digest(self, side: Side) -> Digest:
        """Return what the whole table of one side is."""

        def added(connection: sqlite3.Connection) -> Digest:
            marks = connection.execute(f"SELECT mark FROM {side}")
            return Digest().with_fingerprints(row[0] for row in marks)

        return await self._run(added)

    async def close(self) -> None:
        """Remove the file."""
        if self._connection is not None:
            await self._run(lambda c: c.close())
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def done() -> T:
            if self._connection is None:  # a database without a name is a temporary file, unlinked from the start
                self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
                self._connection.execute("PRAGMA synchronous = OFF")
                self._connection.execute("PRAGMA journal_mode = OFF")
            return work(self._connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, done)


def _written(key: Key) -> str:
    return json.dumps(key)
