"""The cache on Redis: the contract, the state machine, and what only a server can do to it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import settings

from multidb_chat.adapters.redis.cache import RedisCache
from multidb_chat.domain.errors import InvalidInput
from tests.adapters.redis.opening import Place
from tests.contracts.cache import NOON, CacheContract, OpenCache, PassTime, a_count, a_line
from tests.contracts.cache_machine import CacheMachine
from tests.servers import needs, url_of

pytestmark = needs("redis")


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with Place(url_of("redis")) as place:
        yield place


@pytest.fixture
def open_cache(place: Place) -> OpenCache:
    return place.open_cache


@pytest.fixture
async def cache(place: Place) -> RedisCache:
    return await place.open_cache()


class TestRedisCache(CacheContract):
    @pytest.fixture
    def pass_time(self, place: Place) -> PassTime:
        return place.pass_time


class RedisCacheMachine(CacheMachine):
    async def open(self) -> RedisCache:
        if not hasattr(self, "place"):
            self.place = Place(url_of("redis"))
        return await self.place.open_cache()

    async def close(self) -> None:
        await self.cache.close()

    async def pass_time(self, seconds: float) -> None:
        await self.place.pass_time(seconds)

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.runner.run(self.place.__aexit__(None, None, None))
        super().teardown()


TestRedisCacheMachine = RedisCacheMachine.TestCase
TestRedisCacheMachine.settings = settings(max_examples=8, stateful_step_count=30, deadline=None)


async def test_keys_have_the_names_that_the_port_gives_them(cache: RedisCache, place: Place):
    await cache.put("cache:faq:1", b"answer", 60, "ada")
    await cache.put("session:temp:1", b"guest", 60)
    await cache.count([a_count(figures={"turns": 2})])
    await cache.notify(a_line())
    await cache.take_rate("login", 3, 10, place.now)
    names = {name.decode().removeprefix(place.prefix) for name in await place.keys()}
    assert names >= {
        "cache:faq:1", "session:temp:1", "analytics:counter:turns", "analytics:daily:2024-02-29",
        "notifications:user:ada", "rate:login",
    }  # fmt: skip
    assert await place.redis.get(f"{place.prefix}analytics:counter:turns") == b"2"
    assert 0 < await place.redis.pttl(f"{place.prefix}cache:faq:1") <= 60_000


async def test_what_evictions_may_take_is_only_what_may_be_missing(cache: RedisCache, place: Place):
    await cache.put("cache:faq:1", b"answer", 60, "ada")
    await cache.invalidate("papers")
    await cache.count([a_count()])
    await cache.notify(a_line())
    may_go = [name for name in await place.keys() if await place.redis.pttl(name) >= 0]
    kinds = {name.decode().removeprefix(place.prefix).partition("2024")[0] for name in may_go}
    assert kinds == {"cache:faq:1", "analytics:operation:turn", "analytics:daily:", "account:ada:daily:"}


async def test_a_forgotten_account_leaves_no_key(cache: RedisCache, place: Place):
    await cache.put("cache:faq:1", b"answer", 60, "ada")
    await cache.count([a_count(n, at=NOON + timedelta(days=day)) for day, n in enumerate("abc")])
    await cache.notify(a_line())
    await cache.forget("ada")
    assert [name for name in await place.keys() if b"ada" in name] == []
    assert await place.redis.zcard(f"{place.prefix}accounts") == 0


async def test_sets_of_keys_that_are_gone_go_too(cache: RedisCache, place: Place):
    for n in range(30):
        await cache.put(f"cache:faq:{n}", b"answer", 0.001, f"account-{n}")
    await asyncio.sleep(0.01)
    await cache.purge()
    assert [name for name in await place.keys() if b":keys" in name] == []
    await cache.put("cache:faq:1", b"answer", 60, "ada")
    await cache.put("cache:faq:2", b"answer", 0.001, "ada")
    await asyncio.sleep(0.01)
    await cache.put("cache:faq:3", b"answer", 60, "ada")
    assert len(await place.redis.zrange(f"{place.prefix}account:ada:keys", 0, -1)) == 2


async def test_scripts_that_the_server_forgot_are_sent_again(cache: RedisCache, place: Place):
    await cache.count([a_count("1")])
    await place.redis.script_flush()
    await asyncio.gather(*(cache.count([a_count(f"{n}")]) for n in range(1, 6)))
    assert await cache.counters() == {"turns": 5}


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x63\x00new form", b"\x02\x00not deflated"])
async def test_what_cannot_be_read_is_no_value(cache: RedisCache, place: Place, stored: bytes):
    await place.redis.set(f"{place.prefix}key", stored)
    assert await cache.get("key") is None


async def test_texts_are_deflated_and_vectors_are_not(cache: RedisCache, place: Place):
    vector = bytes((n * n * 31 + n * 7) % 251 for n in range(4_096))
    await cache.put("text", b"The churn was 6.4 percent. " * 200, 60, "ada")
    await cache.put("vector", vector, 60)
    assert await place.redis.strlen(f"{place.prefix}text") < 500
    assert await place.redis.strlen(f"{place.prefix}vector") <= len(vector) + 2
    assert await cache.get("vector") == vector


async def test_any_text_is_a_notification(cache: RedisCache):
    line = a_line(title="\udcff.pdf \x00'", body="\ud83d\ude00 half and whole \U0001f600")
    await cache.notify(line)
    assert await cache.notifications("ada") == [line]


async def test_a_day_that_is_over_its_time_is_not_counted_anew(cache: RedisCache, place: Place):
    place.now = (NOON + timedelta(days=91)).timestamp()
    await cache.count([a_count()])
    assert await cache.days(NOON.date(), NOON.date()) == {}
    assert await cache.counters() == {"turns": 1}


async def test_numbers_that_cannot_be_counted_exactly_are_refused(cache: RedisCache):
    with pytest.raises(InvalidInput, match="too large"):
        await cache.count([a_count(figures={"turns": 2**60})])
