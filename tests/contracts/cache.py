"""What every `Cache` does, written once: a backend's test class gives `open_cache` and `pass_time`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from multidb_chat.domain.cache import Cache, Count, Notification
from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.ids import new_id

OpenCache = Callable[[], Awaitable[Cache]]
PassTime = Callable[[float], Awaitable[None]]
NOON = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)


def a_line(n: int = 0, account: str = "ada", **fields: object) -> Notification:
    line = Notification(f"{n:06}", account, NOON + timedelta(seconds=n), f"Line {n}", "Body", None)
    return line._replace(**fields)


def a_count(operation: str = "turn", account: str = "ada", **fields: Any) -> Count:
    return Count(operation, account, NOON, {"turns": 1})._replace(**fields)


class CacheContract:
    """Give it two fixtures.

    `open_cache` is a function that opens the same, at first empty, cache once more each time; `pass_time` one that lets
    seconds go by for the cache.
    """

    @pytest.fixture
    async def cache(self, open_cache: OpenCache) -> Cache:
        return await open_cache()

    async def test_an_empty_cache_has_nothing(self, cache: Cache):
        assert await cache.get("cache:faq:x") is None
        assert await cache.delete("cache:faq:x") is False
        assert await cache.counters() == await cache.counters("ada") == {}
        assert await cache.days(date.min, date.max) == {}
        assert await cache.notifications("ada") == []
        assert await cache.clear_notifications("ada") == 0
        assert await cache.purge() == 0

    @pytest.mark.parametrize("value", [b"", b"\x00\xff" * 9, b"x" * 2_000_000], ids=["empty", "binary", "large"])
    async def test_a_value_comes_back_until_its_time_is_over(self, cache: Cache, pass_time: PassTime, value: bytes):
        await cache.put("key", value, 60)
        await pass_time(55)
        assert await cache.get("key") == value
        await pass_time(6)
        assert await cache.get("key") is None
        assert await cache.delete("key") is False

    async def test_a_value_is_replaced_with_its_time(self, cache: Cache, pass_time: PassTime):
        await cache.put("key", b"one", 10)
        await cache.put("key", b"two", 100)
        await pass_time(50)
        assert await cache.get("key") == b"two"
        await cache.put("key", b"three", 10)
        await pass_time(11)
        assert await cache.get("key") is None

    @pytest.mark.parametrize("ttl", [0.0, -1.0, float("nan")])
    async def test_a_time_to_live_is_positive(self, cache: Cache, ttl: float):
        with pytest.raises(InvalidInput):
            await cache.put("key", b"value", ttl)

    async def test_a_deleted_value_is_gone(self, cache: Cache):
        await cache.put("key", b"value", 60)
        await cache.put("key2", b"other", 60)
        assert await cache.delete("key") is True
        assert await cache.get("key") is None
        assert await cache.get("key2") == b"other"

    async def test_keys_differ_by_every_character(self, cache: Cache):
        keys = ["a", "A", "a ", "a%", "a_", "ä", "a\u0308", "a'", 'a"', "a\x00", "a\x00b"]
        for n, key in enumerate(keys):
            await cache.put(key, b"%d" % n, 60)
        assert [await cache.get(key) for key in keys] == [b"%d" % n for n in range(len(keys))]

    async def test_every_process_sees_the_same_cache(self, cache: Cache, open_cache: OpenCache):
        other = await open_cache()
        await cache.put("key", b"value", 60)
        assert await other.get("key") == b"value"
        await other.delete("key")
        assert await cache.get("key") is None

    async def test_each_invalidation_begins_a_new_generation_of_its_scope(self, cache: Cache, open_cache: OpenCache):
        other = await open_cache()
        papers, essays = await cache.generation("papers", "essays")
        begun = await asyncio.gather(*(store.invalidate("papers") for store in [cache, other] * 5))
        assert sorted(begun) == list(range(papers + 1, papers + 11))
        assert await other.generation("papers", "essays") == (papers + 10, essays)
        assert await other.generation() == ()

    async def test_a_generation_outlives_a_purge(self, cache: Cache, pass_time: PassTime):
        begun = await cache.invalidate("papers")
        await pass_time(10_000_000)
        await cache.purge()
        assert await cache.generation("papers") == (begun,)

    async def test_an_operation_counts_once_with_all_its_figures(self, cache: Cache, open_cache: OpenCache):
        other = await open_cache()
        counts = [a_count(f"turn-{n}", figures={"turns": 1, "words": n}) for n in range(10)]
        await asyncio.gather(*(store.count([one, one]) for one in counts for store in (cache, other, cache)))
        await other.count(counts)
        assert await other.counters() == await cache.counters("ada") == {"turns": 10, "words": 45}
        assert await cache.days(NOON.date(), NOON.date()) == {NOON.date(): {"turns": 10, "words": 45}}

    async def test_figures_are_kept_by_account_and_for_all_together(self, cache: Cache):
        await cache.count([a_count("1"), a_count("2", "bob"), a_count("3", "bob")])
        assert await cache.counters("ada") == {"turns": 1}
        assert await cache.counters("bob") == {"turns": 2}
        assert await cache.counters() == {"turns": 3}
        assert await cache.days(NOON.date(), NOON.date(), "bob") == {NOON.date(): {"turns": 2}}
        assert await cache.days(NOON.date(), NOON.date(), "eve") == {}

    async def test_a_day_is_a_day_in_utc_and_days_come_by_range(self, cache: Cache):
        late = datetime(2024, 2, 29, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
        await cache.count([a_count("1", at=late), a_count("2"), a_count("3", at=NOON + timedelta(days=9))])
        first, second = NOON.date(), date(2024, 3, 1)
        assert await cache.days(first, second) == {first: {"turns": 1}, second: {"turns": 1}}
        assert await cache.days(second, second) == {second: {"turns": 1}}
        assert len(await cache.days(date.min, date.max)) == 3

    async def test_an_operation_is_remembered_for_a_week(self, cache: Cache, pass_time: PassTime):
        await cache.count([a_count()])
        await pass_time(604_700)
        await cache.purge()
        await cache.count([a_count()])
        assert await cache.counters() == {"turns": 1}
        await pass_time(200)
        await cache.count([a_count()])
        assert await cache.counters() == {"turns": 2}

    async def test_forgetting_an_account_leaves_nothing_of_it_but_the_sums_of_all(self, cache: Cache):
        for account in ("ada", "bob"):
            await cache.put(f"answer of {account}", b"value", 60, account)
            await cache.notify(a_line(account=account))
            await cache.count([a_count(account, account)])
        await cache.put("nobody's", b"value", 60)
        begun = await cache.invalidate("ada")
        await cache.forget("ada")
        await cache.forget("")
        assert await cache.get("answer of ada") is None
        assert await cache.notifications("ada") == []
        assert await cache.counters("ada") == await cache.days(NOON.date(), NOON.date(), "ada") == {}
        assert [await cache.get(key) for key in ("answer of bob", "nobody's")] == [b"value"] * 2
        assert len(await cache.notifications("bob")) == 1
        assert await cache.counters() == {"turns": 2}
        assert await cache.generation("ada") == (begun,)

    async def test_a_value_that_became_somebody_elses_is_not_forgotten(self, cache: Cache):
        for key in ("bob's now", "nobody's now"):
            await cache.put(key, b"of ada", 60, "ada")
        await cache.put("bob's now", b"of bob", 60, "bob")
        await cache.put("nobody's now", b"of nobody", 60)
        await cache.forget("ada")
        assert await cache.get("bob's now") == b"of bob"
        assert await cache.get("nobody's now") == b"of nobody"

    async def test_the_inbox_shows_the_newest_line_first(self, cache: Cache):
        lines = [a_line(n, body=f"\n{n}", task_id="t" if n % 2 else None) for n in range(5)]
        for line in (lines[2], lines[0], lines[4], lines[1], lines[3]):
            await cache.notify(line)
        await cache.notify(a_line(9, "bob"))
        assert await cache.notifications("ada") == lines[::-1]
        assert await cache.notifications("ada", 2) == [lines[4], lines[3]]

    async def test_lines_of_the_same_moment_are_told_apart_by_their_ids(self, cache: Cache):
        lines = [a_line(id=new_id(), at=NOON) for _ in range(3)]
        for line in reversed(lines):
            await cache.notify(line)
        assert await cache.notifications("ada") == lines[::-1]

    async def test_the_same_line_again_changes_nothing(self, cache: Cache):
        await cache.notify(a_line())
        await cache.notify(a_line(title="Changed", at=NOON + timedelta(days=1)))
        assert await cache.notifications("ada") == [a_line()]

    async def test_only_the_latest_thousand_lines_are_kept(self, cache: Cache):
        await asyncio.gather(*(cache.notify(a_line(n)) for n in range(1_005)))
        await cache.notify(a_line(3))
        kept = await cache.notifications("ada", 2_000)
        assert [line.id for line in kept] == [f"{n:06}" for n in range(1_004, 4, -1)]

    async def test_a_cleared_inbox_is_empty(self, cache: Cache):
        await cache.notify(a_line(1))
        await cache.notify(a_line(2))
        await cache.notify(a_line(3, "bob"))
        assert await cache.clear_notifications("ada") == 2
        assert await cache.notifications("ada") == []
        assert len(await cache.notifications("bob")) == 1

    async def test_a_window_slides(self, cache: Cache):
        for now in (100.0, 103.0, 106.0):
            assert await cache.take_rate("login:ada", 3, 10, now) == 0
        assert await cache.take_rate("login:ada", 3, 10, 109.0) == pytest.approx(1)
        assert await cache.take_rate("login:bob", 3, 10, 109.0) == 0
        assert await cache.take_rate("login:ada", 3, 10, 110.0) == 0
        assert await cache.take_rate("login:ada", 3, 10, 110.0) == pytest.approx(3)

    async def test_a_refused_try_takes_no_place(self, cache: Cache):
        assert await cache.take_rate("r", 1, 10, 100.0) == 0
        for tenth in range(1, 100):
            assert await cache.take_rate("r", 1, 10, 100 + tenth / 10) > 0
        assert await cache.take_rate("r", 1, 10, 110.0) == 0

    async def test_waiting_as_long_as_told_is_enough(self, cache: Cache):
        now = 1_700_000_000.123457
        for _ in range(2):
            assert await cache.take_rate("r", 2, 0.7, now) == 0
            now += 0.1
        for _ in range(20):
            wait = await cache.take_rate("r", 2, 0.7, now)
            assert 0 < wait <= 0.7
            now += wait
            assert await cache.take_rate("r", 2, 0.7, now) == 0

    async def test_a_limit_of_nothing_lets_nobody_through(self, cache: Cache):
        assert await cache.take_rate("r", 0, 10, 100.0) > 0

    async def test_a_lower_limit_counts_the_places_taken_under_the_higher_one(self, cache: Cache):
        for now in (100.0, 101.0, 102.0):
            assert await cache.take_rate("r", 3, 10, now) == 0
        assert await cache.take_rate("r", 1, 10, 103.0) == pytest.approx(9)

    async def test_racing_processes_take_no_more_than_the_limit(self, cache: Cache, open_cache: OpenCache):
        stores = [cache, await open_cache(), await open_cache()]
        waits = await asyncio.gather(*(store.take_rate("r", 10, 60, 100.0) for store in stores * 10))
        assert waits.count(0.0) == 10

    async def test_a_clock_set_back_refuses_no_longer_than_a_window(self, cache: Cache):
        assert await cache.take_rate("r", 1, 10, 10_000.0) == 0
        assert 0 < await cache.take_rate("r", 1, 10, 100.0) <= 10
        assert await cache.take_rate("r", 1, 10, 110.5) == 0

    async def test_a_purge_takes_what_is_over_and_nothing_else(self, cache: Cache, pass_time: PassTime):
        await cache.put("short", b"1", 10)
        await cache.put("long", b"2", 1_000)
        await cache.notify(a_line())
        await cache.count([a_count()])
        await pass_time(20)
        assert await cache.purge() in (0, 1)  # a store that drops values by itself has none left to drop
        assert await cache.purge() == 0
        assert await cache.get("long") == b"2"
        assert await cache.notifications("ada") == [a_line()]
        assert await cache.counters() == {"turns": 1}
