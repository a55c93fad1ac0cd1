"""`SqliteJournal`: the port `Journal` in one SQLite file that all processes of an installation share."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from multidb_chat.adapters.sqlite import erased
from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.adapters.sqlite.records import Table, micros, moment, rows_at_most
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.journal import Backlog, JournalEntry, Outage

Connection = sqlite3.Connection

# `seq` is never given twice, since what is done is remembered by it.
SCHEMA = (
    f"""
    CREATE TABLE entries (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        store TEXT NOT NULL,
        lane TEXT NOT NULL,
        account_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        at INTEGER NOT NULL,
        refusal TEXT NOT NULL
    );
    CREATE INDEX entries_waiting ON entries (store, seq) WHERE refusal = '';
    CREATE INDEX entries_by_lane ON entries (store, lane, seq);
    CREATE INDEX entries_by_account ON entries (account_id, store, seq);
    CREATE TABLE outages (store TEXT PRIMARY KEY, since INTEGER NOT NULL, error TEXT NOT NULL) WITHOUT ROWID;
    {erased.TABLE}
    """,
)
ENTRIES = Table("entries", JournalEntry)


class SqliteJournal:
    """The port `Journal` in the file `path`, made when something has to wait; the port's docstrings specify it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = Database(path, "journal", SCHEMA)

    async def close(self) -> None:
        """Finish what is being written and close the file."""
        await self._database.close()

    async def add(self, *entries: JournalEntry) -> None:
        def work(connection: Connection) -> None:
            for account_id in {entry.account_id for entry in entries}:
                erased.refuse(connection, account_id)
            connection.executemany(
                "INSERT INTO entries (store, lane, account_id, kind, payload, at, refusal)"
                " VALUES (?, ?, ?, ?, ?, ?, '')",
                [(one.store, one.lane, one.account_id, one.kind, one.payload, micros(one.at)) for one in entries],
            )

        await self._database.write(work)

    async def lane(self, store: str, lane: str) -> list[JournalEntry]:
        clauses = "WHERE store = ? AND lane = ? AND refusal = '' ORDER BY seq"
        return await self._all(clauses, store, lane)

    async def of_account(self, store: str, account_id: str) -> list[JournalEntry]:
        clauses = "WHERE account_id = ? AND store = ? AND refusal = '' ORDER BY seq"
        return await self._all(clauses, account_id, store)

    async def waiting(self, store: str, after: int = 0, limit: int = 500) -> list[JournalEntry]:
        clauses = "WHERE store = ? AND seq > ? AND refusal = '' ORDER BY seq LIMIT ?"
        return await self._all(clauses, store, after, rows_at_most(limit))

    async def refused(self, store: str, limit: int = 100) -> list[JournalEntry]:
        return await self._all("WHERE store = ? AND refusal != '' ORDER BY seq LIMIT ?", store, rows_at_most(limit))

    async def remove(self, seqs: Sequence[int]) -> None:
        await self._each("DELETE FROM entries WHERE seq = ?", [(seq,) for seq in seqs])

    async def refuse(self, refusals: Mapping[int, str]) -> None:
        rows = [(reason or "refused", seq) for seq, reason in refusals.items()]
        await self._each("UPDATE entries SET refusal = ? WHERE seq = ?", rows)

    async def wait_again(self, seqs: Sequence[int]) -> None:
        await self._each("UPDATE entries SET refusal = '' WHERE seq = ?", [(seq,) for seq in seqs])

    async def clear_lane(self, store: str, lane: str) -> int:
        if not self._path.exists():
            return 0
        statement = "DELETE FROM entries WHERE store = ? AND lane = ?"
        return await self._database.write(lambda c: c.execute(statement, (store, lane)).rowcount)

    async def erase(self, account_id: str) -> int:
        def work(connection: Connection) -> int:
            erased.mark(connection, account_id)
            return connection.execute("DELETE FROM entries WHERE account_id = ?", (account_id,)).rowcount

        return await self._database.write(work)

    async def backlog(self, store: str) -> Backlog:
        if not self._path.exists():
            return Backlog()

        def work(connection: Connection) -> Backlog:
            query = "SELECT count(*), min(at) FROM entries WHERE store = ? AND refusal = ''"
            waiting, oldest = connection.execute(query, (store,)).fetchone()
            query = "SELECT count(*) FROM entries WHERE store = ? AND refusal != ''"
            refused = connection.execute(query, (store,)).fetchone()[0]
            return Backlog(waiting, None if oldest is None else moment(oldest), refused)

        return await self._database.read(work)

    @contextmanager
    def replaying(self, store: str) -> Iterator[bool]:
        """Hold a lock (flock(2)) on a file beside the journal."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._path.with_name(f"{self._path.name}.{store}-lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreUnavailable("journal", f"The lock of the journal cannot be made: {error.strerror}.") from error
        try:
            yield _locked(lock)
        finally:
            os.close(lock)

    async def set_outage(self, store: str, outage: Outage | None) -> None:
        if outage is None and not self._path.exists():
            return

        def work(connection: Connection) -> None:
            if outage is None:
                connection.execute("DELETE FROM outages WHERE store = ?", (store,))
                return
            connection.execute(
                "INSERT INTO outages VALUES (?, ?, ?) ON CONFLICT (store)"
                " DO UPDATE SET since = min(since, excluded.since), error = excluded.error",
                (store, micros(outage.since), outage.error),
            )

        await self._database.write(work)

    async def outages(self) -> Mapping[str, Outage]:
        if not self._path.exists():
            return {}
        rows = await self._database.read(lambda c: c.execute("SELECT store, since, error FROM outages").fetchall())
        return {store: Outage(moment(since), error) for store, since, error in rows}

    async def _each(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        def work(connection: Connection) -> None:
            connection.executemany(statement, rows)

        await self._database.write(work)

    async def _all(self, clauses: str, *parameters: object) -> list[JournalEntry]:
        if not self._path.exists():
            return []
        return await self._database.read(lambda c: ENTRIES.all(c, clauses, *parameters))


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
