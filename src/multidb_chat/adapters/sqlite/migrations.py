"""The schema of a SQLite file: made, recognised, and brought up to date behind a backup copy.

A store's schema is a sequence of SQL scripts; `PRAGMA user_version` counts how many of them the file has seen, and
`PRAGMA application_id` tells whose file it is.
"""

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from multidb_chat.domain.errors import SchemaTooNew, StoreUnavailable
from multidb_chat.domain.text import clean_line


def create_file(path: Path) -> None:
    """Make sure that the file exists, readable by its owner alone (0600 in a folder 0700), also after a power cut."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    _sync(path.parent)


def schema_version(connection: sqlite3.Connection, path: Path, store: str, newest: int) -> int:
    """Return the version of the file's schema, 0 for an empty file, without changing anything.

    Raises `SchemaTooNew`, `StoreUnavailable` for a file that holds something else, or SQLite's errors.
    """
    connection.execute("BEGIN")  # another process may be making the schema between two of the reads
    try:
        return _version(connection, path, store, newest)
    finally:
        if connection.in_transaction:  # a failed read may have ended it
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection, path: Path, store: str, newest: int) -> int:
    version = _number(connection, "PRAGMA user_version")
    owner = _number(connection, "PRAGMA application_id")
    empty = version == 0 and owner == 0 and _number(connection, "SELECT count(*) FROM sqlite_master") == 0
    if not empty and owner != _application_id(store):
        raise StoreUnavailable(
            store, f"The {store} file {clean_line(str(path))} holds something else: move it away or name another."
        )
    if version > newest:
        raise SchemaTooNew(
            store,
            f"The {store} file {clean_line(str(path))} was written by a newer version of multidb-chat"
            f" (schema {version}, this one knows {newest}): update the program.",
        )
    return version


def migrate(connection: sqlite3.Connection, path: Path, store: str, migrations: Sequence[str]) -> None:
    """Bring the file to the newest schema in one transaction.

    Several processes may do it at once: one does the work, the others wait for it. The state before is copied to
    `<file>.v<version>-backup`. Raises like `schema_version`.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path, store, len(migrations))
        if 0 < version < len(migrations):
            _back_up(path, Path(f"{path}.v{version}-backup"))
        for script in migrations[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_application_id(store)}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _application_id(store: str) -> int:
    """Return a number of 31 bits that stands for the store's name."""
    return zlib.crc32(f"multidb-chat {store}".encode()) & 0x7FFF_FFFF


def _number(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; `executescript` would commit the transaction around it."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):  # not inside a text, a comment or a trigger
            yield statement
            statement = ""


def _back_up(path: Path, copy: Path) -> None:
    """Copy the committed state through a connection of its own; the copy has its name only when it is complete."""
    unfinished = Path(f"{copy}.{os.getpid()}")
    try:
        create_file(unfinished)
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(unfinished)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
        _sync(unfinished)
        unfinished.replace(copy)
        _sync(copy.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Flush a file or a folder's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
