"""Looking after a cache on Redis: what it says of itself, and what had better be otherwise."""

import asyncio

import pytest

from multidb_chat.adapters.redis.cache import RedisCache
from multidb_chat.adapters.redis.upkeep import RedisUpkeep
from multidb_chat.domain.errors import StoreUnavailable
from tests.adapters.redis.opening import PATIENT, with_prefix
from tests.adapters.redis.processes import RedisProcess, Started, free_port, needs_program, told
from tests.contracts.cache import a_count

pytestmark = needs_program


def upkeep_of(server: RedisProcess) -> RedisUpkeep:
    return RedisUpkeep(with_prefix(server.url, "chat:"), PATIENT)


async def test_a_server_tells_what_it_holds_and_is_not_changed_by_it(started: Started):
    server = await started("maxmemory 64mb", "maxmemory-policy volatile-lru", "requirepass secret")
    url = f"redis://:secret@127.0.0.1:{server.port}/0?prefix=chat:"
    upkeep = RedisUpkeep(url, PATIENT)
    empty = await upkeep.report()
    assert empty.records == {"keys": 0, "accounts with values": 0, "days of figures": 0}
    cache = RedisCache(url, deadline=PATIENT)
    await cache.put("cache:faq:1", b"answer", 60, "ada")
    await cache.count([a_count()])
    await cache.close()
    report = await upkeep.report()
    assert (report.store, report.on_server, report.schema, report.notes) == ("cache", True, None, ())
    assert report.size_bytes
    assert report.records["accounts with values"] == 1
    assert report.place.endswith(f"at 127.0.0.1:{server.port}/0")
    assert (await upkeep.problems(), await upkeep.obstacle()) == ([], "")
    assert (await upkeep.report()).records == report.records


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ((), "no maxmemory"),
        (("maxmemory 64mb", "maxmemory-policy allkeys-lru"), "may drop figures"),
        (("maxmemory 64mb", "maxmemory-policy noeviction"), "keeps nothing more"),
    ],
)
async def test_what_had_better_be_otherwise_is_noted(started: Started, options: tuple[str, ...], note: str):
    (told_of,) = (await upkeep_of(await started(*options)).report()).notes
    assert note in told_of


async def test_a_server_that_takes_no_writes_is_an_obstacle(started: Started):
    master = await started("maxmemory 1", "maxmemory-policy noeviction")
    replica = await started(f"replicaof 127.0.0.1 {master.port}")
    while "role:slave" not in str(await told(replica.url, "INFO", "replication")):
        await asyncio.sleep(0.05)
    assert "no memory left" in await upkeep_of(master).obstacle()
    assert "is a replica" in await upkeep_of(replica).obstacle()


async def test_a_server_that_is_away_is_told():
    upkeep = RedisUpkeep(f"redis://:secret@127.0.0.1:{free_port()}", PATIENT)
    (problem,) = await upkeep.problems()
    assert problem == await upkeep.obstacle()
    assert "refuses connections" in problem
    assert "secret" not in problem
    with pytest.raises(StoreUnavailable):
        await upkeep.report()
