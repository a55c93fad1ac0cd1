"""Work on a connection of its own, beside the pool, that takes the schema as it is and brings nothing up to date."""

from typing import TypeVar

import psycopg

from multidb_chat.adapters.postgres.deadlines import Calls
from multidb_chat.adapters.postgres.errors import translated
from multidb_chat.adapters.postgres.server import Server
from multidb_chat.adapters.postgres.transactions import Work

T = TypeVar("T")


async def visit(server: Server, store: str, seconds: float, work: Work[T]) -> T:
    """Connect, do the work, and disconnect, within so many seconds; no statement of it takes longer either.

    Raises what the work raises, and `StoreError` where the driver does.
    """

    async def connected() -> T:
        connection = await server.connect()
        try:
            await connection.execute(f"SET statement_timeout = '{int(seconds * 1000)}'")
            return await work(connection)
        finally:
            await connection.close()

    try:
        return await Calls().within(seconds, connected())
    except (psycopg.Error, OSError) as error:
        raise translated(error, store, server.where) from error
