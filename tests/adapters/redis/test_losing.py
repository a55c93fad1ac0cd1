"""A Redis server that is flushed, killed, restarted or replaced: something may be missing then, nothing is wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from multidb_chat.adapters.redis.cache import RedisCache
from multidb_chat.domain.errors import StoreUnavailable
from tests.adapters.redis.opening import PATIENT
from tests.adapters.redis.processes import RedisProcess, Started, needs_program, told
from tests.contracts.cache import a_count, a_line

pytestmark = needs_program

KEPT = ("appendonly yes", "appendfsync everysec")
Lose = Callable[[RedisProcess], Awaitable[None]]


async def flushed(server: RedisProcess) -> None:
    await told(server.url, "FLUSHALL")


async def flushed_with_its_scripts(server: RedisProcess) -> None:
    await told(server.url, "FLUSHALL")
    await told(server.url, "SCRIPT", "FLUSH")


async def killed(server: RedisProcess) -> None:
    server.kill()
    await server.start()
    await told(server.url, "PING")


async def evicted(server: RedisProcess) -> None:
    await told(server.url, "DEL", "generations")


@pytest.fixture
async def server(started: Started) -> RedisProcess:
    return await started(*KEPT)


@pytest.fixture
async def cache(server: RedisProcess) -> AsyncIterator[RedisCache]:
    cache = RedisCache(server.url, deadline=PATIENT)
    yield cache
    await cache.close()


@pytest.mark.parametrize("lose", [flushed, flushed_with_its_scripts, killed, evicted], ids=lambda lose: lose.__name__)
async def test_a_generation_from_before_a_loss_never_comes_back(cache: RedisCache, server: RedisProcess, lose: Lose):
    seen = set(await cache.generation("papers", "essays"))
    for _ in range(4):
        before = seen.copy()
        seen |= {await cache.invalidate("papers") for _ in range(3)}
        await lose(server)
        after = {*await cache.generation("papers", "essays"), await cache.invalidate("papers")}
        assert not after & (before | seen)
        seen |= after


async def test_an_answer_that_was_being_made_during_a_flush_is_never_served(cache: RedisCache, server: RedisProcess):
    def key(generations: tuple[int, ...]) -> str:
        return f"cache:faq:{generations}"

    being_made = key(await cache.generation("papers"))
    await cache.invalidate("papers")
    await flushed(server)
    await cache.put(being_made, b"from before the change", 60)
    assert await cache.get(key(await cache.generation("papers"))) is None


async def test_an_invalidation_that_a_kill_undoes_keeps_old_answers_unserved(cache: RedisCache, server: RedisProcess):
    generations = await cache.generation("papers")
    await cache.put(f"cache:faq:{generations}", b"from before the change", 600)
    await told(server.url, "BGREWRITEAOF")
    while "aof_rewrite_in_progress:1" in str(await told(server.url, "INFO", "persistence")):
        await asyncio.sleep(0.02)
    # What a second without fsync can cost: the last writes are not in the file that the server comes back from.
    await told(server.url, "CONFIG", "SET", "appendonly", "no")
    await cache.invalidate("papers")
    await killed(server)
    again = await cache.generation("papers")
    assert again != generations
    assert await cache.get(f"cache:faq:{again}") is None


async def test_calls_go_on_after_a_restart(cache: RedisCache, server: RedisProcess):
    await asyncio.gather(*(cache.put(f"key-{n}", b"value", 60) for n in range(20)))
    server.kill()
    with pytest.raises(StoreUnavailable):
        await cache.put("key", b"value", 60)
    await server.start()
    await told(server.url, "PING")
    await cache.put("key", b"value", 60)
    assert await cache.get("key") == b"value"


async def test_everything_works_on_a_server_that_was_flushed_in_between(cache: RedisCache, server: RedisProcess):
    for operation in ("before", "after"):
        await cache.put("key", b"value", 60, "ada")
        await cache.count([a_count(operation)])
        await cache.notify(a_line())
        assert await cache.take_rate("r", 1, 10, 100.0) == 0
        assert await cache.get("key") == b"value"
        assert await cache.counters() == {"turns": 1}
        assert await cache.notifications("ada") == [a_line()]
        await told(server.url, "FLUSHALL")
        assert await cache.get("key") is None
        assert await cache.counters() == await cache.days(*[a_count().at.date()] * 2) == {}
        assert await cache.notifications("ada") == []
