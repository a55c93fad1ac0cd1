"""What is done on one connection: a statement, a look at one state, and a transaction that is written once.

Connections are in autocommit mode, so that a single statement, which is a transaction of its own, costs one round trip.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg import AsyncConnection

from multidb_chat.adapters.postgres.errors import is_lost

T = TypeVar("T")
Row = tuple[Any, ...]
Work = Callable[[AsyncConnection], Awaitable[T]]

# The first eight digits of a log file's name (https://www.postgresql.org/docs/current/continuous-archiving.html).
_TIMELINE = "left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)"


class Transaction(NamedTuple):
    """A transaction's number, and the timeline that it counts in: another one after a failover."""

    number: str
    timeline: str


class Unsettled(Exception):
    """The connection was lost while the server was committing: only the server knows what became of `transaction`."""

    def __init__(self, transaction: Transaction, result: Any) -> None:
        super().__init__(transaction.number)
        self.transaction = transaction
        self.result = result


async def statement(connection: AsyncConnection, text: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Row]:
    """Run one statement and return its rows, if it has any."""
    cursor = await connection.execute(text, parameters)
    return await cursor.fetchall() if cursor.description else []


async def look(connection: AsyncConnection, work: Work[T], seconds: float | None) -> T:
    """Run the work; all its statements see one committed state."""
    await connection.execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;{_limits(seconds)}")
    try:
        return await work(connection)
    finally:
        await _roll_back(connection)


async def settle(connection: AsyncConnection, work: Work[T], seconds: float | None) -> T:
    """Run the work and commit. Raises `Unsettled` when nothing tells whether the server committed."""
    cursor = await connection.execute(f"BEGIN;{_limits(seconds)} SELECT pg_current_xact_id()::text, {_TIMELINE}")
    while cursor.nextset():
        pass
    transaction = Transaction(*(await cursor.fetchall())[0])
    try:
        result = await work(connection)
    except BaseException:
        await _roll_back(connection)
        raise
    await _commit(connection, transaction, result)
    return result


async def fate(connection: AsyncConnection, transaction: Transaction) -> str | None:
    """Return what became of a transaction: `committed`, `aborted`, `in progress`.

    None where the server cannot know: one that took the place of another counts transactions of its own by now.
    """
    query = f"SELECT CASE WHEN {_TIMELINE} = %s THEN pg_xact_status(%s::xid8) END"
    rows = await statement(connection, query, (transaction.timeline, transaction.number))
    return rows[0][0]  # type: ignore[no-any-return]


async def _commit(connection: AsyncConnection, transaction: Transaction, result: object) -> None:
    try:
        cursor = await connection.execute("COMMIT")
    except psycopg.Error as error:
        if is_lost(error, connection):
            raise Unsettled(transaction, result) from error
        raise
    if cursor.statusmessage != "COMMIT":
        raise RuntimeError("A piece of work went on after a statement of it had failed; nothing was stored.")


async def _roll_back(connection: AsyncConnection) -> None:
    """Leave the transaction; the pool replaces a connection that can't."""
    if not connection.closed:
        try:
            await connection.execute("ROLLBACK")
        except psycopg.Error:
            await connection.close()


def _limits(seconds: float | None) -> str:
    return "" if seconds is None else f" SET LOCAL statement_timeout = {int(seconds * 1000)};"
