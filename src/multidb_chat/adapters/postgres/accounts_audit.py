"""The audit log in PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from psycopg import AsyncConnection

from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.records import Table
from multidb_chat.domain.audit import AuditEntry, AuditFilter, Seal
from multidb_chat.domain.errors import StoreCorrupt

AUDIT = Table("audit", AuditEntry, key="seq")

# Held until the entry is committed, so that the next one finds it: numbers have no gap, and each entry is sealed behind
# the one before. A lock without a row, since whoever may only append has no right to lock one. One round trip; the
# second statement looks when the first has the lock.
_LAST = """
SELECT pg_advisory_xact_lock(hashtextextended('multidb-chat appends to the audit of ' || current_schema(), 0));
SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1
"""


async def append(database: Database, entry: AuditEntry, seal: Seal | None) -> AuditEntry:
    """Add an entry and return it with its number: one more than the last, as nobody else appends meanwhile."""

    async def work(connection: AsyncConnection) -> AuditEntry:
        cursor = await connection.execute(_LAST)
        cursor.nextset()
        last, before = await cursor.fetchone() or (0, "")
        numbered = replace(entry, seq=last + 1)
        if seal is not None:
            numbered = replace(numbered, mac=seal(numbered, before))
        await connection.execute(AUDIT.insert, AUDIT.row(numbered))
        return numbered

    return await database.write(work)


async def page(database: Database, after: int, limit: int, where: AuditFilter, newest: bool) -> list[AuditEntry]:
    """Return entries behind a number, or before it, narrowed by the filter. Raises `StoreCorrupt`."""
    terms = dict(_terms(where))
    if not newest:
        terms["seq > %s"] = after
    elif after:
        terms["seq < %s"] = after
    clauses = f"WHERE {' AND '.join(terms)}" if terms else ""
    query = f"{AUDIT.select} {clauses} ORDER BY seq {'DESC' if newest else ''} LIMIT %s"
    return [_exact(row) for row in await database.fetch(query, *terms.values(), max(limit, 0))]


def _terms(where: AuditFilter) -> Iterator[tuple[str, Any]]:
    if where.actor is not None:
        yield "actor = %s", where.actor
    if where.action is not None and where.action.endswith("."):
        yield "action >= %s", where.action
        yield "action < %s", where.action[:-1] + chr(ord(".") + 1)
    elif where.action is not None:
        yield "action = %s", where.action
    if where.target is not None:
        yield "target = %s", where.target
    if where.since is not None:
        yield "at >= %s", where.since
    if where.until is not None:
        yield "at < %s", where.until


def _exact(row: tuple[Any, ...]) -> AuditEntry:
    """Return the entry of a row that lies there exactly as it would be written: nothing else passes for sound."""
    try:
        entry = AUDIT.record(row)
        if AUDIT.row(entry) == list(row):
            return entry
    except (ValueError, TypeError, AttributeError):
        pass
    raise StoreCorrupt("accounts", f"Entry {row[-1]} of the audit log does not lie in its table as it was written.")
