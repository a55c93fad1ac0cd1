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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from multidb_chat.adapters.sqlite.database_errors import is_busy
from multidb_chat.adapters.sqlite.database_file import DatabaseFile
from multidb_chat.adapters.sqlite.database_writer import Writer
from multidb_chat.domain.errors import StoreUnavailable

T = TypeVar("T")

READERS = 4


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
        self._file = DatabaseFile(path, store, migrations, durable, patience)
        self._writer = Writer(self._file)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix=f"{store}-reader")
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work in the writer, commit, and return its result once it is on the disk.

        Works that wait at the same time share one transaction and one flush; each has a savepoint, so one that raises
        takes back only itself. A work may run twice (after a group could not be committed): it changes nothing but the
        database. Cancelling before it began drops it; later it is committed whole. Raises what the work raises,
        `StoreUnavailable`, `StoreFull`, `StoreCorrupt` or `SchemaTooNew`.
        """
        self._check_open()
        result: T = await asyncio.wrap_future(self._writer.submit(work))
        return result

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work in a reader and return its result; all its statements see one committed state.

        That state includes every write acknowledged before the call, by any process. Works on a full or read-only disk
        too, unless a killed process left its log behind. Raises like `write`.
        """
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(self._read, work))

    async def look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work that reads a few rows by their keys, like `read`, but at once, where a reader is open and idle.

        Such a read takes 10 to 30 us, and handing it to a thread and back some 100. Until it ends nothing else runs in
        the loop: that is for rows found by an index, never for scans, lists without a limit, or searches.
        """
        self._check_open()
        return self._read(work) if self._idle else await self.read(work)

    async def close(self) -> None:
        """Finish the waiting works, end the threads and close the file; a second time does nothing."""
        self._closed = True
        await asyncio.to_thread(self._close)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(self._file.store, f"The {self._file.store} store is closed.")

    def _close(self) -> None:
        self._readers.shutdown()
        while self._idle:
            self._idle.pop().close()
        self._writer.close()  # the last connection: it brings the log's content into the file

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            try:
                connection = self._reader()
            except sqlite3.OperationalError as error:
                if is_busy(error):
                    raise
                return self._file.read_at_rest(work, error)
            try:
                connection.execute("BEGIN")
                return work(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._idle.append(connection)
        except Exception as error:  # noqa: BLE001 - raised again, as what it means
            meaning = self._file.translated(error)
            raise meaning from error if meaning is not error else error.__cause__

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:  # no test before: the reading threads share the list
            return self._file.connect(read_only=True)


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
