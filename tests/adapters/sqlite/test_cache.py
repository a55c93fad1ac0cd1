"""The cache in SQLite: the contract, the state machine, its clock, and a file that may be damaged."""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.domain.errors import SchemaTooNew, StoreUnavailable
from tests.contracts.cache import CacheContract, OpenCache, PassTime, a_line
from tests.contracts.cache_machine import START, CacheMachine


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    async def pass_time(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def open_cache(path: Path, clock: Clock) -> AsyncIterator[OpenCache]:
    opened: list[SqliteCache] = []

    async def open_cache() -> SqliteCache:
        opened.append(SqliteCache(path, clock))
        return opened[-1]

    yield open_cache
    for cache in opened:
        await cache.close()


class TestSqliteCache(CacheContract):
    @pytest.fixture
    def pass_time(self, clock: Clock) -> PassTime:
        return clock.pass_time


class SqliteCacheMachine(CacheMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.pass_time = self.clock.pass_time

    async def open(self) -> SqliteCache:
        self.opened = SqliteCache(self.folder / "cache.db", self.clock)
        return self.opened

    async def close(self) -> None:
        await self.opened.close()

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


TestSqliteCacheMachine = SqliteCacheMachine.TestCase
TestSqliteCacheMachine.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)


async def test_a_clock_set_back_makes_no_value_immortal(open_cache: OpenCache, clock: Clock):
    cache = await open_cache()
    await cache.put("key", b"value", 100)
    clock.now -= 30
    assert await cache.get("key") == b"value", "a small correction of the clock costs nothing"
    clock.now -= 3_600
    assert await cache.get("key") is None
    assert await cache.delete("key") is False
    await cache.put("key", b"new", 100)
    assert await cache.get("key") == b"new"


async def test_values_from_the_future_are_purged(open_cache: OpenCache, clock: Clock):
    cache = await open_cache()
    await cache.put("key", b"value", 100)
    clock.now -= 3_600
    assert await cache.purge() == 1


async def test_values_that_are_over_leave_the_file_without_a_purge(open_cache: OpenCache, clock: Clock, path: Path):
    cache = await open_cache()
    for n in range(300):
        await cache.put(f"key-{n}", b"x" * 10_000, 60)
        clock.now += 30
    assert path.stat().st_size < 1_000_000


async def test_a_place_of_a_long_gone_name_is_purged(open_cache: OpenCache, clock: Clock, path: Path):
    cache = await open_cache()
    assert await cache.take_rate("guest:1", 3, 60, clock.now) == 0
    clock.now += 61
    await cache.purge()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM places").fetchone() == (0,)


async def test_any_text_is_a_notification(open_cache: OpenCache):
    cache = await open_cache()
    line = a_line(title="\udcff.pdf \x00'", body="\ud83d\ude00 half and whole \U0001f600")
    await cache.notify(line)
    assert await cache.notifications("ada") == [line]


@pytest.mark.parametrize("damage", ["garbage", "half", "middle"])
async def test_a_damaged_file_is_made_anew_without_an_error(open_cache: OpenCache, path: Path, damage: str):
    cache = await open_cache()
    for n in range(50):
        await cache.put(f"key-{n}", b"x" * 10_000, 60)
    await cache.close()
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(
        {"garbage": b"no database " * 999, "half": whole[:half], "middle": whole[:4096] + b"\xee" * half}[damage]
    )
    cache = await open_cache()
    values = await asyncio.gather(*(cache.get(f"key-{n}") for n in range(50)))
    assert values == [None] * 50
    await cache.put("key", b"value", 60)
    assert await (await open_cache()).get("key") == b"value"
    assert path.with_name("cache.db.damaged").exists()


async def test_a_file_damaged_while_it_is_open_is_made_anew(open_cache: OpenCache, path: Path):
    cache = await open_cache()
    await cache.put("key", b"x" * 100_000, 60)
    await cache.close()
    cache = await open_cache()
    await cache.counters()
    with path.open("r+b") as file:
        file.write(b"\xee" * path.stat().st_size)
    writes = [cache.put(f"key-{n}", b"new", 60) for n in range(20)]
    reads = [cache.get(f"key-{n}") for n in range(20)]
    results = await asyncio.gather(*writes, *reads)
    assert set(results) <= {None, b"new"}
    await cache.put("key", b"new", 60)
    assert await cache.get("key") == b"new"


async def test_a_lost_file_is_made_anew(open_cache: OpenCache, path: Path):
    cache = await open_cache()
    await cache.put("key", b"value", 60)
    await cache.close()
    path.unlink()
    cache = await open_cache()
    assert await cache.get("key") is None
    await cache.put("key", b"value", 60)


async def test_a_file_that_is_made_anew_repeats_no_generation(open_cache: OpenCache, path: Path):
    seen: set[int] = set()
    for _ in range(3):
        cache = await open_cache()
        generations = {*await cache.generation("papers", "essays"), await cache.invalidate("papers")}
        assert not generations & seen
        seen |= generations
        await cache.close()
        path.unlink()


async def test_another_programs_database_is_left_alone(open_cache: OpenCache, path: Path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE precious (data)")
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="holds something else"):
        await (await open_cache()).put("key", b"value", 60)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["cache.db"]


async def test_a_cache_of_a_newer_program_is_left_alone(open_cache: OpenCache, path: Path):
    cache = await open_cache()
    await cache.put("key", b"value", 60)
    await cache.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SchemaTooNew, match="update the program"):
        await (await open_cache()).get("key")
