"""A PostgreSQL server behind an async facade: a pool, deadlines, transactions that are written once, domain errors.

A store is written on top of it like this::

    class PostgresThings:
        def __init__(self, database: Database) -> None:
            self._database = database

        async def thing(self, thing_id: str) -> str | None:                  # one statement, one round trip
            rows = await self._database.fetch("SELECT body FROM things WHERE id = %s", thing_id)
            return rows[0][0] if rows else None

        async def put(self, thing_id: str, body: str) -> None:               # harmless when it is done twice
            await self._database.apply(
                "INSERT INTO things VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET body = excluded.body", thing_id, body
            )

        async def rename(self, thing_id: str, other: str) -> None:           # once, whatever happens to the connection
            async def work(connection: AsyncConnection) -> None:
                ...
            await self._database.write(work)

Nothing happens before the first call: no connection, no task.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from multidb_chat.adapters.postgres.deadlines import Calls
from multidb_chat.adapters.postgres.errors import REPEATABLE, is_lost, translated
from multidb_chat.adapters.postgres.migrations import MIGRATING_TIMEOUT, migrate
from multidb_chat.adapters.postgres.pool import new_pool
from multidb_chat.adapters.postgres.schema import MIGRATIONS
from multidb_chat.adapters.postgres.server import server_at
from multidb_chat.adapters.postgres.transactions import Row, Transaction, Unsettled, Work, fate, look, settle, statement
from multidb_chat.domain.errors import StoreUnavailable

T = TypeVar("T")

PATIENCE = 4.5
"""Seconds until a call gives up. The server ends a statement by itself at 5: nobody waits for it any more."""

_PAUSES = (0.01, 0.05, 0.2)
"""Seconds between the attempts of a call that others were in the way of, or whose connection was lost."""

_CLOSING = 5.0


class Database:
    """The server at `url`, shared by the stores that live there; `store` names it in errors.

    `patience` is how many seconds a call may take. All methods raise what the work raises, `StoreUnavailable`,
    `StoreFull`, `StoreCorrupt`, `SchemaTooNew`, `InvalidInput` for what cannot be stored, and `Violated` where a
    constraint of the schema refused a write that did not judge it itself.

    A call that was undone by the server for the sake of others (serialisation, deadlock), or lost its connection before
    it was committed, is repeated, so that a server that restarts is hardly noticed. Cancelling a call returns at once;
    what it was doing is done whole or not at all.
    """

    def __init__(
        self, url: str, *, store: str = "accounts", migrations: Sequence[str] = MIGRATIONS, patience: float = PATIENCE
    ) -> None:
        self.server = server_at(url)
        self.store = store
        self._migrations = migrations
        self._patience = patience
        self._calls = Calls()
        self._behind = Calls()  # what calls start and share, and what they leave to be done behind them
        self._pool: AsyncConnectionPool[AsyncConnection] | None = None
        self._opening: asyncio.Task[AsyncConnectionPool[AsyncConnection]] | None = None
        self._knocking: asyncio.Task[None] | None = None
        self._served_at = 0.0
        self._closed = False

    async def fetch(self, query: str, *parameters: Any, **named: Any) -> list[Row]:
        """Return the rows of one statement that only reads; its parameters are `%s`, or all of them `%(name)s`."""
        return await self._call(self._repeated(lambda c: statement(c, query, named or parameters)))

    async def apply(self, change: str, *parameters: Any, **named: Any) -> list[Row]:
        """Run one statement that writes and that is harmless when it is done twice; return its rows (RETURNING).

        One round trip: it commits itself. It is repeated when its connection is lost, so it must be idempotent by its
        keys, and its rows must mean the same the second time.
        """
        return await self._call(self._repeated(lambda c: statement(c, change, named or parameters)))

    async def once(self, change: str, *parameters: Any, **named: Any) -> list[Row]:
        """Run one statement that writes, once, as `write` does; return its rows (RETURNING)."""
        return await self.write(lambda c: statement(c, change, named or parameters))

    async def read(self, work: Work[T], seconds: float | None = None) -> T:
        """Run the work, which only reads, and return its result; all its statements see one committed state.

        `seconds`: how long the call, and each of its statements, may take, where the usual is not enough.
        """
        return await self._call(self._repeated(lambda c: look(c, work, seconds)), seconds)

    async def write(self, work: Work[T], seconds: float | None = None) -> T:
        """Run the work in a transaction, commit, and return its result once it is on the server's disk.

        The work runs statements, never BEGIN, COMMIT or ROLLBACK, and changes nothing but the database, for it may run
        more than once; what it did is there once. Where the connection is lost during the commit, the server is asked
        what became of it; if there is no answer in time, `StoreUnavailable` says so. `seconds` as in `read`.
        """
        return await self._call(self._repeated(lambda c: settle(c, work, seconds)), seconds)

    async def close(self) -> None:
        """Finish what runs and close all connections; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._calls.finish(_CLOSING)
        await self._behind.finish(0)
        if self._pool is not None:
            pool, self._pool = self._pool, None
            with contextlib.suppress(TimeoutError, psycopg.Error):  # where no server answers, they end with the program
                await Calls().within(_CLOSING, pool.close(timeout=1))

    async def _call(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        if self._closed:
            work.close()
            raise StoreUnavailable(self.store, f"The {self.store} store is closed.")
        patience = self._patience if seconds is None else seconds
        try:
            return await self._calls.within(patience, work)
        except TimeoutError:
            place = f"The {self.store} store at {self.server.where}"
            raise StoreUnavailable(self.store, f"{place} did not answer within {patience:g} s.") from None
        except Exception as error:  # noqa: BLE001 - raised again, as what it means
            meaning = translated(error, self.store, self.server.where)
            raise meaning from error if meaning is not error else error.__cause__

    async def _repeated(self, attempt: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        for pause in _PAUSES:
            try:
                return await self._attempt(attempt)
            except _Repeat:
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - keeps racers apart
        try:
            return await self._attempt(attempt)
        except _Repeat as repeat:
            raise repeat.error from None

    async def _attempt(self, attempt: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Make one attempt. Raises `_Repeat` where nothing came of it and another one may go through."""
        try:
            return await self._on_a_connection(attempt)
        except Unsettled as unsettled:
            if await self._is_committed(unsettled.transaction):
                return unsettled.result  # type: ignore[no-any-return]
            raise _Repeat(unsettled.__cause__ or unsettled) from None

    async def _on_a_connection(self, attempt: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        pool = await self._opened()
        connection = await self._connection(pool)
        try:
            return await attempt(connection)
        except psycopg.Error as error:
            if is_lost(error, connection):
                await connection.close()
            elif error.sqlstate not in REPEATABLE:
                raise
            raise _Repeat(error) from None
        finally:  # a call that is cancelled here must not take the connection with it
            await asyncio.shield(self._behind.begin(pool.putconn(connection)))

    async def _connection(self, pool: AsyncConnectionPool[AsyncConnection]) -> AsyncConnection:
        clock = asyncio.get_running_loop().time
        try:
            connection = await pool.getconn()
        except PoolTimeout:
            if clock() - self._served_at > pool.timeout:  # nobody was served meanwhile: it is not that many ask
                await self._knock()
            raise
        self._served_at = clock()
        return connection

    async def _knock(self) -> None:
        """Make a connection, to raise what keeps the pool from making any; together with all others who wonder."""
        if self._knocking is None or self._knocking.done():
            self._knocking = self._behind.begin(self._connect_once())
        await asyncio.shield(self._knocking)

    async def _connect_once(self) -> None:
        await (await self.server.connect()).close()

    async def _is_committed(self, transaction: Transaction) -> bool:
        """Ask what became of a transaction until it is decided. Raises `StoreUnavailable` where nobody can know."""
        while True:
            became = await self._repeated(lambda c: fate(c, transaction))
            if became != "in progress":
                break
            await asyncio.sleep(0.05)
        if became is None:
            place = f"The server of the {self.store} store at {self.server.where}"
            raise StoreUnavailable(self.store, f"{place} was replaced meanwhile: see whether the last change is there.")
        return became == "committed"

    async def _opened(self) -> AsyncConnectionPool[AsyncConnection]:
        """Return the pool, opened at the first call; calls that come meanwhile wait for the same opening."""
        if self._pool is not None:
            return self._pool
        if self._opening is None or self._opening.done():
            self._opening = self._behind.begin(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> AsyncConnectionPool[AsyncConnection]:
        await self._behind.within(MIGRATING_TIMEOUT, self._migrate())
        self._pool = await new_pool(self.server)
        return self._pool

    async def _migrate(self) -> None:
        connection = await self.server.connect()
        try:
            await migrate(connection, self.server, self.store, self._migrations)
        finally:
            await connection.close()


class _Repeat(Exception):
    """Nothing came of an attempt, and another one may go through."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error
