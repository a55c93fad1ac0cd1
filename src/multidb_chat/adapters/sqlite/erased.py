"""Which accounts were erased from a store, so that a write that comes late does not bring anything of them back.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3

from multidb_chat.domain.errors import NotFound

TABLE = "CREATE TABLE erased (account_id TEXT PRIMARY KEY) WITHOUT ROWID;"


def mark(connection: sqlite3.Connection, account_id: str) -> None:
    """Remember that the account was erased; an identifier is never given again."""
    connection.execute("INSERT OR IGNORE INTO erased VALUES (?)", (account_id,))


def refuse(connection: sqlite3.Connection, account_id: str) -> None:
    """Raise `NotFound` for an account that was erased."""
    if connection.execute("SELECT 1 FROM erased WHERE account_id = ?", (account_id,)).fetchone():
        raise NotFound(f"There is no account {account_id!r} any more.")
