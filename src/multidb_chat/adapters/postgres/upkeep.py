"""`PostgresUpkeep`: the port `Upkeep` for the stores on a PostgreSQL server."""

from psycopg import AsyncConnection

from multidb_chat.adapters.postgres.migrations import version_of
from multidb_chat.adapters.postgres.schema import MIGRATIONS
from multidb_chat.adapters.postgres.server import server_at
from multidb_chat.adapters.postgres.transactions import Row
from multidb_chat.adapters.postgres.upkeep_checks import wrong_in
from multidb_chat.adapters.postgres.visiting import visit
from multidb_chat.domain.errors import SchemaTooNew, StoreCorrupt, StoreError
from multidb_chat.domain.upkeep import StoreReport

_LOOKING, _READING = 10.0, 300.0  # seconds: for figures, and to read everything

_COUNTS = """
    SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM sessions WHERE ended_at IS NULL),
        (SELECT count(*) FROM audit), (SELECT count(*) FROM tasks), (SELECT count(*) FROM corpus_documents),
        (SELECT max(at) FROM audit)
"""
_KINDS = ("accounts", "open sessions", "audit entries", "tasks", "counted documents")
_SIZE = """
    SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
    WHERE relkind = 'r' AND relnamespace = to_regnamespace(%s)
"""
# A standby is told by recovery; a role, a database or a failover may be read-only besides.
_WRITABLE = """
    SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', current_user::text,
        has_table_privilege('tasks', 'INSERT') AND has_table_privilege('tasks', 'UPDATE')
            AND has_table_privilege('audit', 'INSERT')
"""


class PostgresUpkeep:
    """Looks after the accounts, and what lies beside them, on the server at `url`. It upgrades nothing."""

    store = "accounts"
    on_server = True

    def __init__(self, url: str) -> None:
        self._server = server_at(url)

    async def report(self) -> StoreReport:
        """Return what the schema holds; see the port. Raises `StoreError`."""
        return await visit(self._server, self.store, _LOOKING, self._report)

    async def problems(self) -> list[str]:
        """Read every row, and compare tables, guards and rights with what the program needs.

        Raises `StoreError` where the server cannot be reached or does not answer in time.
        """
        return await visit(self._server, self.store, _READING, self._problems)

    async def obstacle(self) -> str:
        """Ask the server whether it can be written to, and this role may."""
        try:
            return await visit(self._server, self.store, _LOOKING, self._obstacle)
        except StoreError as error:
            return str(error)

    async def _report(self, connection: AsyncConnection) -> StoreReport:
        version = await self._version(connection)
        number = connection.info.server_version
        place = f"{self._server.where} (schema {self._server.schema}, PostgreSQL {number // 10_000}.{number % 10_000})"
        size = (await _row(connection, _SIZE, self._server.schema))[0]
        report = StoreReport(self.store, place, version, len(MIGRATIONS), size, on_server=True)
        if version < len(MIGRATIONS):  # it is brought up to date by the next program that uses it
            return report
        *counts, newest = await _row(connection, _COUNTS)
        records = dict(zip(_KINDS, counts, strict=True))
        return StoreReport(self.store, place, version, version, size, records, newest, on_server=True)

    async def _problems(self, connection: AsyncConnection) -> list[str]:
        try:
            version = await self._version(connection)
        except (SchemaTooNew, StoreCorrupt) as error:
            return [str(error)]
        return await wrong_in(connection, MIGRATIONS[:version])

    async def _obstacle(self, connection: AsyncConnection) -> str:
        if await self._version(connection) < len(MIGRATIONS):
            return ""
        standby, read_only, role, may = await _row(connection, _WRITABLE)
        if standby or read_only:
            what = "a standby" if standby else "read-only"
            return (
                f"The {self.store} store at {self._server.where} is {what}: name the server that takes writes, or let"
                " the driver find it, with all hosts and target_session_attrs=read-write in the URL."
            )
        return "" if may else f"The role {role} may not write the {self.store} store at {self._server.where}."

    async def _version(self, connection: AsyncConnection) -> int:
        return await version_of(connection, self._server, self.store, MIGRATIONS)


async def _row(connection: AsyncConnection, query: str, *parameters: object) -> Row:
    cursor = await connection.execute(query, parameters)
    return (await cursor.fetchall())[0]
