"""The border of the embedded stores: what SQLite and the file system raise becomes the domain's error tree."""

import errno
import os
import sqlite3
from pathlib import Path

from multidb_chat.domain.errors import (
    InvalidInput,
    MultidbChatError,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from multidb_chat.domain.text import clean_line

# Primary result codes (https://www.sqlite.org/rescode.html); the extended ones carry them in their low byte.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_BARRED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_CANTOPEN}
# A full disk also shows as a failed write, a log that cannot be opened, or shared memory that cannot grow.
_MAY_BE_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_NEARLY_NOTHING = 65_536


def is_busy(error: Exception) -> bool:
    """Tell whether another connection holds what this one needs, so that trying again may help."""
    return isinstance(error, sqlite3.Error) and _primary_code(error) in _BUSY


def translated(error: Exception, store: str, path: Path) -> Exception:
    """Return the domain error for what a piece of work raised; a fault of the program itself is returned as it is."""
    if isinstance(error, MultidbChatError):
        return error
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, store, path)
    if isinstance(error, OSError):
        return _from_system(error, store, path)
    if isinstance(error, UnicodeEncodeError):
        return InvalidInput("The text holds half a character (a lone surrogate) and cannot be stored.")
    if isinstance(error, UnicodeDecodeError):  # SQLite hands out whatever bytes a text column holds
        return StoreCorrupt(store, f"{_file(store, path)} holds text that is none: restore a backup.")
    if isinstance(error, OverflowError):
        return InvalidInput("A number is too large to be stored.")
    if isinstance(error, StopIteration):  # a coroutine that waits for a future could never receive it
        return RuntimeError("A piece of work ended with StopIteration.")
    return error


def _from_sqlite(error: sqlite3.Error, store: str, path: Path) -> MultidbChatError:
    code = _primary_code(error)
    if code == sqlite3.SQLITE_FULL or (code in _MAY_BE_FULL and _is_full(path.parent)):
        return _full(store, path)
    if code in _DAMAGED or getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHORT_READ:
        what = f"{_file(store, path)} is damaged or not a database"
        return StoreCorrupt(store, f"{what}: restore a backup, or move it away to begin anew.")
    if code in _BUSY:
        return StoreUnavailable(store, f"{_file(store, path)} is locked by another program; try again later.")
    if code in _BARRED:
        return _barred(store, path, str(error))
    if code == sqlite3.SQLITE_TOOBIG:
        return InvalidInput(f"What was to be stored in the {store} store is too large for one record.")
    if code == sqlite3.SQLITE_IOERR:
        return StoreUnavailable(store, f"{_file(store, path)} cannot be read or written ({error}); check the disk.")
    return StoreError(store, f"{_file(store, path)}: {clean_line(str(error))}")


def _from_system(error: OSError, store: str, path: Path) -> MultidbChatError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(store, path)
    return _barred(store, path, error.strerror or str(error))


def _full(store: str, path: Path) -> StoreFull:
    return StoreFull(store, f"No space is left for {_file(store, path, 'the')}: free some, then try again.")


def _barred(store: str, path: Path, reason: str) -> StoreUnavailable:
    detail = clean_line(reason)
    return StoreUnavailable(
        store, f"{_file(store, path)} cannot be opened or written ({detail}); check it and its folder's permissions."
    )


def _file(store: str, path: Path, article: str = "The") -> str:
    return f"{article} {store} file {clean_line(str(path))}"


def _primary_code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _is_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _NEARLY_NOTHING
