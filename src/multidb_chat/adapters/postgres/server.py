"""Where a PostgreSQL server is, and how a connection to it is made.

The URL is libpq's (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING): several hosts,
`sslmode`, `sslrootcert`, `target_session_attrs` and all its other parameters work. One more is ours: `schema`, the
schema that the tables are in (`multidb_chat` when it is not given), so that several installations, or tests, share a
database.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict

from multidb_chat.adapters.postgres import texts
from multidb_chat.domain.errors import InvalidSetting

DEFAULT_SCHEMA = "multidb_chat"

CONNECT_TIMEOUT = 3
"""Seconds for each host to answer."""

# What the server itself holds to, in milliseconds, also for a program that is gone: no statement, no wait for a lock
# and no transaction in which nothing happens lasts longer. Times are UTC; what was acknowledged is on the disk.
_OPTIONS = {
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "timezone": "UTC",
    "datestyle": "ISO",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read\\ committed",
}
# An unquoted identifier (https://www.postgresql.org/docs/current/sql-syntax-lexical.html), which needs no escaping.
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Server:
    """A server, the schema on it, and `where` both are, without the password: `host:port/database`."""

    conninfo: dict[str, object] = field(repr=False)
    schema: str
    where: str

    async def connect(self) -> AsyncConnection:
        """Return a new connection in autocommit mode, set up as all of them are. Raises psycopg's errors."""
        connection = await AsyncConnection.connect(**self.arguments)  # type: ignore[arg-type]
        await self.prepare(connection)
        return connection

    @property
    def arguments(self) -> dict[str, object]:
        """What a connection is made with."""
        ours = " ".join(f"-c {name}={value}" for name, value in {**_OPTIONS, "search_path": self.schema}.items())
        given = self.conninfo
        return {
            "connect_timeout": CONNECT_TIMEOUT,
            "application_name": "multidb-chat",
            **given,
            "client_encoding": "utf8",
            "options": f"{ours} {given.get('options', '')}".strip(),  # the later ones win
            "autocommit": True,
        }

    @staticmethod
    async def prepare(connection: AsyncConnection) -> None:
        """Set up a new connection."""
        texts.adapt(connection)


def server_at(url: str) -> Server:
    """Return the server that a URL names. Raises `InvalidSetting`, without a word of the password."""
    try:
        parts = urlsplit(url)
        parameters = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        schema = dict(parameters).get("schema", DEFAULT_SCHEMA)
        query = urlencode([pair for pair in parameters if pair[0] != "schema"], quote_via=quote)
        conninfo = conninfo_to_dict(urlunsplit(parts._replace(query=query)))
    except (ValueError, psycopg.Error):
        raise InvalidSetting(
            "stores.accounts: the URL of the PostgreSQL server cannot be read:"
            " write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters as %XX"
        ) from None
    if not _SCHEMA.fullmatch(schema):
        raise InvalidSetting("stores.accounts: schema: lower-case letters, digits and _, at most 63 of them")
    return Server({name: value for name, value in conninfo.items() if value is not None}, schema, _where(conninfo))


def _where(conninfo: dict[str, str | int | None]) -> str:
    hosts = str(conninfo.get("host") or conninfo.get("hostaddr") or "localhost").split(",")
    ports = str(conninfo.get("port") or 5432).split(",")
    pairs = zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=False)
    addresses = ",".join(f"{host}:{port or 5432}" for host, port in pairs)
    database = conninfo.get("dbname") or conninfo.get("user")
    return f"{addresses}/{database}" if database else addresses
