"""Reading a file where SQLite cannot make the two files beside it that processes share: on a full or read-only disk.

A file that nobody writes needs neither of them, if SQLite is told that it is immutable
(https://www.sqlite.org/uri.html#uriimmutable). Whether that was true is looked at before and after.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def read_at_rest(path: Path, work: Callable[[sqlite3.Connection], T], obstacle: sqlite3.Error) -> T:
    """Return what the work reads from the file as it lies there; raise `obstacle` when somebody may be writing it."""
    before = _state(path)
    if before is None:
        raise obstacle
    uri = f"{path.absolute().as_uri()}?immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        result = work(connection)
    if _state(path) != before:
        raise obstacle
    return result


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
