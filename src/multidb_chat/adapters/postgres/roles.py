"""`PostgresRoles`: the port `DatabaseRoles` for the server at a URL."""

import re
import secrets
from typing import TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege

from multidb_chat.adapters.postgres.roles_sql import statements
from multidb_chat.adapters.postgres.server import server_at
from multidb_chat.adapters.postgres.transactions import Work
from multidb_chat.adapters.postgres.visiting import visit
from multidb_chat.domain.database_roles import RoleNames, RolesMade
from multidb_chat.domain.errors import InvalidInput, NotPermitted
from multidb_chat.domain.text import clean_line

T = TypeVar("T")

# Names that need no quotes, and with `_reader` have no more than the 63 bytes that the server keeps of a name:
# https://www.postgresql.org/docs/current/sql-syntax-lexical.html
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,55}")
_PATIENCE = 20.0
_HASHED_BY = b"scram-sha-256"  # https://www.postgresql.org/docs/current/auth-password.html


class PostgresRoles:
    """Makes roles as the role of `url`, which needs CREATEROLE and to have made the tables, or to be a superuser.

    Passwords are made here, 192 random bits each, and reach the server as SCRAM verifiers alone: not even its log of
    statements knows them.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._server = server_at(url)

    def names(self, name: str) -> RoleNames:
        """Return NAME_owner, NAME_app and NAME_reader; see the port."""
        if not _NAME.fullmatch(name) or name.startswith("pg_"):
            raise InvalidInput(
                f"{clean_line(name)!r} cannot begin names of roles: at most 56 lower-case letters, digits and _,"
                " without pg_ in front."
            )
        return RoleNames(f"{name}_owner", f"{name}_app", f"{name}_reader")

    async def make(self, names: RoleNames) -> RolesMade:
        """Make the roles; see the port."""
        return await self._visit(lambda connection: self._make(connection, names))

    async def script(self, names: RoleNames) -> tuple[str, RolesMade]:
        """Return the SQL that makes them; see the port."""

        async def work(connection: AsyncConnection) -> tuple[str, RolesMade]:
            passwords = await _missing(connection, names)
            lines = [
                " ".join(one.as_string(connection).split())
                for one in statements(names, self._server.schema, _verifiers(connection, passwords))
            ]
            return "BEGIN;\n" + "".join(f"{line};\n" for line in lines) + "COMMIT;\n", self._made(names, passwords)

        return await self._visit(work)

    async def _make(self, connection: AsyncConnection, names: RoleNames) -> RolesMade:
        passwords = await _missing(connection, names)
        async with connection.transaction():
            for one in statements(names, self._server.schema, _verifiers(connection, passwords)):
                await connection.execute(one)
        return self._made(names, passwords)

    def _made(self, names: RoleNames, passwords: dict[str, str]) -> RolesMade:
        parts = urlsplit(self._url)
        hosts = parts.netloc.rpartition("@")[2]
        url = urlunsplit(parts._replace(netloc=f"{quote(names.app, safe='')}@{hosts}"))
        return RolesMade(names, passwords, url)

    async def _visit(self, work: Work[T]) -> T:
        """Do the work on a connection of its own. Raises `NotPermitted` and `StoreError`."""

        async def permitted(connection: AsyncConnection) -> T:
            try:
                return await work(connection)
            except InsufficientPrivilege as error:
                raise NotPermitted(
                    f"The role that is connected to {self._server.where} may not do this"
                    f" ({error.diag.message_primary}): use one with CREATEROLE that owns the tables, or let --print-sql"
                    " print what to run."
                ) from None

        return await visit(self._server, "accounts", _PATIENCE, permitted)


async def _missing(connection: AsyncConnection, names: RoleNames) -> dict[str, str]:
    """Return new passwords for the roles that log in and are not there yet."""
    cursor = await connection.execute("SELECT rolname::text FROM pg_roles")
    present = {name for (name,) in await cursor.fetchall()}
    return {role: secrets.token_urlsafe(24) for role in (names.owner, names.app) if role not in present}


def _verifiers(connection: AsyncConnection, passwords: dict[str, str]) -> dict[str, str]:
    return {
        role: connection.pgconn.encrypt_password(password.encode(), role.encode(), _HASHED_BY).decode()
        for role, password in passwords.items()
    }
