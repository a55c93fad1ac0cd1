"""`SqliteUpkeep`: the port `FileUpkeep` for a store in one SQLite file."""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from multidb_chat.adapters.sqlite.database_errors import translated
from multidb_chat.adapters.sqlite.migrations import create_file, schema_version
from multidb_chat.adapters.sqlite.records import moment
from multidb_chat.domain.errors import StoreCorrupt, StoreError
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.upkeep import Progress, StoreReport

T = TypeVar("T")

_PATIENCE = 2.0  # seconds; nobody holds a store for longer by the way
_STEP = 4_096  # pages copied at once: 16 MB, some hundredths of a second
_MOST_PROBLEMS = 20


class SqliteUpkeep:
    """Looks after the file `path` of the store `store`.

    `counts` are statements by kind of record, `newest` the one that gives the time of the latest record (microseconds
    or ISO 8601).
    """

    on_server = False

    def __init__(
        self, path: Path, store: str, migrations: Sequence[str], counts: Mapping[str, str], newest: str
    ) -> None:
        self._path = path
        self._migrations = migrations
        self._counts = counts
        self._newest = newest
        self.store = store

    async def report(self) -> StoreReport:
        """Return what the file holds. Raises `StoreError`."""
        return await self._run(self._report)

    async def problems(self) -> list[str]:
        """Check the whole file: its pages, its indices, and what its rows refer to."""
        return await self._run(self._problems)

    async def obstacle(self) -> str:
        """Begin to write, and take it back."""
        try:
            await self._run(self._try_to_write)
        except StoreError as error:
            return str(error)
        return ""

    async def save(self, target: Path, progress: Progress = lambda _: None) -> int:
        """Copy the file by SQLite's online backup, in one read transaction: writers neither wait nor get into it."""
        stop = threading.Event()
        try:
            return await self._run(lambda: self._save(target, progress, stop))
        except asyncio.CancelledError:
            stop.set()
            raise

    async def check_copy(self, copy: Path) -> None:
        """Check a copy like the file itself. Raises `StoreCorrupt` or `SchemaTooNew`."""
        await self._run(lambda: self._check(copy), copy)

    async def _run(self, work: Callable[[], T], path: Path | None = None) -> T:
        def guarded() -> T:
            try:
                return work()
            except (sqlite3.Error, OSError) as error:
                raise translated(error, self.store, path or self._path) from error

        return await asyncio.to_thread(guarded)

    def _report(self) -> StoreReport:
        shown = clean_line(str(self._path))
        if not self._path.exists():
            return StoreReport(self.store, shown, 0, len(self._migrations), 0)
        size = sum(path.stat().st_size for path in _files(self._path) if path.exists())
        with self._reading(self._path) as (connection, version):
            if version < len(self._migrations):  # it is brought up to date by the next program that uses it
                return StoreReport(self.store, shown, version, len(self._migrations), size)
            counts = {kind: _number(connection, query) for kind, query in self._counts.items()}
            newest = connection.execute(self._newest).fetchone()[0]
        return StoreReport(self.store, shown, version, version, size, counts, _time(newest))

    def _problems(self) -> list[str]:
        if not self._path.exists():
            return []
        try:
            with self._reading(self._path) as (connection, _):
                return _wrong_in(connection)
        except (sqlite3.Error, OSError, StoreError) as error:
            return [str(translated(error, self.store, self._path))]

    def _try_to_write(self) -> None:
        if not self._path.exists():
            return
        with contextlib.closing(sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    def _save(self, target: Path, progress: Progress, stop: threading.Event) -> int:
        def copied(_: int, remaining: int, total: int) -> None:
            if stop.is_set():
                raise InterruptedError
            progress(1.0 if not total else 1 - remaining / total)

        create_file(target)
        if not self._path.exists():
            progress(1.0)
            return 0
        with self._reading(self._path) as (source, version), contextlib.closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=_STEP, progress=copied)
            copy.execute("PRAGMA journal_mode = DELETE")
        _sync(target)
        return version

    def _check(self, copy: Path) -> None:
        with self._reading(copy) as (connection, _):
            wrong = _wrong_in(connection)
        if wrong:
            raise StoreCorrupt(self.store, f"The copy of the {self.store} store is damaged: {wrong[0]}")

    @contextlib.contextmanager
    def _reading(self, path: Path) -> Iterator[tuple[sqlite3.Connection, int]]:
        """Give one state of the file, and the version of its schema. Raises like `schema_version`."""
        uri = f"{path.absolute().as_uri()}?mode=rw"  # reading a log needs the right to write; nothing is made
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)) as connection:
            version = schema_version(connection, path, self.store, len(self._migrations))
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master")  # from here on the state stays the same
            yield connection, version


def _wrong_in(connection: sqlite3.Connection) -> list[str]:
    found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})")]
    wrong = [clean_line(line) for line in found if line != "ok"]
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_PROBLEMS):
        wrong.append(f"row {row} of {table} refers to nothing in {parent}")
    return wrong


def _files(path: Path) -> tuple[Path, Path, Path]:
    return path, Path(f"{path}-wal"), Path(f"{path}-shm")


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _time(stored: int | str | None) -> datetime | None:
    if stored is None:
        return None
    return moment(stored) if isinstance(stored, int) else datetime.fromisoformat(stored)


def _sync(path: Path) -> None:
    for one in (path, path.parent):
        descriptor = os.open(one, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
