"""One SQLite file behind an async facade: group commit, parallel readers, several processes, domain errors.

A store is written on top of it like this::

    SCHEMA = ("CREATE TABLE things (id TEXT PRIMARY KEY, body TEXT NOT NULL);",)   # one script a version, only appended

    class SqliteThings:
        def __init__(self, path: Path) -> None:
            self._database = Database(path, "things", SCHEMA)

        async def put(self, thing_id: str, body: str) -> None:
            def work(connection: sqlite3.Connection) -> None:
                try:
                    connection.execute("INSERT INTO things VALUES (?, ?)", (thing_id, body))
                except sqlite3.IntegrityError:
                    raise Conflict(f"There is a thing {thing_id} already.") from None
            await self._database.write(work)

        async def close(self) -> None:
            await self._database.close()

Nothing happens before the first call: no thread, no connection, no file.
"""

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from multidb_chat.adapters.sqlite.database_at_rest import read_at_rest
from multidb_chat.adapters.sqlite.database_errors import is_busy, translated
from multidb_chat.adapters.sqlite.migrations import create_file, migrate, schema_version
from multidb_chat.domain.errors import StoreUnavailable

T = TypeVar("T")

READERS = 4
# One slow disk flush is shared by at most so many writes: bounds what a failed commit has to do again.
GROUP_LIMIT = 128
# A file's log lets readers and a writer of several processes work at once, and is cut back after a large write. A flush
# reaches the platter on macOS too. Sorting goes to memory: a full disk for temporary files would stop reading.
PRAGMAS = (
    "journal_mode = WAL",
    "journal_size_limit = 16777216",
    "fullfsync = ON",
    "foreign_keys = ON",
    "temp_store = 2",
)
_OLDEST_SQLITE = (3, 35, 0)


@dataclass(slots=True)
class _Job:
    """A piece of work that waits for the writer, and what became of it inside the open transaction."""

    work: Callable[[sqlite3.Connection], Any]
    future: "Future[Any]" = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None

    def resolve(self) -> None:
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Database:
    """A SQLite file with one writing thread and up to four reading ones, each started when it is first needed.

    `store` names the port in errors and marks the file. `migrations` are SQL scripts, the file's version is how many it
    has seen. `durable`: an acknowledged write survives a power cut (`synchronous=FULL`), otherwise only the end of the
    process (`NORMAL`). `patience` is how many seconds to wait for another process's lock.

    Work gets a `sqlite3.Connection` in autocommit mode inside a transaction that this class began and ends: it runs
    statements, never BEGIN, COMMIT or ROLLBACK. It may raise domain errors; SQLite's are translated. Text that holds
    lone surrogates is refused with `InvalidInput`, unless it is bound as bytes, see `bindable`.
    """

    def __init__(
        self, path: Path, store: str, migrations: Sequence[str], *, durable: bool = True, patience: float = 10.0
    ) -> None:
        self.path = path
        self.store = store
        self._migrations = migrations
        self._durable = durable
        self._patience = patience
        self._waiting: deque[_Job] = deque()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"{store}-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix=f"{store}-reader")
        self._write_connection: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []
        self._opening = threading.Lock()
        self._created = False
        self._closed = False

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work in the writer, commit, and return its result once it is on the disk.

        Works that wait at the same time share one transaction and one flush; each has a savepoint, so one that raises
        takes back only itself. A work may run twice (after a group could not be committed): it changes nothing but the
        database. Cancelling before it began drops it; later it is committed whole. Raises what the work raises,
        `StoreUnavailable`, `StoreFull`, `StoreCorrupt` or `SchemaTooNew`.
        """
        self._check_open()
        job = _Job(work)
        self._waiting.append(job)
        self._writer.submit(self._drain)
        result: T = await asyncio.wrap_future(job.future)
        return result

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work in a reader and return its result; all its statements see one committed state.

        That state includes every write acknowledged before the call, by any process. Works on a full or read-only disk
        too, unless a killed process left its log behind. Raises like `write`.
        """
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(self._read, work))

    async def close(self) -> None:
        """Finish the waiting works, end the threads and close the file; a second time does nothing."""
        self._closed = True
        await asyncio.to_thread(self._close)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(self.store, f"The {self.store} store is closed.")

    def _close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        while self._idle:
            self._idle.pop().close()
        if self._write_connection is not None:
            self._write_connection.close()  # the last one: it brings the log's content into the file
            self._write_connection = None

    def _drain(self) -> None:
        """Commit what waits by now; while one group is on its way to the disk the next one gathers."""
        group: list[_Job] = []
        while self._waiting and len(group) < GROUP_LIMIT:
            job = self._waiting.popleft()
            if job.future.set_running_or_notify_cancel():
                group.append(job)
        if group:
            self._commit(group)

    def _commit(self, group: list[_Job]) -> None:
        try:
            connection = self._begin()
        except Exception as error:  # noqa: BLE001 - handed to the callers
            self._fail(group, error)
            return
        try:
            for job in group:
                _run_in_savepoint(connection, job)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - handed to the callers
            self._roll_back(connection)
            self._fail_or_separate(group, error)
            return
        for job in group:
            if job.error is not None:
                job.error = translated(job.error, self.store, self.path)
            job.resolve()

    def _begin(self) -> sqlite3.Connection:
        if self._write_connection is None:
            self._write_connection = self._connect()
        self._write_connection.execute("BEGIN IMMEDIATE")
        return self._write_connection

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        """Leave the broken transaction; a connection that cannot is given up."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            connection.close()
            self._write_connection = None

    def _fail_or_separate(self, group: list[_Job], error: Exception) -> None:
        """Find out which of the works the disk or the database can't take; the others go through on their own."""
        if len(group) == 1:
            self._fail(group, error)
            return
        for job in group:
            job.result = job.error = None
            self._commit([job])

    def _fail(self, group: list[_Job], error: Exception) -> None:
        for job in group:
            job.error = translated(error, self.store, self.path)
            job.resolve()

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            try:
                connection = self._reader()
            except sqlite3.OperationalError as error:
                if is_busy(error):
                    raise
                return self._read_at_rest(work, error)
            try:
                connection.execute("BEGIN")
                return work(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._idle.append(connection)
        except Exception as error:
            meaning = translated(error, self.store, self.path)
            if meaning is error:
                raise
            raise meaning from error

    def _read_at_rest(self, work: Callable[[sqlite3.Connection], T], obstacle: sqlite3.Error) -> T:
        """Answer although the file cannot be opened as usual: a full disk must not stop reading."""

        def checked(connection: sqlite3.Connection) -> T:
            connection.text_factory = _text
            version = schema_version(connection, self.path, self.store, len(self._migrations))
            if version < len(self._migrations):
                raise obstacle
            return work(connection)

        return read_at_rest(self.path, checked, obstacle)

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:  # no test before: the reading threads share the list
            return self._connect(read_only=True)

    def _connect(self, read_only: bool = False) -> sqlite3.Connection:
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


def _run_in_savepoint(connection: sqlite3.Connection, job: _Job) -> None:
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.work(connection)
    except Exception as error:
        if not connection.in_transaction:  # SQLite gave up the whole transaction, for example on a full disk
            raise
        connection.execute("ROLLBACK TO job")
        job.error = error
    connection.execute("RELEASE job")


def bindable(text: str) -> str | bytes:
    """Return what to bind for `CAST(? AS TEXT)`, so that text with lone surrogates (file names) is kept exactly."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def prefix_end(prefix: str) -> bytes:
    """Return the end (exclusive, for `CAST(? AS TEXT)`) of the texts that begin with `prefix`: no UTF-8 has 0xFF."""
    return prefix.encode("utf-8", "surrogatepass") + b"\xff"


def _text(raw: bytes) -> str:
    return str(raw, "utf-8", "surrogatepass")
