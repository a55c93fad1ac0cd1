"""Schemas of a test's own, and stores in them opened for as long as a block lasts, by functions that travel pickled."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import astuple

import psycopg
from psycopg import AsyncConnection, sql

from multidb_chat.adapters.postgres.accounts import PostgresAccounts
from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.roles import PostgresRoles
from multidb_chat.adapters.postgres.server import server_at
from multidb_chat.adapters.postgres.tasks import PostgresTasks
from multidb_chat.domain.database_roles import RoleNames, RolesMade
from tests.contracts.tasks_processes import Stores
from tests.servers import own_name, url_of

# A log that nobody can empty needs an owner who takes its guard away for a moment. One statement for all of it: making
# a schema takes a hundred times as long.
_EMPTY = """
ALTER TABLE audit DISABLE TRIGGER audit_is_not_changed;
DELETE FROM accounts; DELETE FROM attempts; DELETE FROM audit; DELETE FROM corpus_documents;
UPDATE corpus_state SET (library, method, watermark) = ('', 0, 0);
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_not_changed
"""


@contextmanager
def own_schema() -> Iterator[str]:
    """The URL of a schema that does not exist yet, and does not any more behind the block."""
    url = url_of("postgres")
    own = f"{url}{'&' if '?' in url else '?'}schema={own_name()}"
    try:
        yield own
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            schema = sql.Identifier(server_at(own).schema)
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))


@contextmanager
def role_names(url: str) -> Iterator[RoleNames]:
    """Names of roles that do not exist, and do not any more behind the block, nor what belonged to them."""
    names = PostgresRoles(url).names(own_name())
    try:
        yield names
    finally:
        with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
            for role in astuple(names):
                if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                    connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
                    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


async def roles_at(url: str, names: RoleNames) -> RolesMade:
    """Make the tables, and roles for them."""
    async with database_at(url) as database:
        await database.fetch("SELECT 1")
    return await PostgresRoles(url).make(names)


def url_as(url: str, role: str, password: str) -> str:
    """Return the URL with another user."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{role}:{password}@{rest.rpartition('@')[2]}"


class InOwnSchema:
    """The half of a machine that gives it a schema; stands before the machine among its bases."""

    def __init__(self) -> None:
        super().__init__()
        self._around = ExitStack()
        self.url = self._around.enter_context(own_schema())

    def teardown(self) -> None:
        super().teardown()  # type: ignore[misc]
        self._around.close()


def empty(url: str) -> None:
    """Remove all that is in the stores of the schema, if they were made."""
    server = server_at(url)
    with psycopg.connect(**server.arguments) as connection:  # type: ignore[arg-type]
        made = connection.execute("SELECT to_regclass('audit')").fetchone()
        if made and made[0]:
            connection.execute(_EMPTY)


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


@asynccontextmanager
async def accounts_at(url: str, **arguments: object) -> AsyncIterator[PostgresAccounts]:
    async with database_at(url, **arguments) as database:
        yield PostgresAccounts(database)


@asynccontextmanager
async def tasks_at(url: str) -> AsyncIterator[Stores]:
    async with database_at(url) as database:
        yield Stores(PostgresAccounts(database), PostgresTasks(database))
