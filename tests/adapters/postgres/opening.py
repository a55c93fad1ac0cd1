"""Schemas of a test's own, and stores in them opened for as long as a block lasts, by functions that travel pickled."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection, sql

from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.server import server_at
from tests.servers import own_name, url_of


@asynccontextmanager
async def own_schema() -> AsyncIterator[str]:
    url = url_of("postgres")
    own = f"{url}{'&' if '?' in url else '?'}schema={own_name()}"
    try:
        yield own
    finally:
        async with await stranger(own) as connection:
            await connection.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(server_at(own).schema))
            )


async def stranger(url: str) -> AsyncConnection:
    """Return a connection beside the program's, in the schema of the URL."""
    return await server_at(url).connect()


@asynccontextmanager
async def database_at(url: str, **arguments: object) -> AsyncIterator[Database]:
    database = Database(url, **arguments)  # type: ignore[arg-type]
    try:
        yield database
    finally:
        await database.close()
