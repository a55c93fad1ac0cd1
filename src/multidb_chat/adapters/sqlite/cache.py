"""`SqliteCache`: the port `Cache` in one SQLite file that may be lost at any time."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from multidb_chat.adapters.sqlite import cache_tables as tables
from multidb_chat.adapters.sqlite.cache_schema import SCHEMA
from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.domain.cache import Count, Notification
from multidb_chat.domain.errors import InvalidInput, StoreCorrupt

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class SqliteCache:
    """The port `Cache` in the file `path`, made when it is first needed; the port's docstrings specify it.

    Writes survive the end of the process but not a power cut. A damaged file is moved to `<file>.damaged` and a new one
    made, without an error. `clock` gives epoch seconds; if it is set back by more than a minute, the values stored
    before are given up.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._database = self._open()
        self._renewing = asyncio.Lock()

    async def close(self) -> None:
        """Finish what is being written and close the file."""
        await self._database.close()

    async def get(self, key: str) -> bytes | None:
        return await self._look(lambda c: tables.get(c, key, self._clock()))

    async def put(self, key: str, value: bytes, ttl: float, account_id: str = "") -> None:
        if not ttl > 0:
            raise InvalidInput(f"A value must be kept for more than {ttl} seconds.")
        await self._write(lambda c: tables.put(c, key, value, ttl, account_id, self._clock()))

    async def delete(self, key: str) -> bool:
        return await self._write(lambda c: tables.delete(c, key, self._clock()))

    async def generation(self, *scopes: str) -> tuple[int, ...]:
        return await self._look(lambda c: tuple(tables.generation(c, scope) for scope in scopes))

    async def invalidate(self, scope: str) -> int:
        return await self._write(lambda c: tables.invalidate(c, scope))

    async def count(self, counts: Sequence[Count]) -> None:
        await self._write(lambda c: tables.count(c, counts, self._clock()))

    async def counters(self, account_id: str = "") -> Mapping[str, int]:
        return await self._read(lambda c: tables.counters(c, account_id))

    async def days(self, first: date, last: date, account_id: str = "") -> Mapping[date, Mapping[str, int]]:
        return await self._read(lambda c: tables.days(c, first, last, account_id))

    async def forget(self, account_id: str) -> None:
        await self._write(lambda c: tables.forget(c, account_id))

    async def notify(self, notification: Notification) -> None:
        await self._write(lambda c: tables.notify(c, notification))

    async def notifications(self, account_id: str, limit: int = 50) -> list[Notification]:
        return await self._read(lambda c: tables.notifications(c, account_id, limit))

    async def clear_notifications(self, account_id: str) -> int:
        return await self._write(lambda c: tables.clear_notifications(c, account_id))

    async def take_rate(self, name: str, limit: int, window: float, now: float) -> float:
        return await self._write(lambda c: tables.take_rate(c, name, limit, window, now))

    async def purge(self) -> int:
        return await self._write(lambda c: tables.purge(c, self._clock()))

    def _open(self) -> Database:
        return Database(self._path, "cache", SCHEMA, durable=False)

    async def _read(self, work: Work[T]) -> T:
        database = await self._current()
        try:
            return await database.read(work)
        except StoreCorrupt:
            return await (await self._renewed(database)).read(work)

    async def _look(self, work: Work[T]) -> T:
        database = await self._current()
        try:
            return await database.look(work)
        except StoreCorrupt:
            return await (await self._renewed(database)).look(work)

    async def _write(self, work: Work[T]) -> T:
        database = await self._current()
        try:
            return await database.write(work)
        except StoreCorrupt:
            return await (await self._renewed(database)).write(work)

    async def _current(self) -> Database:
        async with self._renewing:  # a damaged file is being put away
            return self._database

    async def _renewed(self, damaged: Database) -> Database:
        """Put the damaged file away, once for all calls that met it, and return the new one."""
        async with self._renewing:
            if self._database is damaged:
                await damaged.close()
                await asyncio.to_thread(_put_away, self._path)
                self._database = self._open()
            return self._database


def _put_away(path: Path) -> None:
    """Move the file aside, where one wrongly named as the cache can still be found; another process may be first."""
    with contextlib.suppress(FileNotFoundError):
        path.replace(f"{path}.damaged")
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
