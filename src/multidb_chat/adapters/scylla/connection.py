"""A cluster behind an async facade: prepared statements, pages, lightweight transactions, deadlines, domain errors.

A store is written on top of it like this::

    class ScyllaThings:
        def __init__(self, connection: Connection) -> None:
            self._connection = connection

        async def thing(self, thing_id: str) -> str | None:
            rows = await self._connection.rows("SELECT body FROM things WHERE id = ?", thing_id)
            return rows[0][0] if rows else None

        async def put(self, thing_id: str, body: str) -> None:               # may be repeated elsewhere
            await self._connection.write("INSERT INTO things (id, body) VALUES (?, ?)", thing_id, body)

        async def claim(self, thing_id: str) -> bool:                        # once, and the cluster tells who won
            return await self._connection.decide("INSERT INTO things (id) VALUES (?) IF NOT EXISTS", thing_id)

Nothing happens before the first call: no thread, no connection, no import of the driver's event loop.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, TypeVar

from cassandra import ConsistencyLevel
from cassandra.cluster import Cluster, ResponseFuture, Session
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType, BoundStatement, PreparedStatement

from multidb_chat.adapters.scylla.address import Address
from multidb_chat.adapters.scylla.cluster import ONCE, REPEATABLE, connect
from multidb_chat.adapters.scylla.creating import bring_up_to_date
from multidb_chat.adapters.scylla.errors import STORE, translated
from multidb_chat.adapters.scylla.schema import in_keyspace
from multidb_chat.domain.errors import InvalidInput, StoreUnavailable

T = TypeVar("T")
Row = tuple[Any, ...]
Statement = tuple[str, Sequence[Any]]

UNSET = UNSET_VALUE
"""Binds nothing: a column that is never written costs no tombstone."""

AT_ONCE = 256
"""Requests of one program that may be under way; further ones wait."""

# Seconds: each is more than the driver's own limits add up to, for the case that it waits where it should not.
_CONNECTING, _MAKING, _PREPARING, _CLOSING = 8.0, 90.0, 4.0, 5.0


class Connection:
    """The cluster at `address`, with the tables of this store, made where they are missing.

    All methods raise `StoreUnavailable`, `StoreFull`, `SchemaTooNew`, `StoreError`, and `InvalidInput` for what cannot
    be stored. Every request ends after two seconds, whatever the cluster does. Cancelling a call returns at once; what
    it was writing may or may not be stored.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._places = asyncio.Semaphore(AT_ONCE)
        self._opening: asyncio.Task[tuple[Cluster, Session]] | None = None
        self._prepared: dict[str, asyncio.Task[PreparedStatement]] = {}
        self._closed = False
        self.making = False
        """Whether the cluster is there, and its tables are being made."""

    async def rows(self, query: str, *parameters: Any) -> list[Row]:
        """Return all rows of a query; see `pages` for those that may be many."""
        return [row async for page in self.pages(query, *parameters) for row in page]

    async def pages(self, query: str, *parameters: Any) -> AsyncIterator[list[Row]]:
        """Yield the rows of a query in pages; the next one is fetched when it is asked for."""
        with self._translating():
            statement = await self._bound(query, parameters)
            if statement is None:
                return
            statement.is_idempotent = True
            response, rows = await self._run(statement, REPEATABLE)
            yield rows
            while response.has_more_pages:
                async with self._places:
                    response.start_fetching_next_page()
                    rows = await _answer(response)
                yield rows

    async def latest(self, query: str, *parameters: Any) -> list[Row]:
        """Return the rows of a query as the last lightweight transaction left them, one under way included."""
        with self._translating():
            statement = await self._bound(query, parameters)
            if statement is None:
                return []
            statement.is_idempotent = True
            statement.consistency_level = ConsistencyLevel.LOCAL_SERIAL
            return (await self._run(statement, REPEATABLE))[1]

    async def write(self, statement: str, *parameters: Any) -> None:
        """Run a write that may be done twice."""
        with self._translating():
            bound = await self._writable(statement, parameters)
            bound.is_idempotent = True
            await self._run(bound, REPEATABLE)

    async def count(self, statement: str, *parameters: Any) -> None:
        """Update a counter, which is never repeated; where there is no answer, nothing tells whether it counted."""
        with self._translating():
            await self._run(await self._writable(statement, parameters), ONCE)

    async def decide(self, *statements: Statement) -> bool:
        """Run conditional statements (IF ...) of one partition, all of them or none; tell whether they were done.

        Where there is no answer (`StoreUnavailable`), nothing tells whether they were done: read with `latest`.
        """
        with self._translating():
            if len(statements) == 1:
                bound: Any = await self._writable(*statements[0])
            else:
                bound = await self._batch(BatchType.UNLOGGED, statements)
            _, rows = await self._run(bound, ONCE)
        return bool(rows[0][0])

    async def write_together(self, statements: Sequence[Statement], *, spread: bool = False) -> None:
        """Run writes that may be done twice, all of them or none: of one partition, or (`spread`) of several.

        Several partitions cost a log on two nodes, and are refused beyond some 50 KB (`batch_size_fail_threshold`).
        """
        with self._translating():
            batch = await self._batch(BatchType.LOGGED if spread else BatchType.UNLOGGED, statements)
            batch.is_idempotent = True
            await self._run(batch, REPEATABLE)

    async def close(self) -> None:
        """Close all connections; a second time does nothing."""
        self._closed = True
        opening, self._opening = self._opening, None
        if opening is None:
            return
        with contextlib.suppress(Exception):  # what could not be opened need not be closed
            cluster, _ = await asyncio.wait_for(asyncio.shield(opening), _CLOSING)
            await self._within(_CLOSING, asyncio.create_task(asyncio.to_thread(cluster.shutdown)))

    async def opened(self) -> tuple[Cluster, Session]:
        """Return what the driver has, connected; for what is not a statement."""
        if self._closed:
            raise StoreUnavailable(STORE, f"The connection to the cluster at {self.address.where} is closed.")
        if self._opening is None or _failed(self._opening):
            self._opening = asyncio.create_task(self._open())
        with self._translating():
            return await asyncio.shield(self._opening)  # whoever stops waiting leaves it to the others

    async def _open(self) -> tuple[Cluster, Session]:
        connecting = asyncio.create_task(asyncio.to_thread(connect, self.address))
        try:
            cluster, session = await self._within(_CONNECTING, connecting)
        except StoreUnavailable:
            connecting.add_done_callback(_discard)
            raise
        try:
            making = asyncio.to_thread(bring_up_to_date, cluster, session, self.address, making=self._begin_making)
            await self._within(_MAKING, asyncio.create_task(making))
        except BaseException:
            threading.Thread(target=cluster.shutdown, daemon=True).start()
            raise
        finally:
            self.making = False
        return cluster, session

    def _begin_making(self) -> None:
        self.making = True

    async def _within(self, seconds: float, task: "asyncio.Task[T]") -> T:
        """Wait for what runs in a thread, and cannot be cancelled: it goes on for the next one who waits for it."""
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise StoreUnavailable(STORE, f"The cluster at {self.address.where} did not answer in {seconds:g} seconds.")
        return task.result()

    async def _bound(self, statement: str, parameters: Sequence[Any]) -> BoundStatement | None:
        """Return the statement with its parameters; None when its key is empty, which nothing is stored under."""
        prepared = await self._prepare(statement)
        key = prepared.routing_key_indexes
        if key is not None and len(key) == 1 and parameters[key[0]] == "":
            return None
        return prepared.bind(parameters)

    async def _writable(self, statement: str, parameters: Sequence[Any]) -> BoundStatement:
        bound = await self._bound(statement, parameters)
        if bound is None:
            raise InvalidInput("An identifier is empty.")
        return bound

    async def _prepare(self, statement: str) -> PreparedStatement:
        _, session = await self.opened()
        preparing = self._prepared.get(statement)
        if preparing is None or _failed(preparing):
            preparing = asyncio.create_task(
                asyncio.to_thread(session.prepare, in_keyspace(self.address.keyspace, statement))
            )
            self._prepared[statement] = preparing
        return preparing.result() if preparing.done() else await self._within(_PREPARING, preparing)

    async def _batch(self, kind: BatchType, statements: Sequence[Statement]) -> BatchStatement:
        batch = BatchStatement(batch_type=kind)
        for statement, parameters in statements:
            batch.add(await self._writable(statement, parameters))
        return batch

    async def _run(self, statement: Any, profile: object) -> tuple[ResponseFuture, list[Row]]:
        _, session = await self.opened()
        async with self._places:
            response = session.execute_async(statement, execution_profile=profile)
            return response, await _answer(response)

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            found = translated(error, self.address.where)
            if found is error:
                raise
            raise found from error


def _answer(response: ResponseFuture) -> "asyncio.Future[list[Row]]":
    """Return what becomes the answer that a thread of the driver brings.

    Where nobody waits for it any more, or the loop is closed, the answer is dropped.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[list[Row]] = loop.create_future()

    def settled(settling: Callable[[Any], None], value: Any) -> None:
        if not waiting.done():
            settling(value)

    def settle(settling: Callable[[Any], None], value: Any) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settled, settling, value)

    response.add_callbacks(
        lambda rows: settle(waiting.set_result, rows or []), lambda error: settle(waiting.set_exception, error)
    )
    return waiting


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _discard(connecting: "asyncio.Task[tuple[Cluster, Session]]") -> None:
    """Close what was connected after everybody had stopped waiting for it."""
    if not _failed(connecting):
        threading.Thread(target=connecting.result()[0].shutdown, daemon=True).start()
