"""What tells a store from every other; it stays the same when the store is carried to another place.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3

from multidb_chat.domain.transfer import Origin

IDENTITY = """
    CREATE TABLE identity (value TEXT NOT NULL);
    INSERT INTO identity VALUES (lower(hex(randomblob(16))));
"""

MOVES = "ALTER TABLE identity ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;"


def identity(connection: sqlite3.Connection) -> str:
    """Return the store's identity, which it got when it was made."""
    return str(connection.execute("SELECT value FROM identity").fetchone()[0])


def origin(connection: sqlite3.Connection) -> Origin:
    """Return where the store comes from."""
    return Origin(*connection.execute("SELECT value, moves FROM identity").fetchone())


def adopt(connection: sqlite3.Connection, origin: Origin) -> None:
    """Give the store another origin."""
    connection.execute("UPDATE identity SET value = ?, moves = ?", origin)
