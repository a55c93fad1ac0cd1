"""The audit log in the accounts' file.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3
from dataclasses import replace

from multidb_chat.adapters.sqlite.records import Table, rows_at_most
from multidb_chat.domain.accounts import AuditEntry

AUDIT = Table("audit", AuditEntry)


def append(connection: sqlite3.Connection, entry: AuditEntry) -> AuditEntry:
    """Add an entry and return it with its number: one more than the last, as nobody else writes meanwhile."""
    last = connection.execute("SELECT coalesce(max(seq), 0) FROM audit").fetchone()[0]
    numbered = replace(entry, seq=last + 1)
    AUDIT.insert(connection, numbered)
    return numbered


def page(
    connection: sqlite3.Connection, after: int, limit: int, actor: str | None, action: str | None
) -> list[AuditEntry]:
    """Return entries behind a number, narrowed by actor and action."""
    clauses = "WHERE seq > ?"
    parameters: list[int | str] = [after]
    for column, wanted in (("actor", actor), ("action", action)):
        if wanted is not None:
            clauses += f" AND {column} = ?"
            parameters.append(wanted)
    return AUDIT.all(connection, f"{clauses} ORDER BY seq LIMIT ?", *parameters, rows_at_most(limit))
