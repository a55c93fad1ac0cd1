"""A SQLite file as a place to connect to: made when it is missing, its schema up to date, its errors translated."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from multidb_chat.adapters.sqlite.database_at_rest import read_at_rest
from multidb_chat.adapters.sqlite.database_errors import is_busy, translated
from multidb_chat.adapters.sqlite.migrations import create_file, migrate, schema_version
from multidb_chat.domain.errors import StoreUnavailable

T = TypeVar("T")

# A file's log lets readers and a writer of several processes work at once, and is cut back after a large write. A flush
# reaches the platter on macOS too. Sorting goes to memory: a full disk for temporary files would stop reading.
# What is deleted is overwritten, so that what somebody had erased is not in the file any more.
PRAGMAS = (
    "journal_mode = WAL",
    "journal_size_limit = 16777216",
    "fullfsync = ON",
    "foreign_keys = ON",
    "secure_delete = ON",
    "temp_store = 2",
)
_OLDEST_SQLITE = (3, 35, 0)


class DatabaseFile:
    """Where a store lives; see `Database` for the arguments."""

    def __init__(self, path: Path, store: str, migrations: Sequence[str], durable: bool, patience: float) -> None:
        self.path = path
        self.store = store
        self._migrations = migrations
        self._durable = durable
        self._patience = patience
        self._opening = threading.Lock()
        self._created = False

    def connect(self, read_only: bool = False) -> sqlite3.Connection:
        """Open a connection, the first one with the schema brought up to date, as long as patience lasts.

        The busy timeout does not cover the switch to write-ahead logging, so opening is tried again here.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            needed = ".".join(map(str, _OLDEST_SQLITE))
            raise StoreUnavailable(self.store, f"SQLite {needed} is needed, this is {sqlite3.sqlite_version}.")
        end = time.monotonic() + self._patience
        while True:
            try:
                with self._opening:
                    return self._open(read_only)
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > end:
                    raise
            time.sleep(0.01)

    def _open(self, read_only: bool) -> sqlite3.Connection:
        if not self._created:
            create_file(self.path)
        connection = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            connection.text_factory = _text
            version = schema_version(connection, self.path, self.store, len(self._migrations))
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
            if version < len(self._migrations):
                migrate(connection, self.path, self.store, self._migrations)
            self._created = True
            connection.execute(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
        except BaseException:
            connection.close()
            raise
        return connection

    def read_at_rest(self, work: Callable[[sqlite3.Connection], T], obstacle: sqlite3.Error) -> T:
        """Answer although the file cannot be opened as usual: a full disk must not stop reading."""

        def checked(connection: sqlite3.Connection) -> T:
            connection.text_factory = _text
            version = schema_version(connection, self.path, self.store, len(self._migrations))
            if version < len(self._migrations):
                raise obstacle
            return work(connection)

        return read_at_rest(self.path, checked, obstacle)

    def translated(self, error: Exception) -> Exception:
        """Return the domain error for what a piece of work raised here, with its cause."""
        meaning = translated(error, self.store, self.path)
        if meaning is not error:
            meaning.__cause__ = error
        return meaning


def _text(raw: bytes) -> str:
    return str(raw, "utf-8", "surrogatepass")
