"""Reading an index where nothing can be written: on a full disk, on one that is read-only, or without permission.

There SQLite cannot make the two files beside it that processes share. A file that nobody writes needs neither, if it is
told that it is immutable (https://www.sqlite.org/uri.html#uriimmutable); whether that was so is looked at twice.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_BARRED = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
}
_NEARLY_NOTHING = 65_536


def is_barred(error: Exception) -> bool:
    """Tell whether a file could not be opened because nothing can be written beside it."""
    code = int(getattr(error, "sqlite_errorcode", 0))
    return isinstance(error, OSError) or (code & 0xFF in _BARRED and code != sqlite3.SQLITE_IOERR_SHORT_READ)


@contextlib.contextmanager
def reading(path: Path, marks: tuple[int, int], obstacle: Exception) -> Iterator[sqlite3.Connection]:
    """Give a connection to the file as it lies there.

    Raises `obstacle` when it has other marks (application, version), or when somebody may be writing it.
    """
    before = _state(path)
    if before is None:
        raise obstacle
    uri = f"{path.absolute().as_uri()}?immutable=1"
    with contextlib.closing(
        sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    ) as connection:
        if marks_of(connection) != marks:
            raise obstacle
        yield connection
    if _state(path) != before:
        raise obstacle


def marks_of(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return whose file it is, and its version."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    return application, connection.execute("PRAGMA user_version").fetchone()[0]


def is_full(folder: Path) -> bool:
    """Tell whether the disk of the folder has next to no space left; SQLite says "disk I/O error" then, too."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _NEARLY_NOTHING


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what changes with every write to the file; None while a log beside it holds some of its content."""
    try:
        log = Path(f"{path}-wal")
        if log.exists() and log.stat().st_size:
            return None
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
