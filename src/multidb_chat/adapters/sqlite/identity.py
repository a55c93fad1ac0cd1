"""What tells a store from every other; it stays the same when the store is carried to another place.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3

IDENTITY = """
    CREATE TABLE identity (value TEXT NOT NULL);
    INSERT INTO identity VALUES (lower(hex(randomblob(16))));
"""


def identity(connection: sqlite3.Connection) -> str:
    """Return the store's identity, which it got when it was made."""
    return str(connection.execute("SELECT value FROM identity").fetchone()[0])


def adopt(connection: sqlite3.Connection, value: str) -> None:
    """Give the store another identity."""
    connection.execute("UPDATE identity SET value = ?", (value,))
