"""The one thread of a process that writes to a file, and its group commit."""

import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from multidb_chat.adapters.sqlite.database_file import DatabaseFile

# One slow disk flush is shared by at most so many writes: bounds what a failed commit has to do again.
GROUP_LIMIT = 128


@dataclass(slots=True)
class _Job:
    """A piece of work that waits for the writer, and what became of it inside the open transaction."""

    work: Callable[[sqlite3.Connection], Any]
    future: "Future[Any]" = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None

    def resolve(self, file: DatabaseFile) -> None:
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(file.translated(self.error))


class Writer:
    """Runs pieces of work one after the other; those that wait at the same time share a transaction and a flush."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._waiting: deque[_Job] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{file.store}-writer")
        self._connection: sqlite3.Connection | None = None

    def submit(self, work: Callable[[sqlite3.Connection], Any]) -> "Future[Any]":
        """Queue the work; the future has its result once it is committed. Cancelled before it began, it is dropped."""
        job = _Job(work)
        self._waiting.append(job)
        self._thread.submit(self._drain)
        return job.future

    def close(self) -> None:
        """Finish what waits, end the thread and close the connection."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

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
            job.resolve(self._file)

    def _begin(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._file.connect()
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        """Leave the broken transaction; a connection that cannot is given up."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            connection.close()
            self._connection = None

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
            job.error = error
            job.resolve(self._file)


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
