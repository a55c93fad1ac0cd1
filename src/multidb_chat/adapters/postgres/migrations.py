"""The schema in PostgreSQL: made, recognised, and brought up to date.

A schema is a sequence of SQL scripts. The table `schema_migrations` remembers which of them the server has seen, with a
checksum each, so that a script that was changed afterwards is found. PostgreSQL undoes DDL like everything else: a
schema is brought up to date as a whole or not at all.
"""

import hashlib
from collections.abc import Sequence

from psycopg import AsyncConnection, sql
from psycopg.errors import InsufficientPrivilege

from multidb_chat.adapters.postgres.roles_sql import RECORDS_ARE_THE_OWNERS
from multidb_chat.adapters.postgres.server import Server
from multidb_chat.domain.errors import SchemaTooNew, StoreCorrupt, StoreUnavailable

OLDEST = 14
"""The oldest major version of PostgreSQL that is supported."""

MIGRATING_TIMEOUT = 60
"""Seconds that a migration may take, and that another process waits for it."""


async def migrate(connection: AsyncConnection, server: Server, store: str, migrations: Sequence[str]) -> None:
    """Bring the schema to its newest version, and make it when there is none.

    Several processes may do it at once: one does the work, the others wait for it (an advisory lock). Without anything
    to do it costs one query and needs no right but to read. Raises `SchemaTooNew`, `StoreCorrupt`, `StoreUnavailable`
    for a server that will not do, or a role that may not change the schema, and psycopg's errors.
    """
    version = await version_of(connection, server, store, migrations)
    if version == len(migrations):
        return
    try:
        await _upgrade(connection, server, store, migrations)
    except InsufficientPrivilege as error:
        older = f"is of an older version (schema {version}, this program needs {len(migrations)})"
        state = older if version else "has no tables yet"
        raise StoreUnavailable(
            store,
            f"The {store} store at {server.where} (schema {server.schema}) {state}, and the role of its URL may not"
            " change that: run multidb-chat whoami once as the role that owns the tables.",
        ) from error


async def _upgrade(connection: AsyncConnection, server: Server, store: str, migrations: Sequence[str]) -> None:
    """Run what the server has not seen, in one transaction, while no other process does."""
    async with connection.transaction():
        limit = f"{MIGRATING_TIMEOUT}s"
        await connection.execute(f"SET LOCAL lock_timeout = '{limit}'; SET LOCAL statement_timeout = '{limit}'")
        lock = f"multidb-chat migrates {server.schema}"
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (lock,))
        await _check(connection, server, store)
        await _create(connection, server.schema)
        seen = await version_of(connection, server, store, migrations)
        for version in range(seen + 1, len(migrations) + 1):
            await connection.execute(migrations[version - 1])
            await connection.execute(
                "INSERT INTO schema_migrations (version, checksum) VALUES (%s, %s)",
                (version, _checksum(migrations[version - 1])),
            )
        await connection.execute(RECORDS_ARE_THE_OWNERS)


async def version_of(connection: AsyncConnection, server: Server, store: str, migrations: Sequence[str]) -> int:
    """Return how many of these scripts the server has seen, 0 without a schema; nothing is changed.

    Raises `SchemaTooNew`, or `StoreCorrupt` when one that it has seen is not as it was.
    """
    expected = [_checksum(script) for script in migrations]
    cursor = await connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{server.schema}.schema_migrations",))
    if not (await cursor.fetchall())[0][0]:
        return 0
    cursor = await connection.execute("SELECT version, checksum FROM schema_migrations ORDER BY version")
    rows = await cursor.fetchall()
    if len(rows) > len(expected):
        raise SchemaTooNew(
            store,
            f"The {store} store at {server.where} (schema {server.schema}) was written by a newer version of"
            f" multidb-chat (schema {len(rows)}, this one knows {len(expected)}): update the program.",
        )
    if [tuple(row) for row in rows] != list(enumerate(expected[: len(rows)], start=1)):
        raise StoreCorrupt(
            store,
            f"The {store} store at {server.where} (schema {server.schema}) was made by other migrations than"
            f" this version of multidb-chat has: use the version that made it, or restore a backup.",
        )
    return len(rows)


async def _check(connection: AsyncConnection, server: Server, store: str) -> None:
    """Raise `StoreUnavailable` for a server, or a database on it, that cannot keep what is to be kept."""
    if connection.info.server_version < OLDEST * 10_000:
        major = connection.info.server_version // 10_000
        raise StoreUnavailable(
            store, f"The server of the {store} store at {server.where} is PostgreSQL {major}: {OLDEST} is needed."
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreUnavailable(
            store,
            f"The database of the {store} store at {server.where} keeps {encoding}: make one with ENCODING 'UTF8'.",
        )


async def _create(connection: AsyncConnection, schema: str) -> None:
    """Make the schema and its list of migrations; what an administrator made before needs no right to make it."""
    cursor = await connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", (schema,))
    if not (await cursor.fetchall())[0][0]:
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    await connection.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version integer PRIMARY KEY,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )


def _checksum(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()
