"""The audit log in the accounts' file.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from multidb_chat.adapters.sqlite.database import prefix_end
from multidb_chat.adapters.sqlite.records import Table, micros, rows_at_most
from multidb_chat.domain.audit import AuditEntry, AuditFilter, Seal
from multidb_chat.domain.errors import StoreCorrupt

AUDIT = Table("audit", AuditEntry)

# ruff: noqa: S608 - statements are put together from constants only


def append(connection: sqlite3.Connection, entry: AuditEntry, seal: Seal | None) -> AuditEntry:
    """Add an entry and return it with its number: one more than the last, as nobody else writes meanwhile."""
    last, before = connection.execute("SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, "")
    numbered = replace(entry, seq=last + 1)
    if seal is not None:
        numbered = replace(numbered, mac=seal(numbered, before))
    AUDIT.insert(connection, numbered)
    return numbered


def page(connection: sqlite3.Connection, after: int, limit: int, where: AuditFilter, newest: bool) -> list[AuditEntry]:
    """Return entries behind a number, or before it, narrowed by the filter. Raises `StoreCorrupt`."""
    terms = dict(_terms(where))
    if not newest:
        terms["seq > ?"] = (after,)
    elif after:
        terms["seq < ?"] = (after,)
    clauses = f"WHERE {' AND '.join(terms)}" if terms else ""
    query = f"SELECT {AUDIT.columns} FROM audit {clauses} ORDER BY seq {'DESC' if newest else ''} LIMIT ?"
    parameters = [value for values in terms.values() for value in values]
    return [_exact(row) for row in connection.execute(query, [*parameters, rows_at_most(limit)])]


def _terms(where: AuditFilter) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if where.actor is not None:
        yield "actor = ?", (where.actor,)
    if where.action is not None and where.action.endswith("."):
        yield "action >= ? AND action < CAST(? AS TEXT)", (where.action, prefix_end(where.action))
    elif where.action is not None:
        yield "action = ?", (where.action,)
    if where.target is not None:
        yield "target = ?", (where.target,)
    if where.since is not None:
        yield "at >= ?", (micros(where.since),)
    if where.until is not None:
        yield "at < ?", (micros(where.until),)


def _exact(row: tuple[Any, ...]) -> AuditEntry:
    """Return the entry of a row that lies there exactly as it would be written: nothing else passes for sound."""
    try:
        entry = AUDIT.record(row)
        if AUDIT.row(entry) == list(row):
            return entry
    except (ValueError, TypeError, AttributeError, OverflowError):
        pass
    raise StoreCorrupt("accounts", f"Entry {row[-1]} of the audit log does not lie in its file as it was written.")
