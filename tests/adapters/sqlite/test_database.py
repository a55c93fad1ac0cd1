"""The file under every embedded store: group commit, isolation, cancelling, closing, who may open it."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.database import READERS, Database
from multidb_chat.domain.errors import Conflict, InvalidInput, StoreError, StoreUnavailable

SCHEMA = ("CREATE TABLE things (id TEXT PRIMARY KEY, body TEXT);\nCREATE TABLE notes (body TEXT);",)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "folder" / "things.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    database = Database(path, "things", SCHEMA, patience=0.3)
    yield database
    await database.close()


def add(key: str, body: str = ""):
    return lambda connection: connection.execute("INSERT INTO things VALUES (?, ?)", (key, body)).rowcount


def keys(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT id FROM things ORDER BY id")]


def commits_in_log(path: Path) -> int:
    """Count the frames of the write-ahead log that end a transaction (https://www.sqlite.org/fileformat.html, 4.1)."""
    log = Path(f"{path}-wal").read_bytes()
    frame = 24 + int.from_bytes(log[8:12])
    return sum(
        1 for at in range(32, len(log), frame) if any(log[at + 4 : at + 8]) and log[at + 8 : at + 16] == log[16:24]
    )


class Gate:
    """A work that holds the writer until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, connection: sqlite3.Connection) -> str:
        self.entered.set()
        assert self.opened.wait(30)
        connection.execute("INSERT INTO things VALUES ('gate', '')")
        return "through"


async def hold(database: Database, gate: Gate) -> "asyncio.Task[str]":
    held = asyncio.create_task(database.write(gate))
    await asyncio.to_thread(gate.entered.wait, 30)
    return held


async def test_nothing_happens_before_the_first_call(path: Path):
    threads = threading.active_count()
    database = Database(path, "things", SCHEMA)
    await database.close()
    assert not path.parent.exists()
    assert threading.active_count() <= threads + 1  # the thread that asyncio closes in


async def test_the_file_is_its_owners_alone(database: Database, path: Path):
    await database.write(add("a"))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for name in ("things.db", "things.db-wal", "things.db-shm"):
        assert stat.S_IMODE((path.parent / name).stat().st_mode) == 0o600


async def test_a_write_is_read_after_it_was_acknowledged(database: Database):
    for n in range(30):
        assert await database.write(add(str(n))) == 1
        assert str(n) in await database.read(keys)


async def test_writes_that_wait_together_share_one_commit(database: Database, path: Path):
    await database.write(add("first"))
    before = commits_in_log(path)
    gate = Gate()
    held = await hold(database, gate)
    waiting = [asyncio.create_task(database.write(add(str(n)))) for n in range(100)]
    await asyncio.sleep(0)
    gate.opened.set()
    assert await held == "through"
    assert await asyncio.gather(*waiting) == [1] * 100
    assert commits_in_log(path) - before == 2


async def test_a_work_that_raises_takes_back_only_itself(database: Database):
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO things VALUES ('half', '')")
        raise Conflict("no")

    gate = Gate()
    held = await hold(database, gate)
    works = [add("a"), half, add("a"), add("b")]
    waiting = asyncio.gather(*map(database.write, works), return_exceptions=True)
    await asyncio.sleep(0)
    gate.opened.set()
    await held
    first, refused, doubled, last = await waiting
    assert (first, last) == (1, 1)
    assert isinstance(refused, Conflict)
    assert "UNIQUE constraint" in str(doubled)
    assert await database.read(keys) == ["a", "b", "gate"]


async def test_a_work_that_breaks_the_whole_transaction_harms_no_other(database: Database):
    def breaks(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO things VALUES ('broken', '')")
        connection.execute("ROLLBACK")  # what SQLite does by itself on a full disk
        raise sqlite3.OperationalError("as if the disk were full")

    gate = Gate()
    held = await hold(database, gate)
    waiting = asyncio.gather(*map(database.write, [add("a"), breaks, add("b")]), return_exceptions=True)
    await asyncio.sleep(0)
    gate.opened.set()
    await held
    first, broken, last = await waiting
    assert (first, last) == (1, 1)
    assert "as if the disk were full" in str(broken)
    assert await database.read(keys) == ["a", "b", "gate"]


async def test_all_statements_of_a_read_see_one_state(database: Database):
    await database.write(add("a"))
    inside, go_on = threading.Event(), threading.Event()

    def twice(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
        before = keys(connection)
        inside.set()
        assert go_on.wait(30)
        return before, keys(connection)

    reading = asyncio.create_task(database.read(twice))
    await asyncio.to_thread(inside.wait, 30)
    await database.write(add("b"))
    go_on.set()
    assert await reading == (["a"], ["a"])
    assert await database.read(keys) == ["a", "b"]


async def test_a_reader_cannot_write(database: Database):
    with pytest.raises(StoreUnavailable, match="readonly"):
        await database.read(add("a"))
    assert await database.read(keys) == []


async def test_a_look_sees_what_was_acknowledged_and_needs_no_thread_once_a_reader_is_open(database: Database):
    await database.write(add("a"))
    assert await database.look(keys) == ["a"]
    await database.write(add("b"))
    assert await database.look(lambda c: (keys(c), threading.get_ident())) == (["a", "b"], threading.get_ident())


async def test_a_look_waits_for_a_thread_while_all_readers_work(database: Database):
    await database.write(add("a"))
    entered, opened = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> list[str]:
        entered.set()
        assert opened.wait(30)
        return keys(connection)

    reading = asyncio.create_task(database.read(slow))
    await asyncio.to_thread(entered.wait, 30)
    assert await database.look(lambda c: threading.get_ident()) != threading.get_ident()
    opened.set()
    assert await reading == ["a"]


async def test_a_look_that_raises_leaves_its_reader_usable_and_cannot_write(database: Database):
    await database.write(add("a"))
    await database.look(keys)
    with pytest.raises(StoreError, match="no such table"):
        await database.look(lambda c: c.execute("SELECT * FROM elsewhere"))
    with pytest.raises(StoreError, match="readonly"):
        await database.look(add("b"))
    assert await database.look(keys) == ["a"]


async def test_readers_work_side_by_side_while_the_writer_is_busy(database: Database):
    gate = Gate()
    held = await hold(database, gate)
    together = threading.Barrier(READERS)

    def meet(connection: sqlite3.Connection) -> int:
        together.wait(30)
        return len(keys(connection))

    assert await asyncio.gather(*(database.read(meet) for _ in range(READERS))) == [0] * READERS
    gate.opened.set()
    await held


async def test_a_write_cancelled_before_it_began_never_happens(database: Database):
    gate = Gate()
    held = await hold(database, gate)
    dropped, kept = (
        asyncio.create_task(database.write(add("dropped"))),
        asyncio.create_task(database.write(add("kept"))),
    )
    await asyncio.sleep(0)
    dropped.cancel()
    gate.opened.set()
    assert (await held, await kept) == ("through", 1)
    assert dropped.cancelled()
    assert await database.read(keys) == ["gate", "kept"]


async def test_a_write_cancelled_while_it_runs_is_committed_whole(database: Database):
    gate = Gate()
    held = await hold(database, gate)
    held.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held
    gate.opened.set()
    await database.write(add("later"))
    assert await database.read(keys) == ["gate", "later"]


async def test_a_cancelled_read_leaves_its_reader_usable(database: Database):
    go_on = threading.Event()
    waiting = [asyncio.create_task(database.read(lambda _: go_on.wait(30))) for _ in range(3 * READERS)]
    await asyncio.sleep(0.01)
    for task in waiting:
        task.cancel()
    go_on.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await database.read(keys) == []


async def test_closing_finishes_what_waits_and_ends_the_threads(path: Path):
    database = Database(path, "things", SCHEMA)
    writes = [asyncio.create_task(database.write(add(str(n)))) for n in range(300)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writes) == [1] * 300
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("things-")]
    assert not Path(f"{path}-wal").exists(), "the log was not brought into the file"
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (300,)


async def test_a_closed_store_says_so(path: Path):
    database = Database(path, "things", SCHEMA)
    await database.write(add("a"))
    await database.close()
    await database.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.write(add("b"))
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.read(keys)


async def test_another_programs_lock_ends_in_an_error_and_then_in_success(database: Database, path: Path):
    await database.write(add("a"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match=r"things file .* is locked by another program") as caught:
        await database.write(add("b"))
    assert caught.value.store == "things"
    assert await database.read(keys) == ["a"]
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(add("b")) == 1


async def test_a_lock_that_is_given_up_in_time_is_waited_for(path: Path):
    database = Database(path, "things", SCHEMA, patience=30)
    await database.write(add("a"))
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(database.write(add("b")))
    await asyncio.sleep(0.1)
    assert not writing.done()
    other.execute("ROLLBACK")
    other.close()
    assert await writing == 1
    await database.close()


async def test_all_who_open_a_new_file_at_once_get_in(tmp_path: Path):
    for turn in range(20):
        databases = [Database(tmp_path / f"{turn}.db", "things", SCHEMA, patience=30) for _ in range(4)]
        calls = [
            call for n, database in enumerate(databases) for call in (database.read(keys), database.write(add(str(n))))
        ]
        await asyncio.gather(*calls)
        for database in databases:
            assert await database.read(keys) == ["0", "1", "2", "3"]
            await database.close()


async def test_half_a_character_is_refused_and_a_huge_number_too(database: Database):
    for body in ("\ud83d", 2**64):
        with pytest.raises(InvalidInput):
            await database.write(add("a", body))
        with pytest.raises(InvalidInput):
            await database.read(lambda c, body=body: c.execute("SELECT ?", (body,)).fetchone())
    assert await database.read(keys) == []


async def test_a_fault_of_the_program_is_not_hidden(database: Database):
    with pytest.raises(ZeroDivisionError):
        await database.write(lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await database.read(lambda _: 1 // 0)
    for call in (database.write, database.read):
        with pytest.raises(RuntimeError, match="StopIteration"):
            await call(lambda connection: next(connection.execute("SELECT 1 WHERE false")))


async def test_deleting_a_parent_row_takes_its_children_along(path: Path):
    tables = "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a INTEGER REFERENCES a ON DELETE CASCADE)"
    database = Database(path, "family", (tables,))
    await database.write(lambda c: c.execute("INSERT INTO a VALUES (1)") and None)
    await database.write(lambda c: c.execute("INSERT INTO b VALUES (1)") and None)
    await database.write(lambda c: c.execute("DELETE FROM a") and None)
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM b").fetchone()) == (0,)
    await database.close()


async def test_what_is_acknowledged_is_flushed_and_a_cache_is_not(tmp_path: Path):
    for durable, expected in ((True, 2), (False, 1)):
        database = Database(tmp_path / f"{durable}.db", "things", SCHEMA, durable=durable)
        assert await database.write(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (expected,)
        assert await database.read(lambda c: c.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
        await database.close()
